#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/postgres/copy_decoder.h"
#include "io/postgres.h"

namespace shaduf {

// What several COPYs of one stream are made of.
struct SessionPlan {
    std::vector<std::string> copies;  // statements; one at least, each of the same columns
    SchemaPtr schema;
    std::vector<CopyColumn> wire;
    size_t sessions_max = 1;
    std::string table = {};  // quoted; must be given with more than one copy
    Place place;             // of the stream, for warnings
};

// Reads COPYs, some at a time, over sessions that see one snapshot: what they give together is as one statement would.
// Each session takes the next COPY when its own has ended. One thread reads all: it takes rows where rows are, while
// the server works on the others. When the server gives fewer sessions than wanted, or no snapshot to share, it reads
// over those that there are, and says so.
//
// The table is locked against changes of its columns from the snapshot on: behind one that rewrites it, the snapshot
// would see no rows.
//
// Construct, `start`, then `read` until nullopt or an error; behind an error, only `failed` may be called. Not
// thread-safe.
class CopySessions {
public:
    // `first` serves as one of the sessions; the others are made with `options`. References outlive the object.
    CopySessions(RunContext& run, const PostgresOptions& options, std::unique_ptr<PostgresConnection> first,
                 SessionPlan plan);
    ~CopySessions();
    CopySessions(const CopySessions&) = delete;
    CopySessions& operator=(const CopySessions&) = delete;

    Result<void> start();

    struct Rows {
        size_t copy;  // which of the plan's
        RecordBatch rows;
        std::vector<RejectedRow> rejected;
        bool is_last;  // of this COPY; then there may be no row
    };
    // Blocks until some MB of a COPY are there. nullopt: all have ended.
    Result<std::optional<Rows>> read();

    // Of the session whose statement failed; nullptr when it was none's.
    PostgresConnection* failed() { return failed_ == nullptr ? nullptr : failed_->connection.get(); }

private:
    struct Session {
        std::unique_ptr<PostgresConnection> connection;
        std::unique_ptr<PostgresCopyOut> copy;  // nullptr: there was none left
        std::unique_ptr<CopyDecoder> decoder;
        size_t number = 0;  // of the copy
    };

    Result<void> share_snapshot();
    Result<void> begin_locked(PostgresConnection& connection) const;
    Result<void> add_session(const std::string& snapshot);
    void warn(const Error& why) const;
    Result<void> begin_next(Session& session);
    // Decodes what is there, up to a slice.
    Result<void> drain(Session& session);
    Result<Rows> take(Session& session);
    Result<void> wait();

    RunContext& run_;
    const PostgresOptions& options_;
    const SessionPlan plan_;
    std::vector<Session> sessions_;
    size_t next_copy_ = 0;
    size_t turn_ = 0;
    Session* failed_ = nullptr;  // the one at work, which fails if any does
};

}  // namespace shaduf
