#include "flow/shared/worker.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/thread_name.h"
#include "flow/shared/schema.h"
#include "flow/shared/try_text.h"

namespace shaduf::shared {
namespace {

using Row = std::vector<std::optional<std::string>>;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAgainAfter{300};
constexpr size_t kDefinitionsMax = 1'000;

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

// In the order of their offer, and only while the lease holds: the row of the worker is locked, so that whoever finds
// the lease over sees these tries as well.
constexpr const char* kTake = R"(
    WITH own AS (SELECT id FROM shaduf.worker WHERE id = $1 AND until > clock_timestamp() FOR SHARE),
    open AS (SELECT run, task, attempt FROM shaduf.try WHERE worker = '' AND stop IS NULL AND ending IS NULL
             AND EXISTS (SELECT 1 FROM own) ORDER BY number LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
    UPDATE shaduf.try SET worker = $1 FROM open
    WHERE try.run = open.run AND try.task = open.task AND try.attempt = open.attempt
    RETURNING try.run, try.task, try.attempt, try.flow, try.revision, try.number, try.round)";
constexpr const char* kTell = R"(
    UPDATE shaduf.try SET ending = own.told FROM (
        SELECT try.run, try.task, try.attempt, x.ending AS told FROM jsonb_to_recordset($1::jsonb) AS x(
            run TEXT, task INTEGER, attempt INTEGER, worker TEXT, ending TEXT)
        JOIN shaduf.try ON try.run = x.run AND try.task = x.task AND try.attempt = x.attempt AND try.worker = x.worker
        WHERE try.ending IS NULL ORDER BY try.number FOR UPDATE OF try) AS own
    WHERE try.run = own.run AND try.task = own.task AND try.attempt = own.attempt)";

}  // namespace

Worker::Worker(std::string dsn, Sessions& sessions, TaskRunner& runner, Definition definition, Settings settings)
    : dsn_(std::move(dsn)),
      sessions_(sessions),
      runner_(runner),
      definition_(std::move(definition)),
      settings_(std::move(settings)),
      worker_([this] { work(); }),
      reporter_([this] { report(); }),
      guard_([this] { guard(); }) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(mutex_);
        is_draining_ = is_ending_ = true;
        changed_.notify_all();
    }
    reporter_.join();
    stop_.cancel();
    worker_.join();
    guard_.join();
    give_up("this process ends");
    const std::string id = this->id();
    auto session = id.empty() ? Result<Sessions::Loan>(Error(ErrorKind::canceled, "no lease")) : sessions_.lend();
    if (session.ok()) static_cast<void>(session.value()->query("DELETE FROM shaduf.worker WHERE id = $1", {id}));
}

std::string Worker::id() const {
    const std::lock_guard lock(mutex_);
    return id_;
}

void Worker::ended(TaskEnd end) {
    const std::lock_guard lock(mutex_);
    const auto own = running_.find(Key(end.run, end.task, end.attempt));
    if (own == running_.end()) return;
    const bool is_ours = own->second.is_ours;
    running_.erase(own);
    if (is_ours) ends_.push_back({id_, std::move(end)});
    changed_.notify_all();
}

bool Worker::drain(std::chrono::milliseconds within) {
    std::unique_lock lock(mutex_);
    is_draining_ = true;
    return changed_.wait_for(lock, within, [&] { return running_.empty() && ends_.empty(); });
}

void Worker::work() {
    name_thread("worker");
    do {
        static_cast<void>(listen());
    } while (stop_.wait_for(kAgainAfter));
}

// Until the session is lost, or it is to stop.
Result<void> Worker::listen() {
    const auto ear = TRY(connect(dsn_, stop_));
    TRY(ear->execute(std::string("LISTEN ") + kTriesChannel));
    for (auto look_again = steady_clock::now();;) {
        const auto now = steady_clock::now();
        if (now >= look_again) {
            look_again = now + std::min(settings_.look_every, settings_.lease / 4);
            if (id().empty() || !TRY(renew())) {
                give_up("this worker was taken for dead");
                TRY(join());
            }
        }
        TRY(take());
        TRY(look_after_own());
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(look_again - steady_clock::now());
        TRY(ear->notifications(std::max(wait, std::chrono::milliseconds(0))));
        TRY(stop_.check());
    }
}

Result<void> Worker::join() {
    const auto asked = steady_clock::now();
    const std::string id = settings_.name + "-" + random_suffix();
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(
        session->query("INSERT INTO shaduf.worker VALUES ($1, $2, $3::integer, clock_timestamp(), clock_timestamp() + "
                       "$4::interval, $5)",
                       {id, settings_.name, std::to_string(settings_.places),
                        std::to_string(settings_.lease.count()) + " milliseconds", settings_.version}));
    const std::lock_guard lock(mutex_);
    id_ = id;
    granted_ = asked;
    return {};
}

