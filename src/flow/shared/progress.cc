#include "flow/shared/progress.h"

#include <charconv>
#include <vector>

#include "base/thread_name.h"
#include "flow/shared/schema.h"

namespace shaduf::shared {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWriteEvery{500};
constexpr int64_t kBytesPerMillisecond = 128;  // of a try: what has many steps is written less often
// Rows of tries that say nothing are touched that often, and those that are not touched are of a process that is gone.
constexpr std::chrono::seconds kRefreshEvery{3};
constexpr std::chrono::seconds kGoneAfter{15};
constexpr const char* kReadBehind = "interval '10 seconds'";  // longer than any of the transactions that write
constexpr const char* kForgottenAfter = "interval '60 seconds'";

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

}  // namespace

Progress::Progress(Sessions& sessions, TaskBoard& board, TaskBoard::Watcher watcher)
    : sessions_(sessions), board_(board), watcher_(std::move(watcher)), process_(random_suffix()), writer_([this] {
          write_now_and_then();
      }) {}

Progress::~Progress() {
    stop_.cancel();
    writer_.join();
}

void Progress::hear(const TaskBoard::Change& change) {
    if (change.lag != nullptr) return;  // else it would tell that the log has no lines
    const std::lock_guard lock(mutex_);
    const auto [own, is_new] = own_.try_emplace(change.id);
    if (is_new) own->second.next = steady_clock::now() + kWriteEvery;
    own->second.has_news = true;
    if (change.step == nullptr) own->second.log_lines = change.log_lines;
}

void Progress::write_now_and_then() {
    name_thread("progress");
    while (stop_.wait_for(kWriteEvery)) {
        static_cast<void>(write());  // the next time has it all
    }
}

Result<void> Progress::write() {
    std::map<TryId, Own> own;
    {
        const std::lock_guard lock(mutex_);
        own = own_;
        for (auto& [id, entry] : own_) entry.has_news = false;
    }
    const auto now = steady_clock::now();
    bool has_written = false;
    for (auto& [id, entry] : own) {
        const auto report = board_.own_report(id);
        if (!report) {
            if (entry.is_written) {
                Sessions::Loan session = TRY(sessions_.lend());
                TRY(session->query("DELETE FROM shaduf.progress WHERE run = $1 AND task = $2 AND attempt = $3::integer",
                                   {id.run, id.task, std::to_string(id.attempt)}));
            }
            const std::lock_guard lock(mutex_);
            own_.erase(id);
            continue;
        }
        const bool is_due = entry.has_news && now >= entry.next;
        Result<void> done;
        if (is_due) {
            Sessions::Loan session = TRY(sessions_.lend());
            done = write_one(*session, id, *report, entry);
            has_written = has_written || done.ok();
        }
        const std::lock_guard lock(mutex_);
        Own& kept = own_[id];
        kept.is_written = entry.is_written;
        kept.next = entry.next;
        kept.has_news = kept.has_news || (entry.has_news && !(is_due && done.ok()));
        TRY(std::move(done));
    }
    if (own.empty() && !has_written) return {};
    Sessions::Loan session = TRY(sessions_.lend());
    if (now - refreshed_ >= kRefreshEvery) {
        refreshed_ = now;
        TRY(session->query("UPDATE shaduf.progress SET written = clock_timestamp() WHERE process = $1", {process_}));
        TRY(session->execute(std::string("DELETE FROM shaduf.progress WHERE written < clock_timestamp() - ") +
                             kForgottenAfter));
    }
    if (has_written) TRY(session->execute(std::string("NOTIFY ") + kChangesChannel));
    return {};
}

Result<void> Progress::write_one(PostgresConnection& session, const TryId& id, const TryReport& report, Own& own) {
    const std::string text = report.to_json();
    TRY(
        session.query("INSERT INTO shaduf.progress VALUES ($1, $2, $3::integer, $4, $5, $6::bigint, 1, "
                      "clock_timestamp()) ON CONFLICT (run, task, attempt) DO UPDATE SET report = excluded.report, "
                      "log_lines = excluded.log_lines, version = progress.version + 1, written = excluded.written",
                      {id.run, id.task, std::to_string(id.attempt), process_, text, std::to_string(own.log_lines)}));
    own.is_written = true;
    own.next =
        steady_clock::now() +
        std::max(kWriteEvery, std::chrono::milliseconds(static_cast<int64_t>(text.size()) / kBytesPerMillisecond));
    return {};
}

Result<void> Progress::read() {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(
        std::string(
            "SELECT run, task, attempt, version, log_lines FROM shaduf.progress WHERE process <> $1 AND written "
            "> clock_timestamp() - ") +
            kReadBehind,
        {process_}));
    const auto now = steady_clock::now();
    for (const auto& row : found.rows) {
        const TryId id{row[0].value_or(""), row[1].value_or(""), static_cast<int>(number_of(row[2]))};
        Other& other = others_[id];
        other.seen = now;
        if (other.version == row[3]) continue;
        const auto report = TRY(
            session->query("SELECT report FROM shaduf.progress WHERE run = $1 AND task = $2 AND attempt = $3::integer",
                           {id.run, id.task, std::to_string(id.attempt)}));
        if (report.rows.empty()) continue;  // it is over
        auto parsed = TryReport::from_json(report.rows[0][0].value_or(""));
        if (!parsed) continue;
        other.version = row[3].value_or("");
        take_up(id, other, std::move(*parsed), number_of(row[4]));
    }
    for (auto other = others_.begin(); other != others_.end();) {
        const bool is_gone = now - other->second.seen > kGoneAfter;
        if (is_gone) board_.forget(other->first);
        other = is_gone ? others_.erase(other) : std::next(other);
    }
    return {};
}

void Progress::take_up(const TryId& id, Other& other, TryReport report, int64_t log_lines) {
    std::map<std::string, const TaskStep*> known;
    for (const TaskStep& step : other.report.steps) known[step.name] = &step;
    board_.show(id, report);
    if (watcher_) {
        for (const TaskStep& step : report.steps) {
            const auto same = known.find(step.name);
            if (same == known.end() || !(*same->second == step)) watcher_({id, &step, 0});
        }
        if (log_lines != other.log_lines) watcher_({id, nullptr, log_lines});
    }
    other.report = std::move(report);
    other.log_lines = log_lines;
}

}  // namespace shaduf::shared
