#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "flow/shared/sessions.h"
#include "flow/task_board.h"

namespace shaduf::shared {

// How far tries have come that run in other processes, for people who look on: each process writes what its own have
// done into shaduf.progress, at most twice a second a try and not at all for one that is over sooner, and reads what
// the others wrote. Nothing rests on it: it is lost with the server's crash, and late when the server is slow.
class Progress {
public:
    // What others' tries do goes to `board` and, step by step, to `watcher`. These and `sessions` outlive it.
    Progress(Sessions& sessions, TaskBoard& board, TaskBoard::Watcher watcher);
    ~Progress();

    // Of a try of this process. Quick.
    void hear(const TaskBoard::Change& change);
    // Takes up what others have written since; to be called by one thread, every second or so.
    Result<void> read();

private:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Own {
        int64_t log_lines = 0;
        bool has_news = true;
        bool is_written = false;
        TimePoint next{};  // not to be written before
    };
    struct Other {
        std::string version;  // of what was read last
        TryReport report;
        int64_t log_lines = 0;
        TimePoint seen{};
    };

    void write_now_and_then();
    Result<void> write();
    Result<void> write_one(PostgresConnection& session, const TryId& id, const TryReport& report, Own& own);
    void take_up(const TryId& id, Other& other, TryReport report, int64_t log_lines);

    Sessions& sessions_;
    TaskBoard& board_;
    const TaskBoard::Watcher watcher_;
    const std::string process_;  // its rows are told apart by it
    Cancellation stop_;
    std::mutex mutex_;
    std::map<TryId, Own> own_;
    std::map<TryId, Other> others_;  // by who reads
    TimePoint refreshed_{};
    std::thread writer_;
};

}  // namespace shaduf::shared
