#include "config/via.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr std::string_view kBusType = "kafka";
constexpr std::string_view kModes[] = {"incremental", "stream"};
constexpr std::string_view kFormats[] = {"json", "avro", "protobuf"};

constexpr FieldSpec kViaFields[] = {
    {.name = "connection",
     .type = FieldType::any,
     .help = "The connection of type kafka: its name, or a map.",
     .required = true,
     .example = "bus"},
    {.name = "topic",
     .help = "The topic of each stream; {pipeline} and {stream} stand for the names.",
     .default_value = "{pipeline}.{stream}",
     .example = "raw.{stream}"},
    {.name = "mode",
     .help = "How the topics are read: incremental, up to what stands there when the run begins, or stream, for ever "
             "and by any number of processes.",
     .default_value = "incremental",
     .choices = kModes},
    {.name = "format",
     .help = "What the values of messages are; avro and protobuf need a registry.",
     .default_value = "json",
     .choices = kFormats},
    {.name = "partitions", .type = FieldType::integer, .help = "As of a table in Kafka."},
    {.name = "replication", .type = FieldType::integer, .help = "As of a table in Kafka."},
    {.name = "retention", .type = FieldType::duration, .help = "As of a table in Kafka.", .example = "7d"},
    {.name = "topic_config", .type = FieldType::text_map, .help = "As of a table in Kafka."},
    {.name = "compression", .help = "As of a table in Kafka."},
    {.name = "message_key",
     .type = FieldType::text_list,
     .help = "As of a table in Kafka; the stream's key unless given."},
    {.name = "partition_by", .type = FieldType::text_list, .help = "As of a table in Kafka."},
    {.name = "message_time", .help = "As of a table in Kafka."},
    {.name = "subject", .help = "As of a table in Kafka."},
    {.name = "record", .help = "As of a table in Kafka."},
    {.name = "group", .help = "As of a stream of Kafka."},
    {.name = "linger", .type = FieldType::duration, .help = "As of a stream of Kafka."},
    {.name = "batch_size", .type = FieldType::bytes, .help = "As of a stream of Kafka."},
    {.name = "on_lost", .help = "As of a stream of Kafka."},
    {.name = "dead_letter_topic", .help = "As of a stream of Kafka."},
};
constexpr std::string_view kWrittenKeys[] = {"partitions",  "replication", "retention",    "topic_config",
                                             "compression", "message_key", "partition_by", "message_time",
                                             "subject",     "record"};
constexpr std::string_view kReadKeys[] = {"group", "linger", "batch_size", "on_lost", "dead_letter_topic"};

// What has to look into the table, which the producer does not reach.
bool is_of_table(const ExpectConfig& expect) {
    return expect.kind == ExpectKind::unique || expect.kind == ExpectKind::relationships;
}

class Splitter {
public:
    Splitter(PipelineConfig whole, const Node& node, const ViaScope& scope)
        : whole_(std::move(whole)), node_(node), scope_(scope) {}

    std::vector<PipelineConfig> split() {
        if (!node_.is_map()) {
            fail(node_.place(), "via: expected a map such as {connection: bus}");
            return {};
        }
        const size_t errors_before = scope_.errors.size();
        add_errors(Options::create(kViaFields, node_, scope_.resolve, via_));
        const ConnectionConfig* bus = read_bus();
        if (bus == nullptr || scope_.errors.size() != errors_before) return {};
        bus_ = bus->name;
        bus_fields_ = *scope_.world.connector(bus->type);
        name_topics();
        PipelineConfig producer = half(PipelineHalf::producer);
        PipelineConfig consumer = half(PipelineHalf::consumer);
        for (size_t i = 0; i < whole_.streams.size(); ++i) {
            check(whole_.streams[i], topics_[i]);
            producer.streams.push_back(producer_stream(whole_.streams[i], topics_[i]));
            consumer.streams.push_back(consumer_stream(whole_.streams[i], topics_[i], producer.name));
        }
        return {std::move(producer), std::move(consumer)};
    }

private:
    void fail(const Place& place, std::string message) {
        scope_.errors.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }
    void add_errors(std::vector<Error> errors) {
        for (Error& error : errors) scope_.errors.push_back(std::move(error));
    }

