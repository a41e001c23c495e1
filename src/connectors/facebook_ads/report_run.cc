#include "connectors/facebook_ads/report_run.h"

#include <algorithm>
#include <charconv>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/retry.h"
#include "base/text.h"
#include "connectors/facebook_ads/errors.h"
#include "connectors/facebook_ads/report_days.h"
#include "data/batch.h"

// A report of a large account may be too much for one call, for one report run, or for one day; where the line is
// depends on the account, the fields and the hour. So nothing is known beforehand: pieces are tried, those that fail
// are cut, and what worked is where the next load begins.
namespace shaduf::facebook {
namespace {

using ads::Day;
using ads::DayRange;
using std::chrono::milliseconds;

constexpr milliseconds kPollFirst{1'000};
constexpr milliseconds kPollMax{60'000};
constexpr auto kStuckAtZero = std::chrono::minutes(10);
constexpr auto kGivenUpAfter = std::chrono::minutes(60);
constexpr milliseconds kGateWait{1'000};
constexpr int kRunsOfAPiece = 2;
constexpr int kTriesOfTheSmallest = 4;
constexpr int64_t kSlackDays = 28;  // conversions come later than what led to them

// How many days a synchronous call is asked for at first.
int days_by_call(const ReportSettings& report) {
    constexpr int kDays[] = {92, 31, 14, 7};
    int days = kDays[static_cast<size_t>(report.level)];
    for (size_t i = 0; i < report.breakdowns.size(); ++i) days = std::max(1, days / 4);
    return std::max(days, report.increment.days);
}

bool needs_run(const ReportSettings& report) {
    return std::any_of(report.breakdowns.begin(), report.breakdowns.end(), [](const std::string& name) {
        const BreakdownTraits* traits = find_breakdown(name);
        return traits != nullptr && traits->needs_report;
    });
}

std::string json_list(const std::vector<std::string>& texts) {
    std::string json = "[";
    for (const std::string& text : texts) {
        if (json.size() > 1) json += ',';
        append_json_string(text, json);
    }
    return json + "]";
}

std::string json_days(DayRange days) {
    return R"({"since":")" + ads::format_day(days.first) + R"(","until":")" + ads::format_day(days.last) + R"("})";
}

Level below(Level level) { return static_cast<Level>(static_cast<int>(level) + 1); }

int to_int(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

QueryParams report_params(const ReportSettings& report, DayRange days) {
    QueryParams params{{"level", std::string(to_string(report.level))},
                       {"fields", join(report.fields, ",")},
                       {"time_range", json_days(days)},
                       {"time_increment", report.increment.text}};
    if (!report.breakdowns.empty()) params.emplace_back("breakdowns", json_list(report.breakdowns));
    if (!report.action_breakdowns.empty())
        params.emplace_back("action_breakdowns", json_list(report.action_breakdowns));
    if (report.windows.empty())
        params.emplace_back("use_account_attribution_setting", "true");
    else
        params.emplace_back("action_attribution_windows", json_list(report.windows));
    if (!report.filtering.empty()) params.emplace_back("filtering", report.filtering);
    return params;
}

ReportFetch::ReportFetch(const Api& api, JobGate& gate, const StreamSettings& stream, const ads::Slice& slice,
                         ads::Memory& memory, ads::SliceOutput& out)
    : api_(api),
      gate_(gate),
      stream_(stream),
      report_(*stream.report),
      slice_(slice),
      memory_(memory),
      out_(out),
      limit_{stream.report->limit} {
    const int remembered = to_int(memory_.get(memory_key("limit")));
    if (remembered > 0) limit_.now = std::min<int64_t>(limit_.now, remembered);
}

ReportFetch::~ReportFetch() { leave_all(); }

void ReportFetch::leave_all() {
    for (size_t i = 0; i < jobs_.size(); ++i) gate_.leave();
    jobs_.clear();
}

std::string ReportFetch::memory_key(std::string_view what) const {
    return std::string(what) + ":" + slice_.account.id + ":" + stream_.name + ":" +
           std::string(to_string(report_.level));
}

int ReportFetch::days_at_once() const { return to_int(memory_.get(memory_key("days"))); }

void ReportFetch::remember_days(int days) { memory_.set(memory_key("days"), std::to_string(days)); }

// The whole, cut into the days that are known to work; the first days are done first.
void ReportFetch::begin(DayRange days) {
    ++beginnings_;
    pending_.clear();
    leave_all();
    const int64_t unit = report_.increment.days;
    int64_t at_once = days.days();
    if (unit > 0) {
        if (days_at_once() > 0) at_once = std::min<int64_t>(at_once, days_at_once());
        at_once = std::max(unit, at_once / unit * unit);
    }
    for (Day first = days.first; first <= days.last; first += std::chrono::days(at_once)) {
        Piece piece;
        piece.node = "act_" + slice_.account.id;
        piece.days = {first, std::min(days.last, first + std::chrono::days(at_once - 1))};
        pending_.push_back(std::move(piece));
    }
    std::reverse(pending_.begin(), pending_.end());
}

bool ReportFetch::goes_by_run(const Piece& piece) const {
    if (report_.report_runs == ReportRuns::never) return false;
    if (report_.report_runs == ReportRuns::always || piece.by_run || needs_run(report_)) return true;
    const int remembered = to_int(memory_.get(memory_key("call_days")));
    const int by_call = remembered != 0 ? remembered : days_by_call(report_);
    return piece.days.days() > by_call;
}

Result<void> ReportFetch::fetch(RunContext& run, DayRange days) {
    whole_ = days;
    begin(days);
    while (!pending_.empty() || !jobs_.empty()) {
        TRY(run.cancellation.check());
        TRY(start_pieces(run));
        if (jobs_.empty() && pending_.empty()) break;
        // Every place is taken by others: theirs end some time.
        milliseconds wait = kGateWait;
        const Timestamp now = run.clock.now();
        for (size_t i = 0; i < jobs_.size(); ++i) {
            const auto left = std::chrono::ceil<milliseconds>(jobs_[i].next_poll - now);
            wait = i == 0 ? left : std::min(wait, left);
        }
        if (wait > milliseconds(0)) run.clock.sleep(wait, run.cancellation);
        TRY(run.cancellation.check());
        TRY(poll_due(run));
    }
    return {};
}

Result<void> ReportFetch::start_pieces(RunContext& run) {
    while (!pending_.empty()) {
        const bool by_run = goes_by_run(pending_.back());
        if (by_run && !gate_.try_enter()) return {};
        Piece piece = std::move(pending_.back());
        pending_.pop_back();
        if (by_run)
            TRY(submit(run, std::move(piece)));
        else
            TRY(fetch_at_once(run, std::move(piece)));
    }
    return {};
}

Result<void> ReportFetch::fetch_at_once(RunContext& run, Piece piece) {
    const bool is_smallest = piece.days.days() <= std::max(1, report_.increment.days);
    const bool can_run = report_.report_runs != ReportRuns::never;
    const OnTooLarge on_too_large = is_smallest && !can_run ? OnTooLarge::shrink_pages : OnTooLarge::ask_less;
    auto done = give_rows(run, "/" + piece.node + "/insights", report_params(report_, piece.days), on_too_large, piece);
    if (done.ok() || done.error().kind() != ErrorKind::too_large) return done;
    if (piece.gave_pages || !can_run || !is_smallest) return cut(run, std::move(piece), done.error());
    memory_.set(memory_key("call_days"), "-1");
    piece.by_run = true;
    pending_.push_back(std::move(piece));
    return {};
}

// The id of a new report run.
Result<std::string> ReportFetch::request_run(RunContext& run, const Piece& piece) {
    for (int failures = 0;;) {
        const HttpResponse response =
            TRY(api_.post(run, slice_.account.id, "/" + piece.node + "/insights", report_params(report_, piece.days)));
        std::string id = find_text(response.text(), "report_run_id");
        if (!id.empty()) return id;
        const Error none(ErrorKind::unavailable, "answer to the request of a report has no report_run_id: " +
                                                     make_valid_utf8(response.text().substr(0, 200)));
        TRY(wait_before_retry(run, {}, ++failures, none));
    }
}

// Holds a place of the gate, which the job takes over.
Result<void> ReportFetch::submit(RunContext& run, Piece piece) {
    auto id = request_run(run, piece);
    if (!id.ok()) {
        gate_.leave();
        if (id.error().kind() != ErrorKind::too_large) return id.error();
        return cut(run, std::move(piece), id.error());
    }
    Job job;
    job.id = id.release_value();
    job.piece = std::move(piece);
    job.began = run.clock.now();
    job.wait = kPollFirst;
    job.next_poll = job.began + job.wait;
    jobs_.push_back(std::move(job));
    return {};
}

// The state of each job of `due`, as an object; nullopt where it is to be asked for again.
Result<std::vector<std::optional<BufferPtr>>> ReportFetch::read_states(RunContext& run,
                                                                       const std::vector<size_t>& due) {
    std::vector<std::optional<BufferPtr>> states;
    if (due.size() == 1) {
        auto response = TRY(api_.get_one(run, slice_.account.id, "/" + jobs_[due.front()].id, {}));
        states.emplace_back(response.body);
        return states;
    }
    std::vector<std::string> targets;
    for (const size_t i : due) targets.push_back("/" + jobs_[i].id);
    for (auto& answer : TRY(api_.get_batch(run, slice_.account.id, targets))) {
        states.emplace_back(std::nullopt);
        if (!answer || answer->body == nullptr) continue;
        HttpResponse response;
        response.status = answer->status;
        response.headers = answer->headers;
        response.body = answer->body;
        const ads::Judgement judgement = judge_answer(response);
        if (judgement.verdict == ads::Verdict::accepted) states.back() = answer->body;
        if (judgement.verdict == ads::Verdict::refused || judgement.verdict == ads::Verdict::unauthorized)
            return Error(judgement.kind, judgement.message);
    }
    return states;
}

Result<void> ReportFetch::poll_due(RunContext& run) {
    const Timestamp now = run.clock.now();
    std::vector<size_t> due;
    for (size_t i = 0; i < jobs_.size() && due.size() < Api::kBatchMax; ++i) {
        if (jobs_[i].next_poll <= now) due.push_back(i);
    }
    if (due.empty()) return {};
    auto states = TRY(read_states(run, due));
    std::vector<std::pair<Job, BufferPtr>> answered;
    for (size_t n = due.size(); n-- > 0;) {
        Job& job = jobs_[due[n]];
        job.wait = std::min(kPollMax, job.wait * 8 / 5);
        job.next_poll = run.clock.now() + job.wait;
        if (!states[n]) continue;
        answered.emplace_back(std::move(job), *states[n]);
        jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(due[n]));
    }
    Result<void> done;
    const int beginning = beginnings_;
    while (!answered.empty() && done.ok() && beginning == beginnings_) {
        auto [job, state] = std::move(answered.back());
        answered.pop_back();
        done = act_on_state(run, std::move(job), state);
    }
    // After a failure or a new beginning, the others' places are given back too.
    for (size_t i = 0; i < answered.size(); ++i) gate_.leave();
    return done;
}

Result<void> ReportFetch::act_on_state(RunContext& run, Job job, const BufferPtr& state) {
    const std::string status = find_text(state->view(), "async_status");
    const int percent = to_int(find_text(state->view(), "async_percent_completion"));
    if (status == "Job Completed" && percent >= 100) {
        gate_.leave();
        auto done = give_rows(run, "/" + job.id + "/insights", {}, OnTooLarge::shrink_pages, job.piece);
        if (done.ok() || done.error().kind() != ErrorKind::too_large) return done;
        return cut(run, std::move(job.piece), done.error());
    }
    const auto age = run.clock.now() - job.began;
    const bool stuck = age > kGivenUpAfter || (percent == 0 && age > kStuckAtZero);
    if (status != "Job Failed" && status != "Job Skipped" && !stuck) {
        if (percent > job.percent) job.wait = std::max(kPollFirst, job.wait / 2);
        job.percent = percent;
        jobs_.push_back(std::move(job));
        return {};
    }
    gate_.leave();
    return run_failed(run, std::move(job.piece), stuck ? status + ", without progress" : status, state->view());
}

Result<void> ReportFetch::run_failed(RunContext& run, Piece piece, const std::string& status, std::string_view state) {
    const ApiError said = read_run_error(state);
    std::string message = "report run of " + piece.node + " ended as " + status;
    ads::Judgement judgement{ads::Verdict::transient};
    if (said.code != 0 || !said.message.empty()) {
        judgement = judge_error(said, 200);
        message += "; " + judgement.message;
    }
    if (said.code != 0 && judgement.verdict == ads::Verdict::refused) return Error(judgement.kind, message);
    const bool is_too_large = said.code != 0 && judgement.verdict == ads::Verdict::too_large;
    if (++piece.failures < kRunsOfAPiece && !is_too_large) {
        pending_.push_back(std::move(piece));
        return {};
    }
    return cut(run, std::move(piece), Error(ErrorKind::too_large, message));
}

Result<void> ReportFetch::give_rows(RunContext& run, const std::string& path, const QueryParams& params,
                                    OnTooLarge on_too_large, Piece& piece) {
    const int64_t before = limit_.now;
    auto done =
        read_pages(run, api_, slice_.account.id, path, params, on_too_large, limit_, [&](const BufferPtr& body) {
            piece.gave_pages = true;
            return out_.give(run, ads::Page{body, ""});
        });
    if (limit_.now != before) memory_.set(memory_key("limit"), std::to_string(limit_.now));
    return done;
}

Result<void> ReportFetch::cut(RunContext& run, Piece piece, const Error& why) {
    const int unit = report_.increment.days;
    const int64_t count = piece.days.days();
    const bool by_days = unit > 0 && count > unit;
    if (by_days) {
        const int64_t half = std::max<int64_t>(unit, count / 2 / unit * unit);
        remember_days(static_cast<int>(half));
        if (piece.gave_pages && out_.restart()) {
            begin(whole_);
            return {};
        }
        if (!piece.gave_pages) {
            Piece later = piece;
            piece.failures = later.failures = 0;
            piece.days.last = piece.days.first + std::chrono::days(half - 1);
            later.days.first = piece.days.last + std::chrono::days(1);
            pending_.push_back(std::move(later));
            pending_.push_back(std::move(piece));
            return {};
        }
    } else if (!piece.gave_pages) {
        if (TRY(cut_by_children(run, piece))) return {};
        // What is as small as can be may yet get through.
        const Error passing(ErrorKind::unavailable, why.message());
        if (++piece.refusals < kTriesOfTheSmallest) {
            TRY(wait_before_retry(run, {}, piece.refusals, passing));
            pending_.push_back(std::move(piece));
            return {};
        }
    }
    std::string advice = "; ask for fewer fields or breakdowns";
    if (by_days) advice = "; the next run asks for fewer days at once";
    return Error(ErrorKind::too_large,
                 "report cannot be had, not even in the smallest parts: " + slice_.to_string() + advice)
        .caused_by(why);
}

// Rows of a report are the same when asked of a part, as long as the part is not smaller than what a row is about.
Result<bool> ReportFetch::cut_by_children(RunContext& run, const Piece& piece) {
    if (piece.about >= report_.level) return false;
    const Level level = below(piece.about);
    for (std::string& id : TRY(find_children(run, piece, level))) {
        Piece child = piece;
        child.node = std::move(id);
        child.about = level;
        child.failures = 0;
        pending_.push_back(std::move(child));
    }
    return true;
}

// Those that had any delivery, some time before too: what comes late is told of days without any.
Result<std::vector<std::string>> ReportFetch::find_children(RunContext& run, const Piece& piece, Level level) {
    const std::string id(id_column(level));
    const Day oldest = oldest_day(std::chrono::floor<std::chrono::days>(run.clock.now()));
    const DayRange days{std::min(piece.days.first, std::max(piece.days.first - std::chrono::days(kSlackDays), oldest)),
                        piece.days.last};
    const QueryParams params{{"level", std::string(to_string(level))},
                             {"fields", id},
                             {"time_range", json_days(days)},
                             {"time_increment", "all_days"}};
    std::vector<std::string> ids;
    PageLimit limit = limit_;
    TRY(read_pages(run, api_, slice_.account.id, "/" + piece.node + "/insights", params, OnTooLarge::shrink_pages,
                   limit, [&](const BufferPtr& body) -> Result<void> {
                       for (const RawRows::Span& span : TRY(find_records(body->view()))) {
                           std::string found = find_text(body->view().substr(span.offset, span.length), id);
                           if (!found.empty()) ids.push_back(std::move(found));
                       }
                       return {};
                   }));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

}  // namespace shaduf::facebook
