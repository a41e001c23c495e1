#include "pipeline/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "pipeline/job_factory.h"
#include "pipeline/lease.h"

namespace shaduf {
namespace {

constexpr std::string_view kReplaySuffix = "~replay";
constexpr int64_t kRowsMax = 100'000;  // at once; a larger quarantine is replayed in several calls

Checkpoint checkpoint_of(const std::set<std::string>& ids) { return Checkpoint(nlohmann::json(ids).dump()); }

Result<std::set<std::string>> ids_of(const Checkpoint& checkpoint) {
    try {
        return nlohmann::json::parse(checkpoint.value()).get<std::set<std::string>>();
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data, std::string("checkpoint of a replay is broken: ") + broken.what());
    }
}

// Rows of the quarantine table as raw rows, in one batch.
class QuarantineSource final : public Source {
public:
    explicit QuarantineSource(RecordBatch rows, std::optional<std::string> text)
        : rows_(std::move(rows)), text_(std::move(text)) {}

    Result<void> open(RunContext&, const std::optional<Checkpoint>& resume_from) override {
        if (resume_from) loaded_ = TRY(ids_of(*resume_from));
        return {};
    }

    Result<std::optional<ReadBatch>> read(RunContext&) override {
        if (done_) return std::optional<ReadBatch>();
        done_ = true;
        const Column& id = rows_.column(*rows_.schema()->index_of("id"));
        const Column& raw = rows_.column(*rows_.schema()->index_of("raw"));
        RawRows out;
        BufferBuilder text;
        std::set<std::string> ids = loaded_;
        for (size_t row = 0; row < rows_.rows(); ++row) {
            if (!ids.insert(std::string(id.text_at(row))).second) continue;
            const std::string_view now = text_ ? std::string_view(*text_) : raw.text_at(row);
            out.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(now.size())});
            text.append(now);
            text.append("\n");
        }
        out.text = text.finish();
        out.place = "quarantine";
        return std::optional<ReadBatch>(ReadBatch{std::move(out), checkpoint_of(ids), "quarantine"});
    }

private:
    const RecordBatch rows_;
    const std::optional<std::string> text_;
    std::set<std::string> loaded_;
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
    job.source = std::make_unique<QuarantineSource>(std::move(rows), options.text);
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
