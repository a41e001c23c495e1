#include <filesystem>

#include "connectors/connector.h"
#include "connectors/duckdb/sink.h"
#include "connectors/duckdb/source.h"

// A DuckDB file as warehouse and as source. The parts stand in connectors/duckdb/: sink, upsert (merge and history),
// table (create and evolve), bookkeeping (checkpoints, quarantine), store, source.
namespace shaduf {
namespace {

DuckDbSettings settings_of(const Options& options) {
    DuckDbSettings settings;
    settings.path = options.text("path");
    settings.options.threads = static_cast<int>(options.integer("threads"));
    settings.options.memory_bytes = options.bytes("memory");
    settings.options.temp_directory = options.text("temp_directory");
    settings.options.storage_version = options.text("storage_version");
    if (options.boolean("read_only")) settings.options.access = DuckDbAccess::read_only;
    return settings;
}

// Loads alone need little, and a thread of the engine that has nothing to do waits busily; it takes more as it needs.
constexpr int kLoadThreads = 1;
constexpr uint64_t kLoadMemoryBytes = 64 << 20;

DuckDbSettings load_settings_of(const Options& options) {
    DuckDbSettings settings = settings_of(options);
    if (!options.has("threads")) {
        settings.options.threads = kLoadThreads;
        settings.options.threads_grow = true;
    }
    if (!options.has("memory")) {
        settings.options.memory_bytes = kLoadMemoryBytes;
        settings.options.memory_grows = true;
    }
    settings.options.keep_order = false;
    return settings;
}

// Like settings_of, for whoever reads: a file that is not there is an error and not an empty database.
Result<DuckDbSettings> existing_settings_of(const Options& options) {
    DuckDbSettings settings = settings_of(options);
    std::error_code ignored;
    if (std::filesystem::exists(settings.path, ignored)) return settings;
    return options.error("path", "database file not found: " + settings.path + "; check the path");
}

Result<void> check(RunContext& run, const std::string&, const Options& options) {
    const DuckDbSettings settings = settings_of(options);
    std::error_code ignored;
    const auto folder = std::filesystem::absolute(settings.path, ignored).parent_path();
    if (!std::filesystem::is_directory(folder, ignored)) {
        return options.error("path", "folder of the database not found: " + folder.string() + "; create it");
    }
    // One that is not there yet is made by the first run.
    if (!std::filesystem::exists(settings.path, ignored)) return {};
    const auto database = TRY(run.databases.open(settings.path, settings.options));
    TRY(TRY(database->connect(run.cancellation))->execute("SELECT 1"));
    return {};
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    return discover_duckdb(run, TRY(existing_settings_of(options)));
}

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& request) {
    DuckDbStream stream{request.connection, request.stream, request.options.text("query"),
                        request.options.text("cursor_field"), request.mode};
    if (!request.options.text("source_table").empty()) stream.name = request.options.text("source_table");
    if (request.mode == ReadMode::cdc || request.mode == ReadMode::stream) {
        return request.options.error("mode",
                                     "mode is not one that a DuckDB file can be read in; use full_refresh or "
                                     "incremental");
    }
    if (request.mode == ReadMode::incremental && stream.cursor_field.empty()) {
        return request.options.error("cursor_field", "an incremental stream needs a cursor; set `cursor_field`");
    }
    return make_duckdb_source(TRY(existing_settings_of(options)), std::move(stream));
}

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table) {
    return std::unique_ptr<Sink>(std::make_unique<DuckDbSink>(load_settings_of(options), table));
}

Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string&) {
    return make_duckdb_store(settings_of(options));
}

constexpr FieldSpec kFields[] = {
    {.name = "path",
     .help = "The database file; it is created when it is not there.",
     .required = true,
     .example = "warehouse.duckdb"},
    {.name = "threads",
     .type = FieldType::integer,
     .help = "Threads of the engine; 0 takes one a core (a load takes one or two unless this is set).",
     .default_value = "0"},
    {.name = "memory",
     .type = FieldType::bytes,
     .help = "Memory of the engine in bytes; what needs more is spilled to disk. A load takes 64MB, and more for "
             "tables of many "
             "columns, unless this is set.",
     .default_value = "128MB"},
    {.name = "temp_directory", .help = "Folder that the engine spills to; beside the file by default."},
    {.name = "storage_version",
     .help = "Of a file that is created: the oldest DuckDB that can read it. v1.0.0 reaches back furthest; from v1.3.0 "
             "on texts are stored in a third less time.",
     .default_value = "v1.3.0"},
    {.name = "read_only",
     .type = FieldType::boolean,
     .help = "Opens the file for reading alone.",
     .default_value = "false"},
};
constexpr FieldSpec kStreamFields[] = {
    {.name = "source_table",
     .help = "Table or view, with its schema when that is not main; the stream's name by default.",
     .example = "sales.orders"},
    {.name = "query", .help = "A SELECT whose rows are read instead of a table."},
    {.name = "cursor_field",
     .help = "Incremental: a column that never goes down in rows that come later.",
     .example = "updated_at"},
};

}  // namespace

extern const ConnectorSpec connector_duckdb{
    .name = "duckdb",
    .summary = "DuckDB database files: the embedded warehouse, also as a source.",
    .fields = kFields,
    .stream_fields = kStreamFields,
    .check = check,
    .discover = discover,
    .make_source = make_source,
    .make_sink = make_sink,
    .make_store = make_store,
};

}  // namespace shaduf
