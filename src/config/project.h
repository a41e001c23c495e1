#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/options.h"
#include "config/pipeline_config.h"
#include "config/stream_defaults.h"

namespace shaduf {

// What configuration needs to know of a connector, to read what is meant for it.
struct ConnectorFields {
    std::span<const FieldSpec> connection;
    std::span<const FieldSpec> stream;
    std::span<const FieldSpec> table;
    StreamDefaults (*stream_defaults)(std::string_view stream, const Options& stream_options) = nullptr;
    bool is_source = false;
    bool is_sink = false;
};

// The outside of a project folder; tests give their own.
struct ProjectWorld {
    // An environment variable of the process; nullopt when not set.
    std::function<std::optional<std::string>(const std::string& name)> variable;
    // nullopt: no connector of that type.
    std::function<std::optional<ConnectorFields>(std::string_view type)> connector;
    std::vector<std::string> connector_types;  // to suggest from
};

struct ProjectRequest {
    std::string folder = ".";
    std::string environment;  // "": SHADUF_ENV, else the one marked `default: true`, else the first
    // Which pipelines and connections are read; both empty: all. Connections that a pipeline names come along. So a
    // variable that only production sets does not stand in the way of another pipeline.
    std::vector<std::string> pipelines;
    std::vector<std::string> connections;
    bool without_pipelines = false;
};

// A project folder as typed values. Plain data, immutable once read; thread-safe.
struct Project {
    std::string folder;
    std::string name;
    std::string environment;
    std::string warehouse;  // the name of the environment's connection; "" when it has none
    std::string state;      // a DSN of PostgreSQL, where processes share runs; "": each has its own
    uint64_t memory_bytes = 256'000'000;
    std::string policy_key;                // of the policies hash and tokenize; "" when there is none
    std::map<std::string, int64_t> pools;  // of tasks, by name: how many places
    int64_t tasks_parallel = 0;            // 0: as many as cores
    Node alerts;                           // `alerts`, as written; read by whoever sends them
    // References of texts that are read later than the project, as this environment has them; and variables of the
    // process. Empty: there are none.
    ValueResolver resolve;
    std::function<std::optional<std::string>(const std::string& name)> variable;
    std::map<std::string, ConnectionConfig, std::less<>> connections;
    std::vector<PipelineConfig> pipelines;    // by title, the producers before their consumers
    std::vector<std::string> pipeline_names;  // titles of all, also of those not asked for

    // By its name; of one with `via` its title alone names the consumer.
    const PipelineConfig* pipeline(std::string_view pipeline_name) const;
    // All of that title: one, or two halves.
    std::vector<const PipelineConfig*> pipelines_of(std::string_view title) const;
    const ConnectionConfig* connection(std::string_view connection_name) const;
};

// Reads shaduf.yml, pipelines/*.yml, .env and .env.<environment>. All errors at once, each with file and line: then
// `out` is not to be used. References are replaced: ${env:NAME} by the process's environment, else .env.<environment>,
// else .env; ${secret:name} by SHADUF_SECRET_<NAME>, else the file .secrets/<name>, which only its owner may read.
std::vector<Error> load_project(const ProjectRequest& request, const ProjectWorld& world, Project& out);

// The keys of shaduf.yml, and of each of its environments; for the docs.
std::span<const FieldSpec> project_fields();
std::span<const FieldSpec> environment_fields();

}  // namespace shaduf
