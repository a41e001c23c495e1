#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/postgres/settings.h"

// The tables that shaduf keeps beside the data, both in the schema of the connection: `_shaduf_state` (a row a stream)
// and `_shaduf_quarantine`.
namespace shaduf {

struct PostgresState {
    std::optional<Checkpoint> checkpoint;
    bool loading = false;  // a replace load was begun and is not finished
};

class PostgresBookkeeping {
public:
    PostgresBookkeeping(PostgresConnection& connection, const std::string& schema)
        : connection_(connection), schema_(schema) {}

    // Creates both when they are not there, however many do so at once. To be called outside a transaction.
    Result<void> create();
    Result<bool> exists();
    Result<std::string> quarantine_table() const;

    // nullopt: the stream has never committed.
    Result<std::optional<PostgresState>> read(const std::string& pipeline, const std::string& stream);
    // The same, and no other session writes it until the connection's transaction ends. There is one, then: of nothing
    // committed where there was none.
    Result<PostgresState> read_locked(const std::string& pipeline, const std::string& stream, const std::string& table);
    // In the connection's transaction. `table` is for people.
    Result<void> write(const std::string& pipeline, const std::string& stream, const std::string& table,
                       const PostgresState& state);
    Result<void> forget(const std::string& pipeline, const std::string& stream);
    Result<std::vector<CheckpointEntry>> list();

private:
    Result<std::string> state_table() const;

    PostgresConnection& connection_;
    const std::string schema_;
};

// A session that writes: what the role is set to must not end a long load. One schema must be there to write to.
Result<std::unique_ptr<PostgresConnection>> connect_to_write(const PostgresSettings& settings,
                                                             const Cancellation& cancellation);
// Takes a lock that this session holds until it ends. false: another one has it, and did not go within some seconds
// (the server takes that long to notice that a client was killed).
enum class ClaimKind : uint8_t {
    alone,
    shared,  // with others who claim it so; keeps out, and is kept out by, who claims it alone
};
Result<bool> claim_for_session(PostgresConnection& connection, const std::string& what,
                               ClaimKind kind = ClaimKind::alone);
// What a session that writes the stream claims, by either way of it.
std::string stream_claim(const PostgresSettings& settings, const std::string& pipeline, const std::string& stream);
// Creates it unless it is there; `auth` with the GRANT to give.
Result<void> create_schema(PostgresConnection& connection, const std::string& schema);

}  // namespace shaduf
