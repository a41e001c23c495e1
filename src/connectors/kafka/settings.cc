#include "connectors/kafka/settings.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "connectors/kafka/token.h"
#include "connectors/kafka/told_columns.h"

namespace shaduf::kafka {
namespace {

constexpr std::pair<std::string_view, std::string_view> kMechanismNames[] = {
    {"plain", "PLAIN"},
    {"scram_sha_256", "SCRAM-SHA-256"},
    {"scram_sha_512", "SCRAM-SHA-512"},
    {"oauthbearer", "OAUTHBEARER"},
};
constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
    {"username", "sasl.username"},    {"password", "sasl.password"},
    {"ca_file", "ssl.ca.location"},   {"certificate_file", "ssl.certificate.location"},
    {"key_file", "ssl.key.location"}, {"key_password", "ssl.key.password"},
};

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

// Without a zone, UTC.
std::optional<int64_t> parse_milliseconds(std::string_view text) {
    if (const auto time = parse_timestamp(text)) return time->microseconds / 1000;
    if (const auto day = parse_date(text)) return int64_t{*day} * 86'400'000;
    return std::nullopt;
}

Result<void> read_login(const Options& options, Connection& connection) {
    const std::string mechanism = options.text("mechanism");
    const auto* known = std::find_if(std::begin(kMechanismNames), std::end(kMechanismNames),
                                     [&](const auto& entry) { return entry.first == mechanism; });
    connection.properties["sasl.mechanism"] = known->second;
    const auto need = [&](std::string_view field) -> Result<void> {
        if (options.has(field)) return {};
        return options.error("mechanism", "mechanism " + mechanism + " needs " + std::string(field) + "; set it");
    };
    if (mechanism != "oauthbearer") {
        TRY(need("username"));
        return need("password");
    }
    TRY(need("oauth_token_url"));
    TRY(need("oauth_client_id"));
    TRY(need("oauth_client_secret"));
    connection.token = TokenSettings{options.text("oauth_token_url"), options.text("oauth_client_id"),
                                     options.text("oauth_client_secret"), options.text("oauth_scope")};
    return {};
}

Result<Start> read_start(const Options& options) {
    const Node& node = options.node("start");
    Start start;
    if (node.is_null()) return start;
    if (node.is_map()) {
        start.kind = Start::Kind::offsets;
        for (const auto& [key, place, value] : node.entries()) {
            const auto partition = parse_number<int32_t>(key);
            const auto offset = parse_number<int64_t>(value.text());
            if (!partition || !offset) {
                return Error(ErrorKind::invalid_config, "start is no map of partitions to offsets: " + key + ": " +
                                                            value.text() + "; write it as {0: 1200, 1: 1340}")
                    .at(place);
            }
            start.offsets[*partition] = *offset;
        }
        return start;
    }
    if (node.text() == "earliest") return start;
    if (node.text() == "latest") {
        start.kind = Start::Kind::latest;
        return start;
    }
    const auto time = parse_milliseconds(node.text());
    if (!time) {
        return options.error("start", "start is not known: " + node.text() +
                                          "; give earliest, latest, a time such as 2026-01-02T00:00:00Z, or a map of "
                                          "partitions to offsets");
    }
    start.kind = Start::Kind::time;
    start.timestamp_ms = *time;
    return start;
}

Result<std::optional<Until>> read_until(const Options& options, ReadMode mode) {
    const std::string text = options.text("until");
    if (mode == ReadMode::stream) {
        if (text.empty() || text == "none") return std::nullopt;
        return options.error("until", "until is not for mode: stream, which does not end: " + text +
                                          "; leave it out, or set mode: incremental");
    }
    if (text.empty() || text == "now") return std::optional(Until{});
    if (const auto time = parse_milliseconds(text)) return std::optional(Until{time});
    return options.error("until", "until is not known: " + text +
                                      "; give now or a time such as 2026-01-02T00:00:00Z; set mode: stream to read "
                                      "without an end");
}

}  // namespace

KafkaTokenSource Connection::tokens(RunContext& run) const {
    if (!token) return {};
    return make_token_source(run, *token);
}

Result<Connection> read_connection(const Options& options) {
    Connection connection;
    KafkaProperties& properties = connection.properties;
    properties["bootstrap.servers"] = join(options.text_list("brokers"), ",");
    const std::string security = options.text("security");
    properties["security.protocol"] = security;
    for (const auto& [field, property] : kTexts) {
        if (options.has(field)) properties[std::string(property)] = options.text(field);
    }
    connection.timeout = options.duration("timeout");
    if (security.starts_with("sasl")) TRY(read_login(options, connection));
    for (const auto& [name, value] : options.text_map("properties")) properties[name] = value;
    return connection;
}

Result<StreamSettings> read_stream(const Options& connection, const StreamRequest& request) {
    const Options& options = request.options;
    StreamSettings settings;
    if (request.mode == ReadMode::cdc) {
        return options.error("mode", "mode is not one that topics can be read in: cdc; use stream or incremental");
    }
    settings.connection = request.connection;
    settings.pipeline = request.pipeline;
    settings.stream = request.stream;
    settings.topics = options.text_list("topics");
    if (settings.topics.empty()) settings.topics.push_back(request.stream);
    settings.start = TRY(read_start(options));
    settings.until = TRY(read_until(options, request.mode));
    settings.group = options.text("group");
    if (settings.group.empty()) settings.group = "shaduf-" + request.pipeline + "-" + request.stream;
    settings.isolation = options.text("isolation");
    settings.linger = options.duration("linger");
    settings.batch_bytes = options.bytes("batch_size");
    constexpr uint64_t kBatchBytesMax = 64 << 20;
    if (settings.batch_bytes < 1 || settings.batch_bytes > kBatchBytesMax) {
        return options.error("batch_size", "batch_size is not from 1B to 64MB: " + format_bytes(settings.batch_bytes));
    }
    settings.on_lost = options.text("on_lost") == "earliest" ? OnLost::earliest : OnLost::fail;
    settings.dead_letter_topic = options.text("dead_letter_topic");
    settings.decoder = TRY(read_decoder_settings(connection, request));
    settings.columns_of = options.text("columns_of");
    if (settings.columns_of.empty()) return settings;
    const Format format = settings.decoder.value;
    if (format != Format::json && format != Format::avro && format != Format::protobuf) {
        return options.error("columns_of", "columns_of is of formats json, avro and protobuf only; leave it out");
    }
    settings.decoder.teller = tell_columns_of(TRY(read_connection(connection)), settings.columns_of);
    return settings;
}

KafkaProperties consumer_properties(const Connection& connection, const StreamSettings& stream) {
    KafkaProperties properties = connection.properties;
    properties.try_emplace("group.id", stream.group);
    properties.try_emplace("isolation.level", stream.isolation);
    properties.try_emplace("topic.blacklist", "^__");  // the brokers' own, which a pattern could mean
    return properties;
}

}  // namespace shaduf::kafka