Result<bool> Worker::renew() {
    const auto asked = steady_clock::now();
    Sessions::Loan session = TRY(sessions_.lend());
    const auto renewed = TRY(session->query(
        "UPDATE shaduf.worker SET until = clock_timestamp() + $2::interval WHERE id = $1 AND until > clock_timestamp()",
        {id(), std::to_string(settings_.lease.count()) + " milliseconds"}));
    if (renewed.affected == 0) return false;
    const std::lock_guard lock(mutex_);
    if (id_.empty()) return false;
    granted_ = asked;
    return true;
}

Result<void> Worker::look_after_own() {
    const std::lock_guard asking(asking_);
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query("SELECT run, task, attempt, stop FROM shaduf.try WHERE worker = $1", {id()}));
    std::map<Key, std::optional<std::string>> there;
    for (const Row& row : found.rows) {
        there[Key(row[0].value_or(""), static_cast<TaskIndex>(number_of(row[1])),
                  static_cast<int>(number_of(row[2])))] = row[3];
    }
    std::vector<TaskStop> stops;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [key, own] : running_) {
            const auto& [run, task, attempt] = key;
            const auto row = there.find(key);
            const bool is_gone = own.is_ours && row == there.end();
            if (is_gone) own.is_ours = false;
            const bool is_to_stop = is_gone || (row != there.end() && row->second);
            if (!is_to_stop || own.was_stopped) continue;
            own.was_stopped = true;
            stops.push_back({run, task, attempt, is_gone ? "nobody waits for it any more" : *row->second});
        }
    }
    for (const TaskStop& stop : stops) runner_.stop(stop);
    return {};
}

Result<void> Worker::take() {
    const std::lock_guard asking(asking_);
    size_t free = 0;
    {
        const std::lock_guard lock(mutex_);
        if (is_draining_ || id_.empty() || running_.size() >= settings_.places) return {};
        free = settings_.places - running_.size();
    }
    Sessions::Loan session = TRY(sessions_.lend());
    auto taken = TRY(session->query(kTake, {id(), std::to_string(free)}));
    std::sort(taken.rows.begin(), taken.rows.end(),
              [](const Row& a, const Row& b) { return number_of(a[5]) < number_of(b[5]); });
    for (const Row& row : taken.rows) {
        const std::pair key(row[3].value_or(""), row[4].value_or(""));
        if (definitions_.size() > kDefinitionsMax) definitions_.clear();
        auto& flow = definitions_[key];
        if (flow == nullptr) flow = definition_(key.first, key.second);
        begin({row[0].value_or(""), static_cast<TaskIndex>(number_of(row[1])), static_cast<int>(number_of(row[2])),
               flow, static_cast<int>(number_of(row[6]))});
    }
    return {};
}

void Worker::begin(const TaskStart& start) {
    {
        const std::lock_guard lock(mutex_);
        running_[Key(start.run, start.task, start.attempt)] = {};
    }
    if (start.flow != nullptr && start.task < start.flow->tasks.size()) return runner_.start(start);
    TaskEnd end;
    end.run = start.run;
    end.task = start.task;
    end.attempt = start.attempt;
    end.how = TaskEnd::How::failed_for_good;
    end.why = "the worker cannot read the flow's definition; run all processes from one version of shaduf";
    ended(std::move(end));
}

void Worker::report() {
    name_thread("reports");
    for (;;) {
        std::vector<Report> ends;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return !ends_.empty() || is_ending_; });
            if (ends_.empty()) return;
            ends = ends_;
        }
        const auto told = tell(ends);
        if (told.ok()) {
            const std::lock_guard lock(mutex_);
            ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(ends.size()));
            changed_.notify_all();
        } else {
            // Ends are told late rather than never; a process that is to end does not wait for the store, though.
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, kAgainAfter, [&] { return is_ending_; })) return;
            continue;
        }
        static_cast<void>(take());
    }
}

Result<void> Worker::tell(const std::vector<Report>& ends) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Report& report : ends) {
        rows.push_back({{"run", report.end.run},
                        {"task", report.end.task},
                        {"attempt", report.end.attempt},
                        {"worker", report.worker},
                        {"ending", to_text(report.end)}});
    }
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(session->query(kTell, {rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}));
    TRY(session->execute(std::string("NOTIFY ") + kEndsChannel));
    return {};
}

// What it holds is not its own any more.
void Worker::give_up(const std::string& why) {
    std::vector<TaskStop> stops;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [key, own] : running_) {
            own.is_ours = false;
            if (own.was_stopped) continue;
            own.was_stopped = true;
            stops.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), why});
        }
    }
    for (const TaskStop& stop : stops) runner_.stop(stop);
}

void Worker::guard() {
    name_thread("lease");
    while (stop_.wait_for(settings_.lease / 20)) {
        {
            const std::lock_guard lock(mutex_);
            if (id_.empty() || steady_clock::now() - granted_ < settings_.lease) continue;
            id_.clear();
        }
        give_up("the lease of this worker could not be renewed: the state store does not answer");
    }
}

}  // namespace shaduf::shared
