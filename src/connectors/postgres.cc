#include "base/text.h"
#include "connectors/connector.h"
#include "connectors/postgres/sink.h"
#include "connectors/postgres/source.h"

// PostgreSQL and what speaks its protocol. The parts stand in connectors/postgres/. Of the source: source, table (what
// the catalog says of a stream), key_ranges (what it is cut into), copy_sessions (several COPYs of one snapshot),
// copy_decoder (binary COPY to columns). Of the sink: sink, target (tables that are written), copy_encoder, stage (rows
// on their way), upsert (merge and history), refresh (replace), bookkeeping (checkpoints, quarantine), write_error;
// store. Of both: numeric, wire.
namespace shaduf {
namespace {

constexpr int64_t kSessionsMax = 16;
constexpr std::string_view kSslModes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};

Result<PostgresOptions> connection_of(const Options& options) {
    PostgresOptions wanted;
    if (options.has("dsn")) {
        auto parsed = parse_postgres_dsn(options.text("dsn"));
        if (!parsed.ok()) return options.error("dsn", parsed.error().message());
        wanted.parameters = parsed.release_value();
    }
    constexpr std::pair<std::string_view, std::string_view> kParameters[] = {
        {"host", "host"},       {"user", "user"},       {"password", "password"},
        {"database", "dbname"}, {"sslmode", "sslmode"}, {"sslrootcert", "sslrootcert"},
        {"sslcert", "sslcert"}, {"sslkey", "sslkey"},
    };
    for (const auto& [field, keyword] : kParameters) {
        if (options.has(field)) wanted.parameters.emplace_back(keyword, options.text(field));
    }
    if (options.has("port")) wanted.parameters.emplace_back("port", std::to_string(options.integer("port")));
    wanted.connect_timeout = options.duration("connect_timeout");
    return wanted;
}

// What reads need not be able to write.
Result<PostgresOptions> reader_of(const Options& options) {
    PostgresOptions wanted = TRY(connection_of(options));
    wanted.session.emplace_back("SET default_transaction_read_only = on");
    return wanted;
}

Result<void> check(RunContext& run, const std::string&, const Options& options) {
    const auto connection = TRY(PostgresConnection::connect(TRY(reader_of(options)), run.cancellation));
    TRY(connection->execute("SELECT 1"));
    return {};
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    const auto connection = TRY(PostgresConnection::connect(TRY(reader_of(options)), run.cancellation));
    return discover_postgres(*connection);
}

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& request) {
    PostgresStream stream;
    stream.connection = request.connection;
    stream.name = request.stream;
    stream.table = request.options.text("source_table");
    if (stream.table.empty()) stream.table = request.stream;
    stream.query = request.options.text("query");
    stream.as_text = request.options.text_list("as_text");
    stream.cursor_field = request.options.text("cursor_field");
    stream.mode = request.mode;
    stream.resumes = request.options.text("resume") == "key";
    const int64_t parallel = request.options.integer("parallel");
    if (parallel < 1 || parallel > kSessionsMax) {
        return request.options.error(
            "parallel", "parallel is not from 1 to " + std::to_string(kSessionsMax) + ": " + std::to_string(parallel));
    }
    stream.parallel = static_cast<size_t>(parallel);
    stream.query_place = request.options.place_of("query");
    if (request.mode == ReadMode::cdc || request.mode == ReadMode::stream) {
        return request.options.error("mode",
                                     "mode is not one that PostgreSQL can be read in; use full_refresh or incremental");
    }
    if (request.mode == ReadMode::incremental && stream.cursor_field.empty()) {
        return request.options.error("cursor_field", "an incremental stream needs a cursor; set `cursor_field`");
    }
    return make_postgres_source(TRY(reader_of(options)), std::move(stream));
}

PostgresTableOptions table_options_of(const Options& options) {
    PostgresTableOptions wanted;
    wanted.column_types = options.text_map("column_types");
    for (const auto& [privilege, roles] : options.text_map("grants")) {
        auto& grant = wanted.grants.emplace_back(privilege, std::vector<std::string>());
        for (const auto role : split(roles, ',')) {
            if (!trim(role).empty()) grant.second.emplace_back(trim(role));
        }
    }
    for (const auto& index : options.object_list("indexes")) {
        wanted.indexes.push_back({index.text_list("columns"), index.boolean("unique"), index.text("type")});
    }
    return wanted;
}

Result<PostgresSettings> writer_of(const Options& options) {
    return PostgresSettings{TRY(connection_of(options)), options.text("schema"), options.duration("lock_timeout")};
}

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table) {
    return std::unique_ptr<Sink>(
        std::make_unique<PostgresSink>(TRY(writer_of(options)), table_options_of(table.options), table));
}

Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string&) {
    return make_postgres_store(TRY(writer_of(options)));
}

