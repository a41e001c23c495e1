#include "connectors/postgres/copy_sessions.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/run_events.h"

namespace shaduf {
namespace {

constexpr size_t kBatchBytes = 1 << 20;
constexpr size_t kSliceBytes = 256 << 10;  // of one session, before the others get their turn
// Between two COPYs the session is idle for as long as the rows of the first wait to be taken.
constexpr const char* kBegin =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0";

}  // namespace

CopySessions::CopySessions(RunContext& run, const PostgresOptions& options, std::unique_ptr<PostgresConnection> first,
                           SessionPlan plan)
    : run_(run), options_(options), plan_(std::move(plan)) {
    SHADUF_ASSERT(!plan_.copies.empty());
    sessions_.emplace_back().connection = std::move(first);
}

// A session that breaks off asks the server to stop, and waits a little for it: all of them at once.
CopySessions::~CopySessions() {
    std::vector<std::thread> closing;
    for (auto& session : sessions_) {
        session.copy.reset();
        if (session.connection == nullptr) continue;
        if (sessions_.size() > 1) closing.emplace_back([&session] { session.connection.reset(); });
    }
    for (auto& thread : closing) thread.join();
}

Result<void> CopySessions::start() {
    if (plan_.copies.size() > 1) TRY(share_snapshot());
    for (auto& session : sessions_) {
        failed_ = &session;
        TRY(begin_next(session));
    }
    failed_ = nullptr;
    return {};
}

void CopySessions::warn(const Error& why) const {
    const size_t wanted = std::min(plan_.sessions_max, plan_.copies.size());
    run_.events.message(Severity::warning, plan_.place.to_string(),
                        "reads over fewer sessions than it may: " + std::to_string(sessions_.size()) + " of " +
                            std::to_string(wanted) + "; " + why.message());
}

Result<void> CopySessions::share_snapshot() {
    PostgresConnection& first = *sessions_.front().connection;
    const size_t wanted = std::min(plan_.sessions_max, plan_.copies.size());
    TRY(begin_locked(first));
    if (wanted < 2) return {};
    const auto snapshot = first.query("SELECT pg_catalog.pg_export_snapshot()");
    if (!snapshot.ok()) {
        if (first.is_lost()) return snapshot.error();
        TRY(run_.cancellation.check());
        warn(snapshot.error());
        TRY(first.execute("ROLLBACK"));
        return begin_locked(first);
    }
    const std::string name = snapshot.value().rows.front()[0].value_or("");
    while (sessions_.size() < wanted) {
        auto added = add_session(name);
        if (added.ok()) continue;
        TRY(run_.cancellation.check());
        warn(added.error());
        return {};
    }
    return {};
}

// The lock comes first: it may have to be waited for, and the snapshot is that of the statement behind it.
Result<void> CopySessions::begin_locked(PostgresConnection& connection) const {
    TRY(connection.execute(kBegin));
    TRY(connection.execute("LOCK TABLE " + plan_.table + " IN ACCESS SHARE MODE"));
    return {};
}

// Who waits to change the table waits for the first session, and this one would wait for him: not for long.
Result<void> CopySessions::add_session(const std::string& snapshot) {
    auto connection = TRY(PostgresConnection::connect(options_, run_.cancellation));
    TRY(connection->execute(kBegin));
    TRY(connection->execute("SET TRANSACTION SNAPSHOT " + postgres_literal(snapshot)));
    TRY(connection->execute("SET LOCAL lock_timeout = '1s'"));
    TRY(connection->execute("LOCK TABLE " + plan_.table + " IN ACCESS SHARE MODE"));
    sessions_.emplace_back().connection = std::move(connection);
    return {};
}

// The answer is waited for only when there is no other session to serve meanwhile.
Result<void> CopySessions::begin_next(Session& session) {
    session.copy.reset();
    if (next_copy_ == plan_.copies.size()) {
        session.connection.reset();
        return {};
    }
    session.number = next_copy_++;
    session.decoder = std::make_unique<CopyDecoder>(plan_.schema, plan_.wire);
    const std::string& sql = plan_.copies[session.number];
    session.copy =
        TRY(sessions_.size() > 1 ? session.connection->start_copy_out(sql) : session.connection->begin_copy_out(sql));
    return {};
}

Result<std::optional<CopySessions::Rows>> CopySessions::read() {
    for (;;) {
        bool is_open = false;
        bool has_drained = false;
        for (size_t i = 0; i < sessions_.size(); ++i) {
            Session& session = sessions_[std::exchange(turn_, (turn_ + 1) % sessions_.size())];
            if (session.copy == nullptr) continue;
            failed_ = &session;
            is_open = true;
            const size_t before = session.decoder->byte_size();
            TRY(drain(session));
            if (session.copy->has_ended() || session.decoder->byte_size() >= kBatchBytes) {
                auto rows = TRY(take(session));
                failed_ = nullptr;
                return std::optional(std::move(rows));
            }
            has_drained |= session.decoder->byte_size() != before;
            failed_ = nullptr;
        }
        if (!is_open) return std::nullopt;
        if (!has_drained) TRY(wait());
    }
}

Result<void> CopySessions::drain(Session& session) {
    const size_t end = std::min(session.decoder->byte_size() + kSliceBytes, kBatchBytes);
    while (session.decoder->byte_size() < end) {
        const auto message = TRY(session.copy->poll());
        if (!message) break;
        TRY(session.decoder->decode(*message));
    }
    return {};
}

// The session goes on at once: whoever reads may take its time, and an idle transaction may be ended.
Result<CopySessions::Rows> CopySessions::take(Session& session) {
    auto rejected = session.decoder->take_rejected();
    Rows rows{session.number, session.decoder->finish(), std::move(rejected), session.copy->has_ended()};
    if (rows.is_last) TRY(begin_next(session));
    return rows;
}

Result<void> CopySessions::wait() {
    std::vector<PostgresCopyOut*> copies;
    for (auto& session : sessions_) {
        if (session.copy != nullptr) copies.push_back(session.copy.get());
    }
    return PostgresCopyOut::wait_for_any(copies);
}

}  // namespace shaduf
