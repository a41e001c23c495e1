#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::server {

struct AuditEntry {
    int64_t number = 0;  // from 1, without a gap
    Timestamp at{};
    std::string actor;
    std::string action;  // "run.cancel", "session.begin"
    std::string target;
    std::string detail;
    std::string address;  // of the client; "": of this machine's command line
    std::string hash;     // of the line before and all of the above
};

struct AuditFilter {
    std::string actor;
    std::string action;  // those that begin so
    std::optional<Timestamp> since;
    int64_t before = 0;  // only entries of smaller numbers; 0: all
    size_t limit = 100;
};

// Who changed what, and who signed in: a file of JSON lines that is only appended to. Each line has the hash of the one
// before, so that a line which was changed, taken out or put between is found. What a chain cannot tell is that the
// last lines were cut off; whoever fears that keeps the last number and hash elsewhere. Thread-safe, and several
// processes may append.
class AuditLog {
public:
    AuditLog(std::string path, const Clock& clock);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    // Durable when it returns. `number`, `at` and `hash` are made here. A last line that a crash has torn is cut off
    // first, and an entry "audit.healed" tells of it.
    Result<void> append(AuditEntry entry);

    // Newest first.
    Result<std::vector<AuditEntry>> list(const AuditFilter& filter) const;

    struct Verdict {
        int64_t lines = 0;                 // that hold
        std::optional<int64_t> broken_at;  // the first line, from 1, that does not
        std::string what;                  // is wrong with it
    };
    Result<Verdict> verify() const;

private:
    struct Tail;
    Result<void> open();
    Result<Tail> read_tail() const;
    Result<void> write(const std::vector<AuditEntry>& entries, Tail tail);

    const std::string path_;
    const Clock& clock_;
    std::mutex mutex_;
    int file_ = -1;
};

}  // namespace shaduf::server