constexpr FieldSpec kFields[] = {
    {.name = "dsn",
     .help = "URL or key=value text of the connection (postgresql://user:password@host:port/database); the options "
             "below replace its parts.",
     .secret = true},
    {.name = "host",
     .help = "Name or address of the server, or the folder of its Unix socket.",
     .example = "db.example.com"},
    {.name = "port", .type = FieldType::integer, .help = "TCP port; 5432 by default.", .example = "5432"},
    {.name = "user", .help = "Role to sign in as.", .example = "shaduf"},
    {.name = "password", .help = "Password of the role.", .secret = true},
    {.name = "database", .help = "Name of the database; that of the user by default.", .example = "shop"},
    {.name = "sslmode",
     .help = "Whether TLS is used, and what of the server's certificate is checked; prefer by default.",
     .choices = kSslModes,
     .example = "verify-full"},
    {.name = "sslrootcert", .help = "File of the certificates that may sign the server's.", .example = "rds-ca.pem"},
    {.name = "sslcert", .help = "File of the client's certificate.", .example = "client.crt"},
    {.name = "sslkey", .help = "File of the client's private key.", .example = "client.key"},
    {.name = "connect_timeout",
     .type = FieldType::duration,
     .help = "For a connection to be made.",
     .default_value = "10s"},
    {.name = "schema",
     .help = "Written: the schema of tables that name none, and of `_shaduf_state` and `_shaduf_quarantine`.",
     .default_value = "public"},
    {.name = "lock_timeout",
     .type = FieldType::duration,
     .help = "Written: how long to wait for a table that others have locked.",
     .default_value = "60s"},
};
constexpr std::string_view kResumes[] = {"key", "none"};
constexpr FieldSpec kStreamFields[] = {
    {.name = "source_table",
     .help = "Table or view, with its schema when the search path does not lead there; the stream's name by default.",
     .example = "sales.orders"},
    {.name = "query", .help = "A SELECT whose rows are read instead of a table."},
    {.name = "cursor_field",
     .help = "Incremental: a column that never goes down in rows that come later.",
     .example = "updated_at"},
    {.name = "as_text",
     .type = FieldType::text_list,
     .help = "Columns that are read as the text that PostgreSQL writes, such as times that may be infinity, or arrays "
             "of several dimensions.",
     .example = "[valid_until]"},
    {.name = "resume",
     .help =
         "What a full refresh that broke off goes on by: the primary key, in whose order it then reads each part; or "
         "nothing, in the order of the disk, which may be faster.",
     .default_value = "key",
     .choices = kResumes},
    {.name = "parallel",
     .type = FieldType::integer,
     .help = "Sessions at most that read a full refresh of a table, all of one snapshot; smaller tables, views and "
             "queries are read by one.",
     .default_value = "2"},
};
constexpr std::string_view kIndexTypes[] = {"btree", "hash", "gin", "gist", "brin", "spgist"};
constexpr FieldSpec kIndexFields[] = {
    {.name = "columns", .type = FieldType::text_list, .help = "Its columns, in this order.", .required = true},
    {.name = "unique",
     .type = FieldType::boolean,
     .help = "Whether no two rows may have the same values.",
     .default_value = "false"},
    {.name = "type", .help = "Its access method.", .default_value = "btree", .choices = kIndexTypes},
};
constexpr FieldSpec kTableFields[] = {
    {.name = "column_types",
     .type = FieldType::text_map,
     .help = "SQL types to create columns with, where they are to be others than those of the data; values that they "
             "do not hold are rejected.",
     .example = "{address: inet, price: \"numeric(12,2)\"}"},
    {.name = "grants",
     .type = FieldType::text_map,
     .help = "Roles that get a privilege when the table is created, separated by commas; by privilege.",
     .example = "{select: \"analyst, dashboard\"}"},
    {.name = "indexes",
     .type = FieldType::object_list,
     .help = "Indexes that the table is created with.",
     .children = kIndexFields,
     .example = "[{columns: [customer_id]}]"},
};

}  // namespace

extern const ConnectorSpec connector_postgres{
    .name = "postgres",
    .summary = "PostgreSQL: tables, views and queries, in and out by binary COPY.",
    .fields = kFields,
    .stream_fields = kStreamFields,
    .table_fields = kTableFields,
    .check = check,
    .discover = discover,
    .make_source = make_source,
    .make_sink = make_sink,
    .make_store = make_store,
};

}  // namespace shaduf
