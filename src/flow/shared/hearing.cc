#include "flow/shared/hearing.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/thread_name.h"
#include "flow/shared/schema.h"
#include "flow/shared/try_text.h"

namespace shaduf::shared {
namespace {

using Row = std::vector<std::optional<std::string>>;

constexpr int kEndsAtOnce = 1'000;
constexpr std::chrono::milliseconds kLookForLostEvery{1'000};
constexpr std::chrono::milliseconds kAgainAfter{500};

int number_of(const std::optional<std::string>& text) {
    int number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

// Of the columns run, task, attempt.
TaskEnd end_of(const Row& row) {
    TaskEnd end;
    end.run = row[0].value_or("");
    end.task = static_cast<TaskIndex>(number_of(row[1]));
    end.attempt = number_of(row[2]);
    return end;
}

}  // namespace

void OfferingRunner::stop(const TaskStop& stop) {
    auto session = sessions_.lend();
    if (!session.ok()) return;
    const auto told = session.value()->query(
        "UPDATE shaduf.try SET stop = $4 WHERE run = $1 AND task = $2::integer AND attempt = $3::integer",
        {stop.run, std::to_string(stop.task), std::to_string(stop.attempt), stop.why});
    if (told.ok()) static_cast<void>(session.value()->execute(std::string("NOTIFY ") + kTriesChannel));
}

Hearing::Hearing(std::string dsn, Sessions& sessions, Scheduler& scheduler, Settings settings)
    : dsn_(std::move(dsn)), sessions_(sessions), scheduler_(scheduler), settings_(settings), thread_([this] {
          run();
      }) {}

Hearing::~Hearing() {
    stop_.cancel();
    thread_.join();
}

void Hearing::run() {
    name_thread("hearing");
    do {
        static_cast<void>(listen());
    } while (stop_.wait_for(kAgainAfter));
}

// Until the session is lost, or it is to stop.
Result<void> Hearing::listen() {
    const auto ear = TRY(connect(dsn_, stop_));
    TRY(ear->execute(std::string("LISTEN ") + kEndsChannel));
    for (;;) {
        TRY(hear());
        TRY(ear->notifications(settings_.look_every));
        TRY(stop_.check());
    }
}

Result<void> Hearing::hear() {
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(hear_beginnings(*session));
    while (TRY(hear_ends(*session))) TRY(stop_.check());
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_for_lost_ < kLookForLostEvery) return {};
    looked_for_lost_ = now;
    return find_lost(*session);
}

Result<void> Hearing::hear_beginnings(PostgresConnection& session) {
    // Does not wait for the disk: what is told twice is known already.
    const auto taken = TRY(session.query(
        "UPDATE shaduf.try SET told = set_config('synchronous_commit', 'off', true) = 'off' FROM ("
        "SELECT run, task, attempt FROM shaduf.try WHERE worker <> '' AND NOT told FOR UPDATE SKIP LOCKED) AS own "
        "WHERE try.run = own.run AND try.task = own.task AND try.attempt = own.attempt "
        "RETURNING try.run, try.task, try.attempt, try.worker"));
    for (const Row& row : taken.rows) {
        TaskEnd one = end_of(row);
        scheduler_.began(std::move(one.run), one.task, one.attempt, row[3].value_or(""));
    }
    return {};
}

Result<bool> Hearing::hear_ends(PostgresConnection& session) {
    const auto found =
        TRY(session.query("SELECT run, task, attempt, ending FROM shaduf.try WHERE ending IS NOT NULL "
                          "ORDER BY number LIMIT " +
                          std::to_string(kEndsAtOnce)));
    if (found.rows.empty()) return false;
    std::vector<TaskEnd> ends;
    nlohmann::json heard = nlohmann::json::array();
    for (const Row& row : found.rows) {
        TaskEnd end = end_of(row);
        heard.push_back({{"run", end.run}, {"task", end.task}, {"attempt", end.attempt}});
        auto read = read_end(end, row[3].value_or(""));
        if (!read.ok()) {
            end.how = TaskEnd::How::failed;
            end.why = read.error().to_string();
        }
        ends.push_back(read.ok() ? read.release_value() : std::move(end));
    }
    TRY(tell(std::move(ends)));
    // What the engine has heard went with the step that it made; the rest was of nobody's any more.
    TRY(
        session.query("DELETE FROM shaduf.try USING jsonb_to_recordset($1::jsonb) AS x(run TEXT, task INTEGER, attempt "
                      "INTEGER) WHERE try.run = x.run AND try.task = x.task AND try.attempt = x.attempt",
                      {heard.dump()}));
    return found.rows.size() == kEndsAtOnce;
}

Result<void> Hearing::find_lost(PostgresConnection& session) {
    TRY(session.execute("DELETE FROM shaduf.worker WHERE until < clock_timestamp()"));
    const auto lost = TRY(session.query(
        "SELECT try.run, try.task, try.attempt, try.worker FROM shaduf.try LEFT JOIN shaduf.worker ON worker.id = "
        "try.worker WHERE try.worker <> '' AND try.ending IS NULL AND worker.id IS NULL"));
    std::vector<TaskEnd> ends;
    for (const Row& row : lost.rows) {
        TaskEnd end = end_of(row);
        end.how = TaskEnd::How::lost;
        end.why = "its worker is gone: " + row[3].value_or("");
        ends.push_back(std::move(end));
    }
    if (ends.empty()) return {};
    return tell(std::move(ends));
}

// Returns when the step that follows from them is kept.
Result<void> Hearing::tell(std::vector<TaskEnd> ends) {
    auto told = scheduler_.call([ends = std::move(ends)](Engine& engine, Timestamp now) -> Result<FlowStep> {
        FlowStep all;
        for (const TaskEnd& end : ends) append(all, engine.ended(end, now));
        return all;
    });
    return told.get();
}

}  // namespace shaduf::shared
