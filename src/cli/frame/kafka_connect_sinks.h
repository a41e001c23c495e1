#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace shaduf {
class ConnectProperties;
}

// The parts of a pipeline that the properties of a connector of Kafka Connect become. Values are YAML.
namespace shaduf::connect {

using YamlOptions = std::vector<std::pair<std::string, std::string>>;

struct DraftStream {
    std::string name;
    YamlOptions options;
};
struct Draft {
    YamlOptions source;
    YamlOptions sink;
    std::string sink_name;  // "": `sink` says it
    std::string schema;     // of the tables; "" is the sink's default
    std::vector<DraftStream> streams;
    std::vector<std::string> variables;
    std::vector<std::string> notes;
};

std::string in_quotes(const std::string& text);

// Brokers, security, converters, topics, errors: what all sinks have in common.
Result<void> read_source(ConnectProperties& properties, Draft& draft);
void read_s3(ConnectProperties& properties, Draft& draft);
void read_bigquery(ConnectProperties& properties, Draft& draft);

}  // namespace shaduf::connect