    const ConnectionConfig* read_bus() {
        const Node& value = node_["connection"];
        if (value.is_null()) return nullptr;  // told as a missing key already
        const ConnectionConfig* bus = nullptr;
        if (value.is_map()) {
            std::vector<Node::Entry> rest;
            bus = scope_.connections.add_inline(whole_.name + ".via", value, rest);
            std::vector<std::string> known{"type"};
            const auto fields = scope_.world.connector(kBusType);
            for (const FieldSpec& field : fields ? fields->connection : std::span<const FieldSpec>()) {
                known.emplace_back(field.name);
            }
            for (const auto& entry : rest) {
                fail(entry.key_place, "unknown key: " + entry.key + did_you_mean(entry.key, known));
            }
        } else if (value.is_scalar()) {
            bus = scope_.connections.get(value.text(), value.place());
        } else {
            fail(value.place(), "connection: expected a connection's name or a map with a type");
        }
        if (bus == nullptr || bus->type == kBusType) return bus;
        fail(value.place(), "via goes by topics of Kafka: " + bus->name + " is of type " + bus->type +
                                "; name a connection of type kafka");
        return nullptr;
    }

    void name_topics() {
        const std::string wanted = via_.text("topic");
        std::set<std::string> seen;
        for (const StreamConfig& stream : whole_.streams) {
            topics_.push_back(replace_all(replace_all(wanted, "{pipeline}", whole_.name), "{stream}", stream.name));
            const std::string& topic = topics_.back();
            if (topic.find_first_of("{}") != std::string::npos) {
                return scope_.errors.push_back(via_.error("topic", "topic has a placeholder that is not known: " +
                                                                       wanted + "; write {pipeline} or {stream}"));
            }
            if (seen.insert(topic).second) continue;
            return scope_.errors.push_back(
                via_.error("topic", "two streams have one topic: " + topic + "; put {stream} into it"));
        }
    }

