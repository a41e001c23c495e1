#include "cli/frame/kafka_connect_sinks.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/frame/kafka_connect.h"

namespace shaduf::connect {
namespace {

constexpr int64_t kCommitEveryMs = 60'000;

std::string last_part(const std::string& class_name) {
    const auto dot = class_name.rfind('.');
    return dot == class_name.npos ? class_name : class_name.substr(dot + 1);
}

std::string list_of(const std::vector<std::string>& items) {
    std::vector<std::string> texts;
    for (const auto& item : items) texts.push_back(in_quotes(item));
    return "[" + join(texts, ", ") + "]";
}

std::string variable(Draft& draft, const std::string& name) {
    if (std::find(draft.variables.begin(), draft.variables.end(), name) == draft.variables.end()) {
        draft.variables.push_back(name);
    }
    return "\"${env:" + name + "}\"";
}

void set_all(Draft& draft, const std::string& name, const std::string& value) {
    for (auto& stream : draft.streams) stream.options.emplace_back(name, value);
}

void read_registry(std::map<std::string, std::string> converter, Draft& draft) {
    if (converter.contains("schema.registry.url")) {
        draft.source.emplace_back("registry_url", in_quotes(converter["schema.registry.url"]));
    }
    if (converter.contains("basic.auth.user.info") || converter.contains("schema.registry.basic.auth.user.info")) {
        draft.source.emplace_back("registry_username", variable(draft, "REGISTRY_USERNAME"));
        draft.source.emplace_back("registry_password", variable(draft, "REGISTRY_PASSWORD"));
    }
}

std::string format_of(const std::string& converter, bool schemas_enabled, Draft& draft) {
    if (converter.empty()) {
        draft.notes.emplace_back(
            "value.converter: the worker's default is not in the connector's configuration; json is "
            "taken, set format where it is another");
        return "json";
    }
    if (converter == "AvroConverter") return "avro";
    if (converter == "ProtobufConverter") return "protobuf";
    if (converter == "StringConverter") return "text";
    if (converter == "ByteArrayConverter") return "raw";
    if (converter == "JsonConverter") return schemas_enabled ? "json_schema" : "json";
    if (converter != "JsonSchemaConverter") {
        draft.notes.push_back("value.converter: " + converter + " is not known here; json is taken");
    }
    return "json";
}

// What the consumer of the connector was told besides the worker's own settings.
void read_consumer(ConnectProperties& properties, Draft& draft) {
    auto consumer = properties.take_all("consumer.override.");
    const auto take = [&](const char* name) {
        auto found = consumer.extract(name);
        return found.empty() ? std::string() : found.mapped();
    };
    const std::string brokers = take("bootstrap.servers");
    draft.source.emplace_back("brokers", brokers.empty() ? variable(draft, "KAFKA") : in_quotes(brokers));
    if (const auto security = take("security.protocol"); !security.empty()) {
        draft.source.emplace_back("security", to_lower(security));
    }
    if (const auto mechanism = take("sasl.mechanism"); !mechanism.empty()) {
        std::string name = to_lower(mechanism);
        std::replace(name.begin(), name.end(), '-', '_');
        draft.source.emplace_back("mechanism", name);
    }
    if (!take("sasl.jaas.config").empty()) {
        draft.source.emplace_back("username", variable(draft, "KAFKA_USERNAME"));
        draft.source.emplace_back("password", variable(draft, "KAFKA_PASSWORD"));
    }
    if (const auto group = take("group.id"); !group.empty()) set_all(draft, "group", in_quotes(group));
    if (const auto start = take("auto.offset.reset"); start == "latest") set_all(draft, "start", "latest");
    if (const auto isolation = take("isolation.level"); !isolation.empty()) set_all(draft, "isolation", isolation);
    for (const auto& [name, value] : consumer) {
        draft.notes.push_back("consumer.override." + name +
                              ": what librdkafka calls it goes under properties of the connection");
    }
}

std::optional<int64_t> positive(const std::string& text) {
    int64_t number = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
    if (done.ec != std::errc{} || number <= 0) return std::nullopt;
    return number;
}

// Options of a table, gathered into one flow map.
class TableOptions {
public:
    void set(const std::string& name, const std::string& value) { parts_.push_back(name + ": " + value); }
    std::string yaml() const { return "{" + join(parts_, ", ") + "}"; }

private:
    std::vector<std::string> parts_;
};

// The folders of dates, and the column that they are of.
std::vector<std::string> time_levels(const std::string& partitioner, const std::string& path_format,
                                     const std::string& column) {
    const bool hourly = partitioner == "HourlyPartitioner" || path_format.find("HH") != path_format.npos;
    const bool daily = hourly || partitioner == "DailyPartitioner" || path_format.find("dd") != path_format.npos;
    const bool monthly = daily || path_format.find("MM") != path_format.npos;
    std::vector<std::string> levels{"year(" + column + ")"};
    if (monthly) levels.push_back("month(" + column + ")");
    if (daily) levels.push_back("day(" + column + ")");
    if (hourly) levels.push_back("hour(" + column + ")");
    return levels;
}

struct Partitioning {
    std::vector<std::string> levels;
    std::vector<std::string> metadata;
};

Partitioning read_partitioner(ConnectProperties& properties, Draft& draft) {
    const std::string partitioner = last_part(properties.take("partitioner.class", "DefaultPartitioner"));
    const std::vector<std::string> fields = properties.take_list("partition.field.name");
    const std::string format = properties.take("path.format");
    const std::string extractor = last_part(properties.take("timestamp.extractor", "Wallclock"));
    const std::string field = properties.take("timestamp.field", "timestamp");
    const std::string timezone = properties.take("timezone", "UTC");
    if (partitioner == "DefaultPartitioner") return {{"_kafka_partition"}, {"partition"}};
    if (partitioner == "FieldPartitioner") return {fields, {}};
    const bool timed = partitioner == "TimeBasedPartitioner" || partitioner == "DailyPartitioner" ||
                       partitioner == "HourlyPartitioner";
    if (!timed) {
        draft.notes.push_back("partitioner.class: " + partitioner +
                              " is not known here; set partition_by of the table");
        return {};
    }
    if (timezone != "UTC" && timezone != "Etc/UTC") {
        draft.notes.push_back("timezone: folders are of days in UTC, not in " + timezone);
    }
    if (extractor.starts_with("RecordField")) return {time_levels(partitioner, format, field), {}};
    if (extractor.starts_with("Wallclock")) {
        draft.notes.emplace_back(
            "timestamp.extractor: Wallclock would give a message another folder when it is read "
            "again; the message's own time is taken");
    }
    return {time_levels(partitioner, format, "_kafka_timestamp"), {"timestamp"}};
}

std::string written_format(const std::string& format_class, Draft& draft) {
    if (format_class == "JsonFormat") return "ndjson";
    if (format_class != "ParquetFormat") {
        draft.notes.push_back("format.class: " + (format_class.empty() ? "none" : format_class) +
                              " is not written; files are Parquet");
    }
    return "parquet";
}

void read_nulls(ConnectProperties& properties, Draft& draft) {
    const std::string nulls = properties.take("behavior.on.null.values", "fail");
    properties.take("report.null.values.to.dlq");
    properties.take("tombstone.encoded.partition");
    if (nulls == "ignore") set_all(draft, "tombstones", "skip");
    if (nulls == "write") set_all(draft, "tombstones", "row");
    if (nulls == "fail") {
        draft.notes.emplace_back(
            "behavior.on.null.values: a message without a value goes to quarantine, it stops nothing");
    }
}

void read_bucket(ConnectProperties& properties, Draft& draft) {
    auto& sink = draft.sink;
    sink.emplace_back("type", "files");
    sink.emplace_back(
        "path", in_quotes("s3://" + properties.take("s3.bucket.name") + "/" + properties.take("topics.dir", "topics")));
    if (const auto url = properties.take("store.url"); !url.empty()) sink.emplace_back("endpoint", in_quotes(url));
    sink.emplace_back("region", in_quotes(properties.take("s3.region", "us-west-2")));
    properties.take("aws.access.key.id");
    properties.take("aws.secret.access.key");
    sink.emplace_back("access_key", variable(draft, "AWS_ACCESS_KEY_ID"));
    sink.emplace_back("secret_key", variable(draft, "AWS_SECRET_ACCESS_KEY"));
    if (!properties.take_flag("s3.path.style.access.enabled", true)) sink.emplace_back("addressing", "virtual_host");
    const std::string encryption = properties.take("s3.ssea.name");
    const std::string key = properties.take("s3.sse.kms.key.id");
    if (!encryption.empty())
        sink.emplace_back("encryption", in_quotes(key.empty() ? encryption : encryption + ":" + key));
}

int64_t commit_every(ConnectProperties& properties) {
    const auto by_record = positive(properties.take("rotate.interval.ms"));
    const auto by_clock = positive(properties.take("rotate.schedule.interval.ms"));
    if (!by_record && !by_clock) return kCommitEveryMs;
    return std::min(by_record.value_or(INT64_MAX), by_clock.value_or(INT64_MAX));
}

std::string table_of(const std::string& topic) {
    std::string name = topic;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    return name;
}

}  // namespace

std::string in_quotes(const std::string& text) { return nlohmann::json(text).dump(); }

Result<void> read_source(ConnectProperties& properties, Draft& draft) {
    for (const auto& topic : properties.take_list("topics")) {
        draft.streams.push_back({topic, {{"topics", list_of({topic})}, {"mode", "stream"}}});
    }
    if (const auto pattern = properties.take("topics.regex"); !pattern.empty()) {
        const std::string whole = pattern.starts_with('^') ? pattern : "^" + pattern;
        draft.streams.push_back({"topics", {{"topics", list_of({whole})}, {"mode", "stream"}}});
        draft.notes.emplace_back("topics.regex: all its topics go into one table; list them to have one each");
    }
    if (draft.streams.empty()) {
        return Error(ErrorKind::invalid_config, "connector has no topics: set topics or topics.regex");
    }
    read_consumer(properties, draft);
    const std::string converter = last_part(properties.take("value.converter"));
    const auto settings = properties.take_all("value.converter.");
    const auto schemas = settings.find("schemas.enable");
    set_all(draft, "format", format_of(converter, schemas == settings.end() || schemas->second != "false", draft));
    read_registry(settings, draft);
    if (const auto topic = properties.take("errors.deadletterqueue.topic.name"); !topic.empty()) {
        set_all(draft, "dead_letter_topic", in_quotes(topic));
    }
    if (properties.take("errors.tolerance", "none") == "none") {
        draft.notes.emplace_back(
            "errors.tolerance: what cannot be read goes to quarantine; expect with a threshold to "
            "stop at it");
    }
    return {};
}

void read_s3(ConnectProperties& properties, Draft& draft) {
    read_bucket(properties, draft);
    read_nulls(properties, draft);
    Partitioning partitioning = read_partitioner(properties, draft);
    if (properties.take_flag("store.kafka.keys", false)) partitioning.metadata.emplace_back("key");
    if (properties.take_flag("store.kafka.headers", false)) partitioning.metadata.emplace_back("headers");
    properties.take_all("keys.format.class");
    properties.take_all("headers.format.class");
    const std::string format = written_format(last_part(properties.take("format.class")), draft);
    const std::string every = std::to_string(commit_every(properties)) + "ms";
    for (auto& stream : draft.streams) {
        if (!partitioning.metadata.empty()) stream.options.emplace_back("metadata", list_of(partitioning.metadata));
        stream.options.emplace_back("commit_every", every);
        TableOptions table;
        table.set("name", in_quotes(stream.name));
        table.set("format", format);
        if (!partitioning.levels.empty()) table.set("partition_by", list_of(partitioning.levels));
        stream.options.emplace_back("table", table.yaml());
    }
}

void read_bigquery(ConnectProperties& properties, Draft& draft) {
    std::map<std::string, std::string> tables;
    for (const auto& pair : properties.take_list("topic2TableMap")) {
        const auto colon = pair.find(':');
        if (colon != pair.npos) tables[pair.substr(0, colon)] = pair.substr(colon + 1);
    }
    draft.schema = properties.take("defaultDataset");
    const bool merges = properties.take_flag("upsertEnabled", false);
    const std::string key = properties.take("kafkaKeyFieldName");
    const bool evolves = properties.take_flag("allowNewBigQueryFields", false);
    if (const auto field = properties.take("kafkaDataFieldName"); !field.empty()) {
        draft.notes.push_back("kafkaDataFieldName: set metadata of the stream for what " + field + " had");
    }
    if (merges && key.empty()) {
        draft.notes.emplace_back("upsertEnabled: set key of each stream to the columns of the message's key");
    }
    for (auto& stream : draft.streams) {
        const auto table = tables.find(stream.name);
        if (!key.empty()) stream.options.emplace_back("metadata", "[\"key\"]");
        if (merges && !key.empty()) {
            stream.options.emplace_back("write", "merge");
            stream.options.emplace_back("key", "[_kafka_key]");
        }
        stream.options.emplace_back("contract", evolves ? "evolve" : "freeze");
        stream.options.emplace_back("table", in_quotes(table == tables.end() ? table_of(stream.name) : table->second));
    }
}

}  // namespace shaduf::connect
