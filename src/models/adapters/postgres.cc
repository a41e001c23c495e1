#include <array>
#include <chrono>

#include "base/run_context.h"
#include "base/text.h"
#include "io/crypto.h"
#include "io/postgres.h"
#include "jinja/vm.h"
#include "models/adapter/adapter.h"
#include "models/adapter/index_changes.h"
#include "models/adapter/index_config.h"
#include "models/adapters/postgres/session.h"

// PostgreSQL and what speaks its protocol, with the profile and the methods that dbt-postgres has.
namespace shaduf {
namespace models {
namespace {

using jinja::Dict;
using jinja::Ref;
using jinja::Value;

constexpr size_t kIdentifierBytesMax = 63;
constexpr RelationStyle kRelations = {.type_name = "PostgresRelation",
                                      .tables_and_views_are_replaceable = true,
                                      .identifier_bytes_max = kIdentifierBytesMax,
                                      .materialized_view_changes = index_changes};

constexpr std::array<std::string_view, 12> kIntegers = {"smallint", "integer",   "bigint",  "smallserial",
                                                        "serial",   "bigserial", "int2",    "int4",
                                                        "int8",     "serial2",   "serial4", "serial8"};
constexpr std::array<std::string_view, 6> kFloats = {"real", "float4", "float", "double precision", "float8", "double"};
constexpr std::array<std::string_view, 2> kNumerics = {"numeric", "decimal"};
constexpr std::array<std::string_view, 4> kStrings = {"text", "character varying", "character", "varchar"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kLabels = {{{"STRING", "TEXT"}}};
constexpr ColumnStyle kColumns = {.type_name = "PostgresColumn",
                                  .integers = kIntegers,
                                  .floats = kFloats,
                                  .numerics = kNumerics,
                                  .strings = kStrings,
                                  .text_has_no_size = true,
                                  .labels = kLabels};

constexpr std::array<std::string_view, 4> kStrategies = {"append", "delete+insert", "merge", "microbatch"};

std::string setting(const Dict& output, std::string_view key, std::string fallback = {}) {
    const Value* value = output.find(key);
    return value == nullptr || value->is_none() ? std::move(fallback) : value->text();
}

std::string first_setting(const Dict& output, std::string_view key, std::string_view other) {
    std::string value = setting(output, key);
    return value.empty() ? setting(output, other) : value;
}

class PostgresAdapter final : public Adapter {
public:
    PostgresAdapter(const Target& target, PostgresOptions options, PostgresSession::Commits commits, Ref<Dict> facts)
        : target_(target), options_(std::move(options)), commits_(commits), facts_(std::move(facts)) {}

    std::string_view type() const override { return "postgres"; }
    std::vector<std::string> lineage() const override { return {"postgres"}; }
    const RelationStyle& relation_style() const override { return kRelations; }
    const ColumnStyle& column_style() const override { return kColumns; }
    Ref<Dict> connection_facts(const Target&) const override { return facts_; }
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
    std::string_view dependencies_macro() const override { return "postgres__get_relations"; }
    std::span<const std::string_view> incremental_strategies() const override { return kStrategies; }
    // Rows are those of the last ANALYZE; bytes count indexes and what is stored out of line.
    std::string size_query(const RelationPath& table) const override {
        return "select case when reltuples >= 0 then reltuples::bigint end, pg_total_relation_size(class.oid) from "
               "pg_catalog.pg_class as class inner join pg_catalog.pg_namespace as namespace on namespace.oid = "
               "class.relnamespace where lower(nspname) = lower(" +
               postgres_literal(table.schema.value_or("")) + ") and lower(relname) = lower(" +
               postgres_literal(table.identifier.value_or("")) + ")";
    }
    ConstraintSupport constraint_support(std::string_view) const override { return ConstraintSupport::enforced; }

    Result<std::optional<Value>> call_method(std::string_view name, const AdapterCall& call) const override {
        const auto& arguments = call.arguments.positional;
        if (name == "verify_database") return std::optional(TRY(verify_database(arguments)));
        if (name == "parse_index") {
            return std::optional(TRY(parse_index(arguments.empty() ? Value::none() : arguments[0])));
        }
        return std::optional<Value>();
    }

    Result<std::unique_ptr<Session>> connect(RunContext& run, const std::string&) override {
        auto connection = PostgresConnection::connect(options_, run.cancellation);
        if (!connection.ok()) return connect_error(target_, connection.error());
        return std::unique_ptr<Session>(
            std::make_unique<PostgresSession>(connection.release_value(), commits_, run, target_.patience));
    }

private:
    Result<Value> verify_database(std::span<const Value> arguments) const {
        std::string wanted = arguments.empty() ? std::string() : arguments[0].text();
        std::erase(wanted, '"');
        if (equals_ignoring_case(wanted, target_.database)) return Value("");
        return Error(ErrorKind::invalid_config, "Cross-db references not allowed in postgres (" + wanted + " vs " +
                                                    target_.database + "); set the database to " + target_.database);
    }

    const Target target_;
    const PostgresOptions options_;
    const PostgresSession::Commits commits_;
    const Ref<Dict> facts_;
};

PostgresOptions connection_options(const Dict& output, const std::string& database) {
    PostgresOptions options;
    const auto add = [&](const std::string& keyword, const std::string& value) {
        if (!value.empty()) options.parameters.emplace_back(keyword, value);
    };
    add("host", setting(output, "host"));
    add("port", setting(output, "port", "5432"));
    add("user", setting(output, "user"));
    add("password", first_setting(output, "password", "pass"));
    add("dbname", database);
    for (const char* keyword : {"sslmode", "sslcert", "sslkey", "sslrootcert", "keepalives_idle"}) {
        add(keyword, setting(output, keyword));
    }
    add("application_name", setting(output, "application_name", "dbt"));
    if (const std::string path = setting(output, "search_path"); !path.empty()) {
        std::string escaped;
        for (const char c : path) escaped += c == ' ' ? std::string("\\ ") : std::string(1, c);
        add("options", "-c search_path=" + escaped);
    }
    if (const Value* seconds = output.find("connect_timeout");
        seconds != nullptr && seconds->kind() == jinja::Kind::integer) {
        options.connect_timeout = std::chrono::seconds(seconds->integer());
    }
    if (const std::string role = setting(output, "role"); !role.empty()) options.session.push_back("set role " + role);
    return options;
}

std::string postgres_default_database(const Dict& output) { return first_setting(output, "dbname", "database"); }

Result<std::unique_ptr<Adapter>> make_postgres(const Target& target) {
    const Dict& output = *target.output;
    for (const char* key : {"host", "user"}) {
        if (setting(output, key).empty()) {
            return Error(ErrorKind::invalid_config, "profiles.yml: a postgres output needs " + std::string(key) +
                                                        "; profile " + target.profile + ", target " + target.name);
        }
    }
    auto facts = jinja::make<Dict>();
    for (const char* key : {"host", "port", "user", "role", "search_path", "keepalives_idle", "sslmode", "sslcert",
                            "sslkey", "sslrootcert", "application_name", "retries", "connect_timeout"}) {
        if (const Value* value = output.find(key)) facts->set(key, *value);
    }
    facts->set("database", target.database);
    facts->set("dbname", target.database);
    const Value* autocommit = output.find("autocommit");
    const auto commits = autocommit != nullptr && autocommit->truth() ? PostgresSession::Commits::each_statement
                                                                      : PostgresSession::Commits::when_asked;
    return std::unique_ptr<Adapter>(std::make_unique<PostgresAdapter>(
        target, connection_options(output, target.database), commits, std::move(facts)));
}

}  // namespace
}  // namespace models

extern const models::AdapterSpec adapter_postgres;
const models::AdapterSpec adapter_postgres = {
    .name = "postgres", .make = models::make_postgres, .default_database = models::postgres_default_database};

}  // namespace shaduf
