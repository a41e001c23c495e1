#include "pipeline/replay.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.h"
#include "pipeline/job_factory.h"
#include "pipeline/lease.h"

namespace shaduf {
namespace {

constexpr std::string_view kReplaySuffix = "~replay";
constexpr std::string_view kUnknownPlace = "quarantine";
constexpr int64_t kRowsMax = 100'000;  // at once; a larger quarantine is replayed in several calls

Checkpoint checkpoint_of(const std::set<std::string>& ids) { return Checkpoint(nlohmann::json(ids).dump()); }

Result<std::set<std::string>> ids_of(const Checkpoint& checkpoint) {
    try {
        return nlohmann::json::parse(checkpoint.value()).get<std::set<std::string>>();
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data, std::string("checkpoint of a replay is broken: ") + broken.what());
    }
}

struct Position {
    std::string place;
    int64_t number;
};

// "in/a.csv:3". Rows that came typed, in batches, have no number: they are counted as they stand here.
Position parse_position(std::string_view text, size_t row) {
    const auto colon = text.rfind(':');
    const std::string_view digits = text.substr(colon == text.npos ? text.size() : colon + 1);
    int64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
        return {std::string(kUnknownPlace), static_cast<int64_t>(row) + 1};
    }
    return {std::string(text.substr(0, colon)), number};
}

// Rows of the quarantine table as raw rows, one batch a place, so that what is rejected again keeps its position and
// CSV is read by the header of its file. `origin` is the source that they first came from.
class QuarantineSource final : public Source {
public:
    QuarantineSource(RecordBatch rows, std::optional<std::string> text, std::unique_ptr<Source> origin)
        : rows_(std::move(rows)), text_(std::move(text)), origin_(std::move(origin)) {}

    Result<void> open(RunContext&, const std::optional<Checkpoint>& resume_from) override {
        if (resume_from) loaded_ = TRY(ids_of(*resume_from));
        const Column& id = rows_.column(*rows_.schema()->index_of("id"));
        const Column& position = rows_.column(*rows_.schema()->index_of("position"));
        waiting_.clear();
        ids_ = loaded_;
        for (size_t row = 0; row < rows_.rows(); ++row) {
            if (!ids_.insert(std::string(id.text_at(row))).second) continue;
            const Position at = parse_position(position.text_at(row), row);
            waiting_[at.place].push_back({row, at.number});
        }
        return {};
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (!waiting_.empty()) {
            RawRows rows = TRY(rows_of(run, waiting_.begin()->first, waiting_.begin()->second));
            waiting_.erase(waiting_.begin());
            const std::string place = rows.place;
            return std::optional<ReadBatch>(ReadBatch{std::move(rows), std::nullopt, place});
        }
        if (std::exchange(done_, true)) return std::optional<ReadBatch>();
        return std::optional<ReadBatch>(ReadBatch{RawRows{}, checkpoint_of(ids_), std::string(kUnknownPlace)});
    }

private:
    struct Waiting {
        size_t row;
        int64_t number;
    };

    Result<RawRows> rows_of(RunContext& run, const std::string& place, const std::vector<Waiting>& waiting) const {
        const Column& raw = rows_.column(*rows_.schema()->index_of("raw"));
        RawRows out;
        out.place = place;
        out.csv = TRY(dialect_of(run, place));
        if (out.csv != nullptr) out.format = RawFormat::csv;
        BufferBuilder text;
        for (const auto& [row, number] : waiting) {
            const std::string_view now = text_ ? std::string_view(*text_) : raw.text_at(row);
            out.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(now.size())});
            out.row_numbers.push_back(number);
            text.append(now);
            text.append("\n");
        }
        out.text = text.finish();
        return out;
    }

    // A mended row may be given as JSON whatever it was.
    Result<std::shared_ptr<const CsvDialect>> dialect_of(RunContext& run, const std::string& place) const {
        const bool is_json = text_ && trim(*text_).starts_with('{');
        auto* reader = dynamic_cast<RawTextReader*>(origin_.get());
        if (is_json || place == kUnknownPlace || reader == nullptr) return std::shared_ptr<const CsvDialect>();
        return reader->dialect_of(run, place);
    }

    const RecordBatch rows_;
    const std::optional<std::string> text_;
    const std::unique_ptr<Source> origin_;
    std::set<std::string> loaded_;
    std::set<std::string> ids_;
    std::map<std::string, std::vector<Waiting>> waiting_;  // by place
    bool done_ = false;
};

