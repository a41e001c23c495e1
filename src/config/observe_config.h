#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/options.h"

namespace shaduf {

struct Project;

// Whom a server tells of what it does, of `observe` in shaduf.yml. Texts that are "" are not given.
struct ObserveConfig {
    struct OpenLineage {
        std::string url;  // of the endpoint; "": nobody is told
        std::string name_space;
        std::string token;
    };
    struct Otlp {
        std::string endpoint;  // without /v1/traces; "": nobody is told
        std::vector<std::pair<std::string, std::string>> headers;
    };
    OpenLineage openlineage;
    Otlp otlp;
};

extern const FieldSpec kObserveFields[2];

// Reads it from the file again, with references replaced. The file was checked with the project.
Result<ObserveConfig> read_observe_config(const Project& project);

}  // namespace shaduf