    static std::string replace_all(std::string text, std::string_view what, const std::string& with) {
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
            text.replace(at, what.size(), with);
        }
        return text;
    }

    // What a topic cannot carry, and what of it cannot be kept in order.
    void check(const StreamConfig& stream, const std::string& topic) {
        const std::string place = "stream " + stream.name + ": ";
        if (stream.mode == ReadMode::stream || stream.mode == ReadMode::cdc) {
            fail(stream.place, place +
                                   "a source that never ends cannot be written to topics of via; set mode: "
                                   "incremental");
        }
        switch (stream.write) {
            case WriteMode::append: break;
            case WriteMode::merge: check_order(stream); break;
            case WriteMode::replace:
                fail(stream.place, place +
                                       "a topic does not tell that a table is replaced as a whole (write: "
                                       "replace); set write: merge with a key, or mode: incremental");
                break;
            case WriteMode::history:
                fail(stream.place, place +
                                       "a topic does not tell when rows were loaded, which versions go by (write: "
                                       "history); set write: merge, or leave out via");
                break;
            case WriteMode::slices:
                fail(stream.place, place +
                                       "a topic does not tell which part of a table its rows replace (write: "
                                       "slices); set write: merge with a key, or leave out via");
                break;
        }
        check_expectations(stream);
        const bool same_system = whole_.sink == bus_;
        const std::string table = whole_.schema.empty() ? stream.table : whole_.schema + "." + stream.table;
        if (same_system && table == topic) {
            fail(stream.place, place + "the topic of via is the stream's table as well: " + topic + "; set topic");
        }
    }

    // Of two rows of a key the one behind wins: they must be in one partition.
    void check_order(const StreamConfig& stream) {
        const auto is_key = [&](std::string_view option) {
            const auto columns = via_.text_list(option);
            return !via_.has(option) || columns == stream.key;
        };
        for (const std::string_view option : {"message_key", "partition_by"}) {
            if (is_key(option)) continue;
            scope_.errors.push_back(
                via_.error(option, "rows of one key have to stay in one partition (write: merge of stream " +
                                       stream.name + "); leave out " + std::string(option)));
        }
    }

    void check_expectations(const StreamConfig& stream) {
        for (const ExpectConfig& expect : stream.expect) {
            if (!is_of_table(expect)) continue;
            for (const PolicyConfig& policy : stream.policies) {
                const bool names_it =
                    std::any_of(expect.columns.begin(), expect.columns.end(),
                                [&](const std::string& column) { return equals_ignoring_case(column, policy.column); });
                if (!names_it) continue;
                fail(expect.place, "with via, " + expect.text + " is looked at behind the topic, where column " +
                                       policy.column + " has its policy already; leave out one of the two");
            }
        }
    }

    PipelineConfig half(PipelineHalf which) const {
        PipelineConfig half = whole_;
        half.half = which;
        half.streams.clear();
        if (which == PipelineHalf::consumer) {
            half.source = bus_;
        } else {
            half.name += kProducerSuffix;
            half.sink = bus_;
            half.schema.clear();
        }
        return half;
    }

    StreamConfig producer_stream(const StreamConfig& whole, const std::string& topic) {
        StreamConfig stream = whole;
        stream.table = topic;
        stream.write = WriteMode::append;
        stream.order_by.clear();
        std::erase_if(stream.expect, is_of_table);
        std::vector<Node::Entry> entries = given(kWrittenKeys);
        if (!via_.has("message_key") && !stream.key.empty()) entries.push_back(list_of("message_key", stream.key));
        stream.key.clear();
        entries.push_back(text_of("value_format", via_.text("format")));
        entries.push_back(text_of("tell_columns", "true"));
        stream.table_options = read(bus_fields_.table, std::move(entries));
        return stream;
    }

    StreamConfig consumer_stream(const StreamConfig& whole, const std::string& topic, const std::string& producer) {
        StreamConfig stream = whole;
        stream.mode = via_.text("mode") == "stream" ? ReadMode::stream : ReadMode::incremental;
        stream.columns.clear();
        stream.ignore_unlisted = false;
        stream.policies.clear();
        std::erase_if(stream.expect, [](const ExpectConfig& expect) { return !is_of_table(expect); });
        std::vector<Node::Entry> entries = given(kReadKeys);
        entries.push_back(list_of("topics", {topic}));
        entries.push_back(text_of("format", via_.text("format")));
        entries.push_back(text_of("columns_of", producer + "/" + stream.name));
        stream.source_options = read(bus_fields_.stream, std::move(entries));
        return stream;
    }

    Options read(std::span<const FieldSpec> fields, std::vector<Node::Entry> entries) {
        Options options;
        add_errors(Options::create(fields, Node::map(std::move(entries), node_.place()), scope_.resolve, options));
        return options;
    }

    std::vector<Node::Entry> given(std::span<const std::string_view> keys) const {
        std::vector<Node::Entry> entries;
        for (const auto& entry : node_.entries()) {
            if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) entries.push_back(entry);
        }
        return entries;
    }
    Node::Entry text_of(std::string key, std::string text) const {
        return {std::move(key), node_.place(), Node::scalar(std::move(text), false, node_.place())};
    }
    Node::Entry list_of(std::string key, const std::vector<std::string>& texts) const {
        std::vector<Node> items;
        for (const std::string& text : texts) items.push_back(Node::scalar(text, true, node_.place()));
        return {std::move(key), node_.place(), Node::list(std::move(items), node_.place())};
    }

    const PipelineConfig whole_;
    const Node& node_;
    const ViaScope& scope_;
    Options via_;
    std::string bus_;
    ConnectorFields bus_fields_;
    std::vector<std::string> topics_;  // by stream
};

}  // namespace

std::vector<PipelineConfig> split_at_topics(PipelineConfig whole, const Node& via, const ViaScope& scope) {
    return Splitter(std::move(whole), via, scope).split();
}

std::span<const FieldSpec> via_fields() { return kViaFields; }

}  // namespace shaduf