Result<const StreamConfig*> find_stream(const PipelineConfig& pipeline, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& stream : pipeline.streams) {
        if (stream.name == name) return &stream;
        names.push_back(stream.name);
    }
    return Error(ErrorKind::invalid_config, "stream not found: " + name + did_you_mean(name, names)).at(pipeline.place);
}

std::vector<std::pair<std::string, Options>> siblings_of(const PipelineConfig& pipeline) {
    std::vector<std::pair<std::string, Options>> streams;
    for (const auto& stream : pipeline.streams) streams.emplace_back(stream.name, stream.source_options);
    return streams;
}

}  // namespace

Result<StreamResult> replay_quarantine(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                       const Registry<ConnectorSpec>& connectors, const ReplayOptions& options) {
    if (options.text && options.ids.size() != 1) {
        return Error(ErrorKind::invalid_config, "a mended row replaces one: give its --id");
    }
    const StreamConfig& stream = *TRY(find_stream(pipeline, options.stream));
    const Side sink = TRY(find_sink(project, connectors, pipeline.sink));
    const Lease lease = TRY(Lease::take(project.folder + "/.shaduf/locks", pipeline.name));
    std::unique_ptr<Store> store;
    if (sink.spec->make_store != nullptr) store = TRY(sink.spec->make_store(sink.connection->options, pipeline.sink));
    if (store == nullptr || store->quarantine() == nullptr || store->checkpoints() == nullptr) {
        return Error(ErrorKind::invalid_config, "sink keeps no quarantine that can be replayed: " + pipeline.sink);
    }
    QuarantineFilter filter{pipeline.name, stream.name, options.ids, kRowsMax};
    RecordBatch rows = TRY(store->quarantine()->read_quarantine(run, filter));
    if (rows.rows() == 0 && !options.ids.empty()) {
        return Error(ErrorKind::invalid_config, "row not found in the quarantine: " + options.ids.front() +
                                                    "; see shaduf quarantine ls " + pipeline.name);
    }
    const Column id = rows.column(*rows.schema()->index_of("id"));

    const bool merges = stream.write == WriteMode::merge || stream.write == WriteMode::history;
    JobRequest request{.pipeline = pipeline,
                       .stream = stream,
                       .sink = sink,
                       .run_id = make_run_id(run.clock),
                       .policy_key = project.policy_key,
                       .checkpoint_name = stream.name + std::string(kReplaySuffix),
                       .write = merges ? stream.write : WriteMode::append};
    StreamJob job = TRY(make_job(request));
    job.read = ReadMode::incremental;
    const Side source = TRY(find_source(project, connectors, pipeline.source));
    const StreamRequest wanted{pipeline.source, stream.name, stream.mode, stream.source_options, siblings_of(pipeline)};
    auto origin = TRY(source.spec->make_source(source.connection->options, wanted));
    job.source = std::make_unique<QuarantineSource>(std::move(rows), options.text, std::move(origin));
    ByteBudget budget(MemoryShares::of(pipeline.memory_bytes).in_flight);
    StreamResult result = run_stream(run, std::move(job), budget);
    if (result.error) return result;

    filter.ids.clear();
    for (size_t row = 0; row < id.length; ++row) filter.ids.emplace_back(id.text_at(row));
    if (!filter.ids.empty()) TRY(store->quarantine()->purge_quarantine(run, filter));
    TRY(store->checkpoints()->set_checkpoint(run, pipeline.name, request.checkpoint_name, std::nullopt));
    return result;
}

}  // namespace shaduf
