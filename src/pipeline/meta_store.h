#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/rate_ledger.h"
#include "base/result.h"
#include "base/run_events.h"

struct sqlite3;

namespace shaduf {

// One stream of one run, as kept in the history.
struct StreamRecord {
    std::string run_id;
    StreamProgress progress;
    std::string status;      // "running", "done", "failed", "canceled"
    std::string error;       // one line, "" when there is none
    std::string checkpoint;  // as last committed in the sink; a copy for people to look at
    std::string started_at;  // ISO 8601
};

// How things stand with one account, token or host in the ledger of rate limits.
struct RateState {
    std::string key;
    std::optional<int64_t> remaining;  // as the system said, of a window that is not over
    Timestamp paused_until{};
    int64_t in_flight = 0;
};

// What came of one check in one run: of an expectation of a stream, or of a test of the models.
struct CheckRecord {
    std::string id;  // `expectation_id`, or the test's unique id
    std::string run_id;
    std::string at;     // ISO 8601
    std::string state;  // passed, warned, failed, error
    int64_t rows = 0;   // that did not meet it
    std::string message = {};
};
std::string expectation_id(std::string_view pipeline, std::string_view stream, std::string_view text);

// The project's own small database (SQLite, `.shaduf/meta.db`): history of runs, and copies of checkpoints. Nothing in
// it decides what is read or written: the truth is in the sinks, so the file may be deleted. Thread-safe; several
// processes may share it. A file written by a newer version is refused, with both versions named.
class MetaStore {
public:
    static Result<std::unique_ptr<MetaStore>> open(const std::string& path);
    ~MetaStore();

    Result<void> save(const StreamRecord& record);
    // Newest first. A record that says "running" may be of a process that was killed.
    Result<std::vector<StreamRecord>> recent(int64_t limit);
    // The ledger of rate limits (base/rate_ledger.h) of all processes of the project, kept here: calls in flight of a
    // process that died count no more. The store outlives it.
    std::unique_ptr<RateLedger> make_ledger();
    // What stands in it, by key; at most so many.
    Result<std::vector<RateState>> rate_states(Timestamp now, int64_t limit);
    // The newest record of each stream that was ever run.
    Result<std::vector<StreamRecord>> latest_of_each_stream();
    // Results of checks; of each the newest kChecksKept are kept.
    Result<void> save_checks(std::span<const CheckRecord> records);
    // By id, of each the oldest first.
    Result<std::vector<CheckRecord>> checks();
    static constexpr int64_t kChecksKept = 100;

private:
    explicit MetaStore(sqlite3* database) : database_(database) {}
    Result<std::vector<StreamRecord>> select(const std::string& sql, int64_t limit);

    std::mutex mutex_;
    sqlite3* database_;
};

}  // namespace shaduf
