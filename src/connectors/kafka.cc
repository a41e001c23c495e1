#include "connectors/connector.h"
#include "connectors/join_fields.h"
#include "connectors/kafka/decoder_fields.h"
#include "connectors/kafka/settings.h"
#include "connectors/kafka/sink.h"
#include "connectors/kafka/sink_settings.h"
#include "connectors/kafka/source.h"
#include "connectors/kafka/source_fields.h"

// Apache Kafka and what speaks its protocol. The parts stand in connectors/kafka/. Of the source: source, gathering
// (messages into batches), positions (where partitions stand and begin), topics, lag; decoder and what is behind it
// makes rows of messages. Of the sink: sink_settings, encoder, checkpoint_topic, quarantine_topic,
// topic_reader, store. Of both: settings, token, schema_registry.
namespace shaduf {
namespace {

StreamDefaults stream_defaults(std::string_view, const Options&) {
    return {ReadMode::incremental, WriteMode::append, {}, ""};
}

bool is_shared(const StreamRequest& stream) { return stream.mode == ReadMode::stream; }

Result<void> check(RunContext& run, const std::string&, const Options& options) {
    return kafka::check_kafka(run, TRY(kafka::read_connection(options)));
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    return kafka::discover_kafka(run, TRY(kafka::read_connection(options)));
}

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream) {
    return kafka::make_kafka_source(TRY(kafka::read_connection(options)), TRY(kafka::read_stream(options, stream)));
}

constexpr auto kFields = join_fields(kafka::kConnectionFields, kafka::kRegistryFields);
constexpr auto kStreamFields = join_fields(kafka::kSourceFields, kafka::kDecoderStreamFields);

}  // namespace

extern const ConnectorSpec connector_kafka{
    .name = "kafka",
    .summary =
        "Topics of Apache Kafka: bounded loads, and streams that any number of processes share; written in "
        "transactions.",
    .fields = kFields,
    .stream_fields = kStreamFields,
    .table_fields = kafka::kTableFields,
    .stream_defaults = stream_defaults,
    .is_shared = is_shared,
    .check = check,
    .discover = discover,
    .make_source = make_source,
    .make_sink = kafka::make_sink,
    .make_store = kafka::make_store,
};

}  // namespace shaduf
