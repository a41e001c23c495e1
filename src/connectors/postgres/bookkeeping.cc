#include "connectors/postgres/bookkeeping.h"

#include <set>

#include "connectors/postgres/target.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

constexpr const char* kStateTable = "_shaduf_state";
constexpr const char* kClaimWait = "'3s'";

// Locks of one database, told apart by a text.
std::string lock_number(const std::string& what) {
    return "pg_catalog.hashtextextended(" + postgres_literal("shaduf " + what) + ", 0)";
}

std::string milliseconds(std::chrono::milliseconds time) { return "'" + std::to_string(time.count()) + "ms'"; }

bool is_lacking(const PostgresRows& found) { return found.rows.empty() || found.rows[0][0] != "t"; }

Error explain_create(PostgresConnection& connection, const std::string& schema, const Error& error) {
    const auto name = postgres_identifier(schema);
    const auto role = postgres_identifier(connection.user());
    const bool is_told = error.message().find("; let ") != std::string::npos;
    if (connection.sqlstate() != "42501" || is_told || !name.ok() || !role.ok()) return error;
    return Error(error.kind(), error.message() + "; let the owner run: GRANT USAGE, CREATE ON SCHEMA " + name.value() +
                                   " TO " + role.value());
}

}  // namespace

Result<std::unique_ptr<PostgresConnection>> connect_to_write(const PostgresSettings& settings,
                                                             const Cancellation& cancellation) {
    PostgresOptions options = settings.connection;
    options.session.insert(options.session.begin(), "SET statement_timeout = 0");
    options.session.emplace_back(
        "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ("
        "'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')");
    options.session.emplace_back("SET lock_timeout = " + milliseconds(settings.lock_timeout));
    options.session.emplace_back("SET default_transaction_read_only = off");
    options.session.emplace_back("SET default_transaction_isolation = 'read committed'");
    // Else a server that is busy notices a killed client only at the end of its statement.
    options.session.emplace_back(
        "SELECT pg_catalog.set_config(name, '1s', false) FROM pg_catalog.pg_settings WHERE name = "
        "'client_connection_check_interval'");
    return PostgresConnection::connect(options, cancellation);
}

Result<bool> claim_for_session(PostgresConnection& connection, const std::string& what, ClaimKind kind) {
    // In a transaction of its own, so that the time-out ends with it; the lock stays.
    auto locked = connection.execute(std::string("BEGIN; SET LOCAL lock_timeout = ") + kClaimWait +
                                     (kind == ClaimKind::shared ? "; SELECT pg_catalog.pg_advisory_lock_shared("
                                                                : "; SELECT pg_catalog.pg_advisory_lock(") +
                                     lock_number(what) + "); COMMIT");
    if (locked.ok()) return true;
    if (connection.sqlstate() != "55P03") return locked.release_error();
    TRY(connection.execute("ROLLBACK"));
    return false;
}

std::string stream_claim(const PostgresSettings& settings, const std::string& pipeline, const std::string& stream) {
    return "stream " + settings.schema + "." + pipeline + "/" + stream;
}

Result<void> create_schema(PostgresConnection& connection, const std::string& schema) {
    const auto found = TRY(connection.query("SELECT true FROM pg_catalog.pg_namespace WHERE nspname = $1", {schema}));
    if (!is_lacking(found)) return {};
    auto created = connection.execute("CREATE SCHEMA IF NOT EXISTS " + TRY(postgres_identifier(schema)));
    if (created.ok()) return {};
    if (connection.sqlstate() != "42501") return created.release_error();
    return Error(created.error().kind(), created.error().message() + "; let an administrator run: CREATE SCHEMA " +
                                             TRY(postgres_identifier(schema)) + " AUTHORIZATION " +
                                             TRY(postgres_identifier(connection.user())));
}

Result<std::string> PostgresBookkeeping::state_table() const { return postgres_table(schema_, kStateTable); }
Result<std::string> PostgresBookkeeping::quarantine_table() const { return postgres_table(schema_, kQuarantineTable); }

Result<bool> PostgresBookkeeping::exists() {
    const auto found = TRY(connection_.query(
        "SELECT count(*) = 2 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
        "n.nspname = $1 AND c.relname IN ($2, $3)",
        {schema_, kStateTable, std::string(kQuarantineTable)}));
    return !is_lacking(found);
}

