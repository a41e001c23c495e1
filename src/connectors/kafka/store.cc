#include <algorithm>
#include <map>

#include "base/time.h"
#include "connectors/kafka/checkpoint_topic.h"
#include "connectors/kafka/quarantine_topic.h"
#include "connectors/kafka/sink.h"
#include "connectors/kafka/topic_reader.h"
#include "data/builder.h"
#include "data/ndjson.h"
#include "data/row_decoder.h"

// What stands beside the topics that are written: checkpoints and quarantine.
namespace shaduf::kafka {
namespace {

Shape quarantine_shape() {
    Shape shape;
    for (const auto& field : quarantine_schema()->fields()) {
        shape.columns.push_back({field.name, field.type, {field.name}, true});
    }
    return shape;
}

bool selects(const QuarantineFilter& filter, const RecordBatch& rows, size_t row) {
    const auto text = [&](std::string_view name) { return rows.column(*rows.schema()->index_of(name)).text_at(row); };
    if (!filter.pipeline.empty() && filter.pipeline != text("pipeline")) return false;
    if (!filter.stream.empty() && filter.stream != text("stream")) return false;
    return filter.ids.empty() || std::find(filter.ids.begin(), filter.ids.end(), text("id")) != filter.ids.end();
}

class KafkaStore final : public Store, public CheckpointStore, public QuarantineStore {
public:
    explicit KafkaStore(Connection connection) : connection_(std::move(connection)) {}

    CheckpointStore* checkpoints() override { return this; }
    QuarantineStore* quarantine() override { return this; }

    Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) override {
        std::vector<CheckpointEntry> entries;
        for (const auto& record : TRY(read_standing(run, connection_, Absence::is_empty))) {
            if (!record.checkpoint) continue;
            entries.push_back({record.pipeline, record.stream, *record.checkpoint, record.committed_at});
        }
        return entries;
    }

    // A run of the stream that goes on meanwhile loses its next commit by `conflict`: the transactional id is taken
    // from it.
    Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                const std::optional<Checkpoint>& checkpoint) override {
        KafkaProperties properties = connection_.properties;
        properties["transactional.id"] = transactional_id(pipeline, stream);
        const KafkaTopicSpec topics[] = {checkpoint_topic()};
        const auto created =
            TRY(create_kafka_topics(connection_.properties, topics, run.cancellation, connection_.tokens(run)));
        auto producer = TRY(KafkaProducer::create(properties, run.cancellation, connection_.tokens(run)));
        TRY(producer->init_transactions());
        StandingRecord standing{pipeline, stream, std::nullopt, std::nullopt, ""};
        for (auto& record :
             TRY(read_standing(run, connection_, created.empty() ? Absence::is_trouble : Absence::is_empty))) {
            if (record.key() == standing.key()) standing = std::move(record);
        }
        standing.checkpoint = checkpoint;
        standing.committed_at = format_timestamp(run.clock.now());
        TRY(producer->begin_transaction());
        const std::string key = standing.key();
        const std::string value = standing.to_json();
        TRY(producer->send(std::string(kCheckpointTopic), {.partition = 0, .key = key, .value = value}));
        return producer->commit_transaction();
    }

    Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        const RecordBatch rows = TRY(read_rows(run));
        std::vector<uint32_t> found;
        for (size_t row = 0; row < rows.rows(); ++row) {
            if (filter.limit > 0 && found.size() >= static_cast<size_t>(filter.limit)) break;
            if (selects(filter, rows, row)) found.push_back(static_cast<uint32_t>(row));
        }
        return rows.take(found);
    }

    Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        const RecordBatch rows = TRY(read_quarantine(run, filter));
        if (rows.rows() == 0) return 0;
        auto producer = TRY(KafkaProducer::create(connection_.properties, run.cancellation, connection_.tokens(run)));
        const Column& ids = rows.column(*rows.schema()->index_of("id"));
        for (size_t row = 0; row < rows.rows(); ++row) {
            TRY(producer->send(std::string(kQuarantineTable), {.key = ids.text_at(row)}));
        }
        TRY(producer->flush());
        return static_cast<int64_t>(rows.rows());
    }

private:
    // The last of each id, in the order of the ids' first sight.
    Result<RecordBatch> read_rows(RunContext& run) {
        std::map<std::string, size_t, std::less<>> numbers;
        std::vector<std::string> texts;
        const auto keep = [&](const KafkaMessage& message) -> Result<void> {
            const auto [at, added] = numbers.emplace(message.key.value_or(""), texts.size());
            if (added) texts.emplace_back();
            texts[at->second] = message.value.value_or("");
            return {};
        };
        TRY(read_whole_topic(run, connection_, std::string(kQuarantineTable), Absence::is_empty, keep));
        NdjsonSplitter lines{std::string(kQuarantineTable)};
        for (const auto& text : texts) {
            if (text.empty()) continue;  // purged
            lines.input().append(text);
            lines.input().append("\n");
        }
        Decoded decoded = RowDecoder::create(RawFormat::json, quarantine_shape())->decode(lines.finish());
        if (!decoded.rejected.empty()) return decoded.rejected.front().why;
        return std::move(decoded.rows);
    }

    const Connection connection_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string&) {
    return std::make_unique<KafkaStore>(TRY(read_connection(options)));
}

}  // namespace shaduf::kafka
