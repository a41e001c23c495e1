#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "config/options.h"
#include "connectors/connector.h"
#include "connectors/kafka/decoder.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// OAuth 2.0, client credentials.
struct TokenSettings {
    std::string url;
    std::string client_id;
    std::string client_secret;
    std::string scope;
};

// What source and sink need of a connection.
struct Connection {
    KafkaProperties properties;
    std::chrono::milliseconds timeout{30'000};  // for brokers to answer
    std::optional<TokenSettings> token;

    // Empty where the brokers want no tokens. Lives no longer than the run.
    KafkaTokenSource tokens(RunContext& run) const;
};
Result<Connection> read_connection(const Options& options);

// Where a partition begins that has no checkpoint.
struct Start {
    enum class Kind : uint8_t { earliest, latest, time, offsets };
    Kind kind = Kind::earliest;
    int64_t timestamp_ms = 0;            // time
    std::map<int32_t, int64_t> offsets;  // offsets: by partition; the others begin at the earliest
};

// Where a bounded read ends: what stood in the topics when it began, or messages of that time.
struct Until {
    std::optional<int64_t> timestamp_ms;  // nullopt: now
};

enum class OnLost : uint8_t { fail, earliest };

struct StreamSettings {
    std::string connection;
    std::string pipeline;
    std::string stream;
    std::vector<std::string> topics;  // names, and patterns that begin with ^
    Start start;
    std::optional<Until> until;  // nullopt: reads for ever, as a member of the group
    std::string group;
    std::string isolation;  // as the property has it
    std::chrono::milliseconds linger{100};
    uint64_t batch_bytes = 4 << 20;
    OnLost on_lost = OnLost::fail;
    std::string dead_letter_topic;  // "": none
    std::string columns_of;         // "": columns are found in the data
    DecoderSettings decoder;
};
Result<StreamSettings> read_stream(const Options& connection, const StreamRequest& request);
// The connection's properties with those that a stream adds.
KafkaProperties consumer_properties(const Connection& connection, const StreamSettings& stream);

}  // namespace shaduf::kafka