// CREATE ... IF NOT EXISTS fails when two do it at once, so they take turns.
Result<void> PostgresBookkeeping::create() {
    const std::string state = TRY(state_table());
    const std::string quarantine = TRY(quarantine_table());
    TRY(connection_.execute("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(" + lock_number("bookkeeping") + ")"));
    const auto create_all = [&]() -> Result<void> {
        TRY(create_schema(connection_, schema_));
        const PostgresTableName name{schema_, std::string(kQuarantineTable)};
        const auto there = TRY(find_target(connection_, name));
        if (there) {
            // What an older version's table lacks.
            TRY(evolve_target(connection_, name, *there, *quarantine_schema(), {}));
        } else {
            TRY(create_target(connection_, name, *quarantine_schema(), {}));
        }
        if (TRY(exists())) return {};
        TRY(connection_.execute("CREATE TABLE IF NOT EXISTS " + state +
                                " (pipeline text NOT NULL, stream text NOT NULL, table_name text NOT NULL, checkpoint "
                                "text, committed_at timestamptz NOT NULL, loading boolean NOT NULL DEFAULT false, "
                                "PRIMARY KEY (pipeline, stream))"));
        return {};
    };
    auto created = create_all();
    if (!created.ok()) {
        const Error error = explain_create(connection_, schema_, created.error());
        if (!connection_.is_lost()) TRY(connection_.execute("ROLLBACK"));
        return error;
    }
    TRY(connection_.execute("COMMIT"));
    return {};
}

Result<std::optional<PostgresState>> PostgresBookkeeping::read(const std::string& pipeline, const std::string& stream) {
    const auto found = TRY(connection_.query(
        "SELECT checkpoint, loading FROM " + TRY(state_table()) + " WHERE pipeline = $1 AND stream = $2",
        {pipeline, stream}));
    if (found.rows.empty()) return std::optional<PostgresState>();
    PostgresState state;
    if (found.rows[0][0]) state.checkpoint = Checkpoint(*found.rows[0][0]);
    state.loading = found.rows[0][1] == "t";
    return std::optional<PostgresState>(state);
}

Result<PostgresState> PostgresBookkeeping::read_locked(const std::string& pipeline, const std::string& stream,
                                                       const std::string& table) {
    const std::string state_name = TRY(state_table());
    TRY(connection_.query("INSERT INTO " + state_name +
                              " (pipeline, stream, table_name, checkpoint, committed_at) VALUES ($1, $2, $3, NULL, "
                              "pg_catalog.clock_timestamp()) ON CONFLICT (pipeline, stream) DO NOTHING",
                          {pipeline, stream, table}));
    const auto found = TRY(connection_.query(
        "SELECT checkpoint, loading FROM " + state_name + " WHERE pipeline = $1 AND stream = $2 FOR UPDATE",
        {pipeline, stream}));
    PostgresState state;
    if (found.rows.empty()) return state;
    if (found.rows[0][0]) state.checkpoint = Checkpoint(*found.rows[0][0]);
    state.loading = found.rows[0][1] == "t";
    return state;
}

Result<void> PostgresBookkeeping::write(const std::string& pipeline, const std::string& stream,
                                        const std::string& table, const PostgresState& state) {
    TRY(connection_.query(
        "INSERT INTO " + TRY(state_table()) +
            " (pipeline, stream, table_name, checkpoint, committed_at, loading) VALUES ($1, $2, $3, " +
            (state.checkpoint ? "$5" : "nullif($5::text, $5::text)") +
            ", pg_catalog.clock_timestamp(), $4::boolean) ON CONFLICT (pipeline, stream) DO UPDATE SET table_name = "
            "excluded.table_name, checkpoint = excluded.checkpoint, committed_at = "
            "excluded.committed_at, loading = excluded.loading",
        {pipeline, stream, table, state.loading ? "t" : "f", state.checkpoint ? state.checkpoint->value() : ""}));
    return {};
}

Result<void> PostgresBookkeeping::forget(const std::string& pipeline, const std::string& stream) {
    TRY(connection_.query("DELETE FROM " + TRY(state_table()) + " WHERE pipeline = $1 AND stream = $2",
                          {pipeline, stream}));
    return {};
}

Result<std::vector<CheckpointEntry>> PostgresBookkeeping::list() {
    const auto found = TRY(connection_.query(
        "SELECT pipeline, stream, checkpoint, to_char(committed_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM " +
        TRY(state_table()) + " WHERE checkpoint IS NOT NULL ORDER BY pipeline COLLATE \"C\", stream COLLATE \"C\""));
    std::vector<CheckpointEntry> entries;
    for (const auto& row : found.rows) {
        entries.push_back(
            {row[0].value_or(""), row[1].value_or(""), Checkpoint(row[2].value_or("")), row[3].value_or("")});
    }
    return entries;
}

}  // namespace shaduf
