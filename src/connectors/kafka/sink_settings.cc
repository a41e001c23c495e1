#include "connectors/kafka/sink_settings.h"

#include <algorithm>

namespace shaduf::kafka {
namespace {

constexpr size_t kNameMax = 249;

// Source: Kafka's own rule, org.apache.kafka.common.internals.Topic.
bool is_topic_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameMax && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '_' || c == '-';
           });
}

Result<void> check_mode(const TableTarget& table) {
    const auto refuse = [&](std::string message) {
        return Error(ErrorKind::invalid_config, std::move(message)).at(table.options.place());
    };
    switch (table.mode) {
        case WriteMode::append: break;
        case WriteMode::merge:
            if (table.order_by.empty()) break;
            return refuse("a compacted topic keeps of each key what was written last; leave out order_by");
        case WriteMode::replace:
            return refuse("a topic cannot be replaced as a whole; set write: append, or write: merge with a key");
        case WriteMode::history:
        case WriteMode::slices:
            return refuse("rows of a topic cannot be changed; set write: append, or write to a warehouse");
    }
    if (table.shared) {
        return refuse(
            "a topic cannot be written by several processes that share a stream; read with mode: incremental");
    }
    return {};
}

Result<int32_t> count_of(const Options& options, std::string_view name) {
    if (!options.has(name)) return -1;
    const int64_t count = options.integer(name);
    if (count < 1 || count > INT16_MAX) return options.error(name, "expected 1 to 32767");
    return static_cast<int32_t>(count);
}

Result<KafkaTopicSpec> read_topic(const TableTarget& table) {
    const Options& options = table.options;
    KafkaTopicSpec topic;
    topic.name = table.schema.empty() ? table.table : table.schema + "." + table.table;
    if (!is_topic_name(topic.name)) {
        return Error(ErrorKind::invalid_config,
                     "not the name of a topic: " + topic.name + "; letters, digits, '.', '_' and '-' make one")
            .at(options.place());
    }
    topic.partitions = TRY(count_of(options, "partitions"));
    topic.replication = TRY(count_of(options, "replication"));
    for (const auto& [name, value] : options.text_map("topic_config")) topic.config[name] = value;
    if (options.has("retention")) {
        topic.config["retention.ms"] = std::to_string(options.duration("retention").count());
    }
    const std::string cleanup = options.has("cleanup")           ? options.text("cleanup")
                                : table.mode == WriteMode::merge ? "compact"
                                                                 : "";
    if (!cleanup.empty()) topic.config["cleanup.policy"] = cleanup == "both" ? "compact,delete" : cleanup;
    return topic;
}

}  // namespace

Result<SinkSettings> read_sink_settings(const TableTarget& table) {
    TRY(check_mode(table));
    const Options& options = table.options;
    SinkSettings settings;
    settings.topic = TRY(read_topic(table));
    settings.key = options.text_list("message_key");
    if (settings.key.empty() && table.mode == WriteMode::merge) settings.key = table.key;
    if (settings.key.empty() && settings.topic.config["cleanup.policy"].starts_with("compact")) {
        return options.error("cleanup", "a compacted topic needs keys; set message_key");
    }
    if (settings.topic.config["cleanup.policy"].empty()) settings.topic.config.erase("cleanup.policy");
    settings.partition_by = options.text_list("partition_by");
    settings.time = options.text("message_time");
    settings.compression = options.text("compression");
    settings.transactional = options.boolean("transactional");
    settings.tells_columns = options.boolean("tell_columns");
    return settings;
}

}  // namespace shaduf::kafka
