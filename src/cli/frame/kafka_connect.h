#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shaduf {

// What a connector of Kafka Connect was told to do, as a pipeline.
struct ConnectPipeline {
    std::string yaml;
    std::vector<std::string> streams;
    std::vector<std::string> variables;  // of the environment, that the pipeline wants: brokers and secrets
    std::vector<std::string> notes;      // "property: why it has no equal"
};

// `text` is a connector's configuration, bare or as GET /connectors/<name> gives it. `sink` is the connection that rows
// go to where the connector's own system is none of ours. invalid_config: no connector that is known, or no topics.
Result<ConnectPipeline> read_kafka_connect(std::string_view text, const std::string& sink);

// The properties of one connector: each is asked for once, and those that nobody asked for are told.
class ConnectProperties {
public:
    static Result<ConnectProperties> parse(std::string_view text);

    bool has(const std::string& name) const { return values_.contains(name); }
    // "" or `otherwise` when it is not there.
    std::string take(const std::string& name, const std::string& otherwise = "");
    std::vector<std::string> take_list(const std::string& name);
    bool take_flag(const std::string& name, bool otherwise);
    // All whose names begin so, without that beginning.
    std::map<std::string, std::string> take_all(std::string_view prefix);
    // Those that are left, in the order of their names.
    std::vector<std::string> left() const;

private:
    std::map<std::string, std::string> values_;
};

}  // namespace shaduf
