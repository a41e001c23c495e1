#include "connectors/kafka/sink.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "base/time.h"
#include "connectors/kafka/checkpoint_topic.h"
#include "connectors/kafka/encoder.h"
#include "connectors/kafka/quarantine_topic.h"
#include "connectors/kafka/registry_encoder.h"
#include "connectors/kafka/sink_settings.h"

// Rows to a topic. The rows, what was turned away and the stream's checkpoint are one transaction; opening takes the
// transactional id from whoever had it, which ends what that one had begun and refuses its next commit. Readers with
// isolation.level read_committed see all of a commit or nothing.
namespace shaduf::kafka {
namespace {

bool is_of_shaduf(std::string_view name) { return name == kLoadedAtColumn || name == kRunIdColumn; }

class KafkaSink final : public Sink {
public:
    KafkaSink(Connection connection, SinkSettings settings, const TableTarget& target, std::unique_ptr<Encoder> encoder)
        : connection_(std::move(connection)),
          settings_(std::move(settings)),
          standing_{target.pipeline, target.stream, std::nullopt, std::nullopt, ""},
          encoder_(std::move(encoder)),
          key_(settings_.key),
          partition_key_(settings_.partition_by) {}

    Result<SinkState> open(RunContext& run) override {
        const KafkaTopicSpec checkpoints[] = {checkpoint_topic()};
        const auto created =
            TRY(create_kafka_topics(connection_.properties, checkpoints, run.cancellation, connection_.tokens(run)));
        KafkaProperties properties = connection_.properties;
        properties.emplace("compression.type", settings_.compression);
        if (settings_.transactional) {
            properties["transactional.id"] = transactional_id(standing_.pipeline, standing_.stream);
        }
        producer_ = TRY(KafkaProducer::create(properties, run.cancellation, connection_.tokens(run)));
        if (settings_.transactional) TRY(producer_->init_transactions());
        for (auto& record :
             TRY(read_standing(run, connection_, created.empty() ? Absence::is_trouble : Absence::is_empty))) {
            if (record.key() == standing_.key()) {
                record.join_columns(std::exchange(standing_, {}));
                standing_ = std::move(record);
            } else if (settings_.tells_columns && record.writes_for(standing_.key())) {
                standing_.join_columns(record);
            }
        }
        // Who reads it waits for no first row.
        if (settings_.tells_columns) TRY(make_topic(run));
        return SinkState{standing_.checkpoint, standing_.table};
    }

    Result<void> prepare(RunContext& run, const SchemaPtr& schema) override {
        TRY(make_topic(run));
        std::vector<Field> fields;
        columns_.clear();
        for (size_t i = 0; i < schema->size(); ++i) {
            if (is_of_shaduf((*schema)[i].name)) continue;  // what a load is says nothing to a reader of messages
            columns_.push_back(i);
            fields.push_back((*schema)[i]);
        }
        schema_ = std::make_shared<const Schema>(std::move(fields));
        TRY(key_.prepare(*schema_, "message_key"));
        TRY(partition_key_.prepare(*schema_, "partition_by"));
        TRY(find_time());
        if (settings_.tells_columns) {
            mark_ = mark_of(*schema_);
            auto& marks = standing_.marks;
            if (std::find(marks.begin(), marks.end(), mark_) == marks.end()) marks.push_back(mark_);
        }
        return encoder_->prepare(run, schema_);
    }

    Result<WriteReport> write(RunContext&, const RecordBatch& rows) override {
        TRY(begin());
        std::vector<Column> columns;
        for (const size_t i : columns_) columns.push_back(rows.column(i));
        const RecordBatch kept(schema_, std::move(columns), rows.rows());
        WriteReport report;
        for (size_t row = 0; row < kept.rows(); ++row) {
            auto sent = send(kept, row);
            if (sent.ok()) {
                ++report.rows_written;
            } else if (sent.error().kind() == ErrorKind::too_large || sent.error().kind() == ErrorKind::bad_data) {
                report.rejected.push_back({row, sent.release_error()});
            } else {
                return sent.release_error();
            }
        }
        return report;
    }

