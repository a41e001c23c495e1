#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <set>

#include "base/run_context.h"
#include "base/text.h"
#include "io/duckdb.h"
#include "jinja/vm.h"
#include "models/adapter/adapter.h"
#include "models/adapter/index_config.h"
#include "models/adapters/duckdb/credentials.h"
#include "models/adapters/duckdb/external.h"
#include "models/adapters/duckdb/session.h"

// DuckDB, the embedded engine, with the profile and the methods that dbt-duckdb has. All threads share one database of
// the process; each has a connection of its own.
namespace shaduf {
namespace models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Ref;
using jinja::Value;

constexpr RelationStyle kRelations = {.type_name = "DuckDBRelation", .subquery_needs_alias = false};

constexpr std::array<std::string_view, 17> kIntegers = {
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint",
    "int1",    "int2",     "int4",    "int8",   "short",   "int",      "signed",    "long"};
constexpr std::array<std::string_view, 5> kFloats = {"real", "float", "float4", "float8", "double"};
constexpr std::array<std::string_view, 2> kNumerics = {"numeric", "decimal"};
constexpr std::array<std::string_view, 4> kStrings = {"text", "character varying", "character", "varchar"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kLabels = {{{"STRING", "TEXT"}}};
constexpr ColumnStyle kColumns = {.type_name = "DuckDBColumn",
                                  .integers = kIntegers,
                                  .floats = kFloats,
                                  .numerics = kNumerics,
                                  .strings = kStrings,
                                  .labels = kLabels,
                                  .struct_prefix = "struct("};

constexpr std::array<std::string_view, 4> kStrategies = {"append", "delete+insert", "merge", "microbatch"};

class DuckDbAdapter final : public Adapter {
public:
    DuckDbAdapter(DuckDbCredentials credentials, const Target& target)
        : target_(target), credentials_(std::move(credentials)) {}

    std::string_view type() const override { return "duckdb"; }
    std::vector<std::string> lineage() const override { return {"duckdb"}; }
    const RelationStyle& relation_style() const override { return kRelations; }
    const ColumnStyle& column_style() const override { return kColumns; }
    Ref<Dict> connection_facts(const Target& target) const override {
        auto facts = jinja::make<Dict>();
        facts->set("database", target.database);
        facts->set("schema", target.schema);
        facts->set("path", credentials_.path);
        return facts;
    }
    std::string seed_type(TableType type, size_t) const override {
        switch (type) {
            case TableType::integer: return "integer";
            case TableType::number: return "float8";
            case TableType::boolean: return "boolean";
            case TableType::date: return "date";
            case TableType::timestamp: return "timestamp without time zone";
            case TableType::time: return "time";
            case TableType::text: return "text";
        }
        return "text";
    }
    std::span<const std::string_view> incremental_strategies() const override { return kStrategies; }
    bool takes_concurrent_batches() const override { return true; }
    // The engine takes no database there, not even its own.
    std::string foreign_key_target(std::string name) const override {
        const bool has_database = std::count(name.begin(), name.end(), '.') > 1;
        return has_database ? name.substr(name.find('.') + 1) : name;
    }
    // Rows are those of the last checkpoint, bytes those of the blocks, of which small tables share some.
    std::string size_query(const RelationPath& table) const override {
        const std::string database = quote_literal(table.database.value_or(""));
        std::string name = quote_identifier(table.identifier.value_or(""));
        if (table.schema) name = quote_identifier(*table.schema) + "." + name;
        if (table.database) name = quote_identifier(*table.database) + "." + name;
        return "SELECT (SELECT estimated_size FROM duckdb_tables() WHERE lower(database_name) = lower(" + database +
               ") AND lower(schema_name) = lower(" + quote_literal(table.schema.value_or("")) +
               ") AND lower(table_name) = lower(" + quote_literal(table.identifier.value_or("")) +
               ")), (SELECT nullif(count(DISTINCT block_id), 0) FROM pragma_storage_info(" + quote_literal(name) +
               ") WHERE block_id >= 0) * (SELECT max(block_size) FROM pragma_database_size() WHERE "
               "lower(database_name) = lower(" +
               database + "))";
    }
    ConstraintSupport constraint_support(std::string_view) const override { return ConstraintSupport::enforced; }
    Result<std::optional<Value>> call_method(std::string_view name, const AdapterCall& call) const override;
    Result<std::unique_ptr<Session>> connect(RunContext& run, const std::string& name) override;

private:
    Result<std::shared_ptr<DuckDbDatabase>> database(RunContext& run);

    const Target target_;
    const DuckDbCredentials credentials_;
    std::mutex mutex_;
    std::shared_ptr<DuckDbDatabase> database_;
    bool is_prepared_ = false;  // extensions are loaded, secrets made, databases attached
};

std::string text_argument(const AdapterCall& call, size_t index) {
    return index < call.arguments.positional.size() ? call.arguments.positional[index].text() : std::string();
}

// The same table with texts where dates and times were: the engine takes them so in bindings.
Result<Value> with_moments_as_text(const Arguments& arguments) {
    const auto* table = arguments.positional.empty() ? nullptr : arguments.positional[0].object_as<Table>();
    if (table == nullptr) return Error(ErrorKind::invalid_config, "convert_datetimes_to_strs() takes a table");
    std::vector<TableType> types = table->types();
    std::vector<Table::Row> rows = table->rows();
    for (size_t i = 0; i < types.size(); ++i) {
        if (types[i] != TableType::timestamp) continue;
        types[i] = TableType::text;
        for (Table::Row& row : rows) row[i] = row[i].is_none() ? row[i] : Value(row[i].text());
    }
    return Value(Ref<jinja::Object>(new Table(table->names(), std::move(types), std::move(rows))));
}

// The kinds of keys that a table has, by the names of constraints: foreign_key, primary_key, unique.
Result<Value> existing_key_constraints(const AdapterCall& call) {
    std::vector<Value> kinds;
    const auto* relation =
        call.arguments.positional.empty() ? nullptr : call.arguments.positional[0].object_as<Relation>();
    if (relation == nullptr || call.session == nullptr) return Value::list(std::move(kinds));
    const auto found = TRY(
        call.session->execute({.sql = "select distinct lower(replace(constraint_type, ' ', '_')) from "
                                      "duckdb_constraints() where constraint_type "
                                      "in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') and lower(database_name) = lower(" +
                                      quote_literal(relation->database()) + ") and lower(schema_name) = lower(" +
                                      quote_literal(relation->schema()) + ") and lower(table_name) = lower(" +
                                      quote_literal(relation->identifier()) + ") order by 1",
                               .fetch = Fetch::rows}));
    for (const Table::Row& row : found.table->rows()) kinds.push_back(row[0]);
    return Value::list(std::move(kinds));
}

Result<std::optional<Value>> DuckDbAdapter::call_method(std::string_view name, const AdapterCall& call) const {
    const auto is = [&](std::string_view method) { return name == method; };
    if (is("is_motherduck") || is("is_ducklake") || is("use_ducklake_table_workarounds")) {
        return std::optional(Value(false));
    }
    if (is("disable_transactions")) return std::optional(Value(credentials_.disable_transactions));
    if (is("external_root")) return std::optional(Value(credentials_.external_root));
    if (is("get_binding_char")) return std::optional(Value("?"));
    if (is("escape_sql_string")) {
        const std::string quoted = quote_literal(text_argument(call, 0));
        return std::optional(Value(quoted.substr(1, quoted.size() - 2)));
    }
    if (is("ensure_transaction")) {
        if (call.session != nullptr && !call.session->in_transaction()) TRY(call.session->begin());
        return std::optional(Value::none());
    }
    if (is("location_exists")) {
        if (call.session == nullptr) return std::optional(Value(false));
        return std::optional(Value(
            call.session->execute({.sql = "select 1 from " + quote_literal(text_argument(call, 0)) + " where 1=0"})
                .ok()));
    }
    if (is("external_write_options")) return std::optional(TRY(external_write_options(call.arguments)));
    if (is("external_read_location")) return std::optional(TRY(external_read_location(call.arguments)));
    if (is("get_seed_file_path")) {
        const Value model = call.arguments.positional.empty() ? Value() : call.arguments.positional[0];
        const Value root = TRY(call.vm.item(model, Value("root_path")));
        const Value file = TRY(call.vm.item(model, Value("original_file_path")));
        return std::optional(Value((std::filesystem::path(root.text()) / file.text()).string()));
    }
    if (is("parse_index")) {
        const auto& given = call.arguments.positional;
        return std::optional(TRY(parse_index(given.empty() ? Value::none() : given[0])));
    }
    if (is("convert_datetimes_to_strs")) return std::optional(TRY(with_moments_as_text(call.arguments)));
    if (is("existing_key_constraint_types")) return std::optional(TRY(existing_key_constraints(call)));
    if (is("store_relation")) {
        return Error(ErrorKind::invalid_config,
                     "plugins of dbt-duckdb cannot run here, since they are Python; "
                     "take `plugin` out of the model's config");
    }
    if (is("catalog_supports_foreign_keys")) return std::optional(Value(true));
    if (is("batch_id_for_model")) return std::optional(Value(""));
    return std::optional<Value>();
}

Result<std::shared_ptr<DuckDbDatabase>> DuckDbAdapter::database(RunContext& run) {
    const std::lock_guard lock(mutex_);
    if (database_ == nullptr) {
        const DuckDbOptions options = credentials_.engine_options();
        if (credentials_.is_in_memory()) {
            database_ = TRY(run.databases.open_in_memory(options));
        } else {
            const auto path = std::filesystem::path(target_.project_root) / credentials_.path;
            TRY(until_free(run, target_.patience, [&]() -> Result<void> {
                database_ = TRY(run.databases.open(path.string(), options));
                return {};
            }));
        }
    }
    if (!is_prepared_) {
        const auto connection = TRY(database_->connect(run.cancellation));
        for (const std::string& sql : credentials_.database_statements()) TRY(connection->execute(sql));
        is_prepared_ = true;
    }
    return database_;
}

Result<std::unique_ptr<Session>> DuckDbAdapter::connect(RunContext& run, const std::string&) {
    auto opened = database(run);
    if (!opened.ok()) return connect_error(target_, opened.error());
    auto shared = opened.release_value();
    auto connection = TRY(shared->connect(run.cancellation));
    for (const std::string& sql : credentials_.session_statements()) TRY(connection->execute(sql));
    return std::unique_ptr<Session>(std::make_unique<DuckDbSession>(
        std::move(shared), std::move(connection),
        credentials_.disable_transactions ? DuckDbSession::Transactions::ignored : DuckDbSession::Transactions::used));
}

Result<std::unique_ptr<Adapter>> make_duckdb(const Target& target) {
    auto credentials = TRY(DuckDbCredentials::read(*target.output));
    return std::unique_ptr<Adapter>(std::make_unique<DuckDbAdapter>(std::move(credentials), target));
}

std::string duckdb_default_database(const Dict& output) {
    const auto credentials = DuckDbCredentials::read(output);
    return credentials.ok() ? credentials.value().default_database() : std::string();
}

}  // namespace
}  // namespace models

extern const models::AdapterSpec adapter_duckdb;
const models::AdapterSpec adapter_duckdb = {
    .name = "duckdb", .make = models::make_duckdb, .default_database = models::duckdb_default_database};

}  // namespace shaduf
