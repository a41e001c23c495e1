#include "connectors/x_ads/report_jobs.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "base/cancellation.h"
#include "base/text.h"
#include "data/json_page.h"

namespace shaduf::x_ads {
namespace {

// An account may have 100 jobs; four fetches share them, so that none waits for another's while it has some of its own.
constexpr int64_t kFetchesAtOnce = 4;
constexpr size_t kJobsMax = 25;
constexpr size_t kPolledMax = 200;
constexpr int kDaysMax = 90;
constexpr int kSegmentedDaysMax = 45;
constexpr int kFailuresMax = 2;  // of a unit as it is
constexpr std::chrono::hours kJobTimeMax{1};
constexpr std::chrono::seconds kPollFirst{1};
constexpr std::chrono::seconds kPollMax{60};

struct JobState {
    std::string status;
    std::string url;
};

std::string id_of(const nlohmann::json& job) {
    const auto text = job.find("id_str");
    if (text != job.end() && text->is_string()) return text->get<std::string>();
    const auto number = job.find("id");
    return number == job.end() ? "" : (number->is_string() ? number->get<std::string>() : number->dump());
}

std::string text_or_empty(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<std::map<std::string, JobState>> read_states(const BufferPtr& body) {
    const auto answer = nlohmann::json::parse(body->view(), nullptr, false);
    if (!answer.is_object() || !answer.contains("data") || !answer["data"].is_array())
        return Error(ErrorKind::bad_data, "states of report jobs are not readable: the answer has no list data");
    std::map<std::string, JobState> states;
    for (const auto& job : answer["data"]) {
        if (job.is_object()) states[id_of(job)] = {text_or_empty(job, "status"), text_or_empty(job, "url")};
    }
    return states;
}

Result<void> sleep(RunContext& run, std::chrono::nanoseconds time) {
    if (!run.clock.sleep(time, run.cancellation)) return Error(ErrorKind::canceled, "the run was stopped");
    return {};
}

}  // namespace

ReportJobs::ReportJobs(const Api& api, std::string account, const ReportSettings& report,
                       const ReportCalendar& calendar, ads::Memory& memory)
    : api_(api),
      account_(std::move(account)),
      report_(report),
      calendar_(calendar),
      memory_(memory),
      groups_(groups_by_request(report)) {}

int ReportJobs::days_max() const {
    const int days = report_.segmentation.empty() ? kDaysMax : kSegmentedDaysMax;
    const std::string known = memory_.get("job_days:" + account_);
    int value = 0;
    const auto [end, failed] = std::from_chars(known.data(), known.data() + known.size(), value);
    if (known.empty() || failed != std::errc() || value < 1) return days;
    return std::min(days, value);
}

void ReportJobs::enqueue(ReportUnit unit) {
    auto work = std::make_shared<Work>();
    work->unit = std::move(unit);
    work->answers.resize(groups_.size());
    for (size_t group = groups_.size(); group-- > 0;) waiting_.push_back({work, group});
}

Result<void> ReportJobs::run_all(RunContext& run, std::vector<ReportUnit> units, const Give& give) {
    if (units.empty()) return {};
    const RatePermit permit =
        TRY(run.rates.acquire(run, "x_ads:" + account_ + ":job_blocks", {.in_flight_max = kFetchesAtOnce}));
    std::reverse(units.begin(), units.end());
    for (ReportUnit& unit : units) enqueue(std::move(unit));
    std::chrono::seconds pause = kPollFirst;
    while (!waiting_.empty() || !running_.empty()) {
        TRY(submit(run));
        if (running_.empty()) continue;
        TRY(sleep(run, pause));
        pause = TRY(poll(run, give)) ? kPollFirst : std::min(kPollMax, pause * 2);
    }
    return {};
}

Result<void> ReportJobs::submit(RunContext& run) {
    const std::string path = "/stats/jobs/accounts/" + account_;
    while (running_.size() < kJobsMax && !waiting_.empty()) {
        Job job = waiting_.back();
        waiting_.pop_back();
        if (job.work->is_dropped) continue;
        const auto params = unit_params(job.work->unit, report_, calendar_, groups_[job.group]);
        auto body = api_.post(run, Family::jobs, account_, path, params);
        if (!body.ok()) {
            if (body.error().kind() != ErrorKind::too_large) return body.error();
            TRY(split(job.work, body.error().message()));
            continue;
        }
        const auto answer = nlohmann::json::parse(body.value()->view(), nullptr, false);
        if (answer.is_object() && answer.contains("data") && answer["data"].is_object()) job.id = id_of(answer["data"]);
        if (job.id.empty()) return Error(ErrorKind::bad_data, "report job has no id; run again, or tell X's support");
        job.made = run.clock.now();
        running_.push_back(std::move(job));
    }
    return {};
}

Result<bool> ReportJobs::poll(RunContext& run, const Give& give) {
    std::map<std::string, JobState> states;
    for (size_t first = 0; first < running_.size(); first += kPolledMax) {
        std::vector<std::string> ids;
        for (size_t i = first; i < std::min(running_.size(), first + kPolledMax); ++i) ids.push_back(running_[i].id);
        const auto body = TRY(
            api_.get(run, Family::jobs, account_, "/stats/jobs/accounts/" + account_, {{"job_ids", join(ids, ",")}}));
        states.merge(TRY(read_states(body)));
    }
    const std::vector<Job> jobs = std::move(running_);
    running_.clear();
    bool is_changed = false;
    for (const Job& job : jobs) {
        const JobState& state = states[job.id];
        if (job.work->is_dropped) {
            is_changed = true;
        } else if (state.status == "SUCCESS" && !state.url.empty()) {
            is_changed = true;
            TRY(finish(run, job, state.url, give));
        } else if (state.status == "FAILED" || state.status == "CANCELLED") {
            is_changed = true;
            TRY(retry(job, "X says " + state.status));
        } else if (run.clock.now() - job.made > kJobTimeMax) {
            is_changed = true;
            TRY(retry(job, "it was not done within an hour"));
        } else {
            running_.push_back(job);
        }
    }
    return is_changed;
}

Result<void> ReportJobs::finish(RunContext& run, const Job& job, const std::string& url, const Give& give) {
    auto file = api_.download(run, url);
    if (!file.ok()) {
        if (file.error().kind() != ErrorKind::conflict) return file.error();
        // The next poll tells a new URL; one that expires again and again counts as a failure.
        if (++job.work->unit.failures <= kFailuresMax) {
            running_.push_back(job);
            return {};
        }
        return retry(job, file.error().message());
    }
    auto& answers = job.work->answers;
    answers[job.group] = file.release_value();
    if (std::find(answers.begin(), answers.end(), nullptr) != answers.end()) return {};
    return give(job.work->unit, answers);
}

Result<void> ReportJobs::retry(const Job& job, const std::string& why) {
    if (++job.work->unit.failures >= kFailuresMax) return split(job.work, why);
    waiting_.push_back({job.work, job.group});
    return {};
}

Result<void> ReportJobs::split(const std::shared_ptr<Work>& work, const std::string& why) {
    work->is_dropped = true;
    const ReportUnit& unit = work->unit;
    const std::vector<ReportUnit> halves = split_unit(unit);
    if (halves.empty())
        return Error(ErrorKind::unavailable, "report job failed, for one entity and one day: " + unit.ids.front() +
                                                 ", " + ads::format_day(unit.days.first) + ": " + why +
                                                 "; ask for fewer metric_groups, or run again later")
            .permanent();
    if (unit.days.days() > 1) memory_.set("job_days:" + account_, std::to_string(halves.back().days.days()));
    for (auto half = halves.rbegin(); half != halves.rend(); ++half) enqueue(*half);
    return {};
}

}  // namespace shaduf::x_ads