    Result<void> quarantine(RunContext& run, const RecordBatch& rows) override {
        if (!quarantine_exists_) {
            const KafkaTopicSpec topics[] = {quarantine_topic()};
            TRY(create_kafka_topics(connection_.properties, topics, run.cancellation, connection_.tokens(run)));
            quarantine_exists_ = true;
        }
        TRY(begin());
        return send_quarantined(*producer_, rows);
    }

    Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind) override {
        TRY(begin());
        TRY(failpoint("kafka.commit.before"));
        standing_.checkpoint = checkpoint;
        if (schema_ != nullptr) standing_.table = *schema_;
        standing_.committed_at = format_timestamp(run.clock.now());
        // Without transactions the checkpoint must not be there before the rows are.
        if (!settings_.transactional) TRY(producer_->flush());
        const std::string key = standing_.key();
        const std::string value = standing_.to_json();
        TRY(producer_->send(std::string(kCheckpointTopic), {.partition = 0, .key = key, .value = value}));
        if (!settings_.transactional) return producer_->flush();
        TRY(producer_->commit_transaction());
        in_transaction_ = false;
        return failpoint("kafka.commit.after");
    }

private:
    Result<void> make_topic(RunContext& run) {
        if (topic_exists_) return {};
        const KafkaTopicSpec topics[] = {settings_.topic};
        TRY(create_kafka_topics(connection_.properties, topics, run.cancellation, connection_.tokens(run)));
        topic_exists_ = true;
        return {};
    }

    Result<void> begin() {
        if (!settings_.transactional || in_transaction_) return {};
        TRY(producer_->begin_transaction());
        in_transaction_ = true;
        return {};
    }

    Result<void> find_time() {
        time_column_.reset();
        if (settings_.time.empty()) return {};
        time_column_ = schema_->index_of(settings_.time);
        if (!time_column_) {
            return Error(ErrorKind::invalid_config,
                         "stream has no such column: " + settings_.time + "; check message_time of the table");
        }
        const auto kind = (*schema_)[*time_column_].type.kind();
        if (kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz) return {};
        return Error(ErrorKind::invalid_config, "column is no timestamp: " + settings_.time +
                                                    "; set its type under columns, or leave out message_time");
    }

    Result<void> send(const RecordBatch& rows, size_t row) {
        value_.clear();
        TRY(encoder_->encode(rows, row, value_));
        KafkaRecord record{.value = value_};
        if (settings_.tells_columns) record.headers = {{kColumnsHeader, mark_}};
        if (key_.is_used()) record.key = key_.of(rows, row);
        if (partition_key_.is_used()) record.partition_key = partition_key_.of(rows, row);
        if (time_column_ && !rows.column(*time_column_).is_null(row)) {
            record.timestamp_ms = rows.column(*time_column_).int64_at(row) / 1000;  // of microseconds
        }
        return producer_->send(settings_.topic.name, record);
    }

    const Connection connection_;
    const SinkSettings settings_;
    StandingRecord standing_;
    std::unique_ptr<Encoder> encoder_;
    KeyText key_;
    KeyText partition_key_;
    std::unique_ptr<KafkaProducer> producer_;
    bool topic_exists_ = false;
    bool quarantine_exists_ = false;
    bool in_transaction_ = false;
    SchemaPtr schema_;             // of the messages
    std::vector<size_t> columns_;  // of the rows, that are in it
    std::optional<size_t> time_column_;
    std::string value_;
    std::string mark_;  // of `schema_`
};

Result<std::unique_ptr<Encoder>> make_encoder(const Options& options, const TableTarget& table,
                                              const std::string& topic) {
    const std::string format = table.options.text("value_format");
    if (format == "json") return make_json_encoder();
    RegistryEncoderSettings settings;
    settings.registry = TRY(SchemaRegistry::from_options(options, table.connection));
    settings.topic = topic;
    settings.record = table.options.text("record");
    const std::string subject = table.options.text("subject");
    if (subject == "record") settings.strategy = SubjectStrategy::record;
    if (subject == "topic_record") settings.strategy = SubjectStrategy::topic_record;
    if (settings.registry == nullptr) {
        return table.options.error(
            "value_format", "format needs a schema registry: " + format + "; set registry_url of the connection");
    }
    return format == "avro" ? make_avro_encoder(std::move(settings)) : make_protobuf_encoder(std::move(settings));
}

}  // namespace

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table) {
    SinkSettings settings = TRY(read_sink_settings(table));
    auto encoder = TRY(make_encoder(options, table, settings.topic.name));
    return std::make_unique<KafkaSink>(TRY(read_connection(options)), std::move(settings), table, std::move(encoder));
}

}  // namespace shaduf::kafka
