#include "models/command/warehouse_target.h"

#include <array>
#include <map>

#include "io/postgres.h"

namespace shaduf {
namespace {

using models::YamlBuilder;

constexpr int64_t kServerThreads = 4;

void add(YamlBuilder& output, std::string_view key, const std::string& value) {
    if (value.empty()) return;
    output.key(key);
    output.add_text(value);
}

void add_number(YamlBuilder& output, std::string_view key, int64_t value) {
    output.key(key);
    output.add_integer(value);
}

void add_duckdb(const Options& options, YamlBuilder& output) {
    add(output, "path", options.text("path"));
    add(output, "schema", "main");
    std::map<std::string, std::string> settings;
    if (options.has("memory")) settings["memory_limit"] = std::to_string(options.bytes("memory")) + "B";
    if (options.integer("threads") > 0) settings["threads"] = std::to_string(options.integer("threads"));
    if (options.has("temp_directory")) settings["temp_directory"] = options.text("temp_directory");
    if (settings.empty()) return;
    output.key("config_options");
    output.begin_map();
    for (const auto& [name, value] : settings) add(output, name, value);
    output.end_map();
}

Result<void> add_postgres(const Options& options, YamlBuilder& output) {
    std::map<std::string, std::string> parameters;
    if (options.has("dsn")) {
        auto parsed = parse_postgres_dsn(options.text("dsn"));
        if (!parsed.ok()) return options.error("dsn", parsed.error().message());
        for (const auto& [keyword, value] : parsed.value()) parameters[keyword] = value;
    }
    constexpr auto kParameters = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"host", "host"},
        {"user", "user"},
        {"password", "password"},
        {"database", "dbname"},
        {"sslmode", "sslmode"},
        {"sslrootcert", "sslrootcert"},
        {"sslcert", "sslcert"},
        {"sslkey", "sslkey"},
    });
    for (const auto& [field, keyword] : kParameters) {
        if (options.has(field)) parameters[std::string(keyword)] = options.text(field);
    }
    if (options.has("port")) parameters["port"] = std::to_string(options.integer("port"));
    if (parameters["dbname"].empty()) parameters["dbname"] = parameters["user"];
    parameters.try_emplace("port", "5432");
    for (const std::string_view keyword :
         {"host", "user", "password", "dbname", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"}) {
        add(output, keyword, parameters[std::string(keyword)]);
    }
    add(output, "schema", options.text("schema"));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.duration("connect_timeout"));
    add_number(output, "connect_timeout", std::max<int64_t>(seconds.count(), 1));
    return {};
}

}  // namespace

Result<models::ProfileTarget> warehouse_target(const Project& project) {
    const ConnectionConfig* warehouse = project.warehouse.empty() ? nullptr : project.connection(project.warehouse);
    if (warehouse == nullptr) {
        return Error(ErrorKind::invalid_config,
                     "no warehouse is set for models to run on; write warehouse: CONNECTION in shaduf.yml, or a "
                     "profiles.yml")
            .at(Place::in_file("shaduf.yml", 1));
    }
    const bool is_duckdb = warehouse->type == "duckdb";
    if (!is_duckdb && warehouse->type != "postgres") {
        return Error(ErrorKind::invalid_config, "models cannot run on a warehouse of type " + warehouse->type +
                                                    "; take one of type duckdb or postgres, or write a profiles.yml")
            .at(warehouse->place);
    }
    const int64_t threads = is_duckdb ? 1 : kServerThreads;
    YamlBuilder output;
    output.begin_map();
    add(output, "type", warehouse->type);
    add_number(output, "threads", threads);
    if (is_duckdb) {
        add_duckdb(warehouse->options, output);
    } else {
        TRY(add_postgres(warehouse->options, output));
    }
    output.end_map();
    models::ProfileTarget target;
    target.profile_name = project.name;
    target.target_name = project.environment.empty() ? "default" : project.environment;
    target.type = warehouse->type;
    target.threads = threads;
    target.file = warehouse->place.file;
    target.line = static_cast<uint32_t>(warehouse->place.line);
    target.credentials = output.finish();
    return target;
}

}  // namespace shaduf
