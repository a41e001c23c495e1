#include "pipeline/replay.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "pipeline/job_factory.h"
#include "pipeline/lease.h"
#include "pipeline/raw_guard.h"

namespace shaduf {
namespace {

constexpr std::string_view kReplaySuffix = "~replay";
// That share a commit. Their ids are its checkpoint, which has to stay below 1 MiB.
constexpr int64_t kRowsAtOnce = 20'000;

Checkpoint checkpoint_of(const std::vector<std::string>& ids) { return Checkpoint(nlohmann::json(ids).dump()); }

Result<std::vector<std::string>> ids_of(const Checkpoint& checkpoint) {
    try {
        return nlohmann::json::parse(checkpoint.value()).get<std::vector<std::string>>();
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data, std::string("checkpoint of a replay is broken: ") + broken.what());
    }
}

const Column& column_of(const RecordBatch& rows, std::string_view name) {
    return rows.column(*rows.schema()->index_of(name));
}

// A value that was written as it stands in the quarantine is treated, one that the user wrote anew is not.
Treated treated_in(const Treated& kept, const std::string& kept_text, const std::string& text) {
    Treated treated;
    const auto before = nlohmann::json::parse(kept_text, nullptr, false);
    const auto now = nlohmann::json::parse(text, nullptr, false);
    const auto find = [](const nlohmann::json& row, const std::vector<std::string>& path) {
        const nlohmann::json* value = &row;
        for (const auto& key : path) {
            if (!value->is_object() || !value->contains(key)) return static_cast<const nlohmann::json*>(nullptr);
            value = &(*value)[key];
        }
        return value;
    };
    for (const auto& [column, path] : kept.columns) {
        const auto* was = find(before, path);
        const auto* is = find(now, path);
        if (was != nullptr && is != nullptr && *was == *is) treated.columns.emplace(column, path);
    }
    return treated;
}

// "in/a.csv" of "in/a.csv:3"; "" of a row that came typed, whose position ends in no number.
std::string place_of(std::string_view position) {
    const auto colon = position.rfind(':');
    const std::string_view digits = position.substr(colon == std::string_view::npos ? position.size() : colon + 1);
    const bool is_number = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
    return is_number ? std::string(position.substr(0, colon)) : "";
}

// Rows of the quarantine table as raw rows, a batch for each way in which policies have treated them and each file
// whose header they need, and one checkpoint behind all. `origin` is the source that they first came from.
class QuarantineSource final : public Source {
public:
    QuarantineSource(RecordBatch rows, std::optional<std::string> text, std::unique_ptr<Source> origin)
        : rows_(std::move(rows)), text_(std::move(text)), origin_(std::move(origin)) {}

    Result<void> open(RunContext&, const std::optional<Checkpoint>&) override {
        groups_.clear();
        for (size_t row = 0; row < rows_.rows(); ++row) {
            groups_[{TRY(treated_of(row)), place_with_header(row)}].push_back(row);
        }
        return {};
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (groups_.empty()) return std::optional<ReadBatch>();
        const auto next = groups_.begin();
        const auto& [treated_text, place] = next->first;
        auto treated = std::make_shared<const Treated>(TRY(treated_from_text(treated_text)));
        RawRows rows = raw_rows(next->second, *treated);
        if (!place.empty()) rows.csv = TRY(dynamic_cast<RawTextReader&>(*origin_).dialect_of(run, place));
        if (rows.csv != nullptr) rows.format = RawFormat::csv;
        ReadBatch batch{std::move(rows), std::nullopt, "quarantine", treated};
        groups_.erase(next);
        if (groups_.empty()) batch.next = checkpoint_of(ids());
        return std::optional<ReadBatch>(std::move(batch));
    }

    std::vector<std::string> ids() const {
        const Column& id = column_of(rows_, "id");
        std::vector<std::string> ids;
        for (size_t row = 0; row < id.length; ++row) ids.emplace_back(id.text_at(row));
        return ids;
    }

private:
    // As text, by which rows are told apart.
    Result<std::string> treated_of(size_t row) const {
        const Column& policies = column_of(rows_, "policies");
        if (policies.is_null(row)) return treated_to_text(Treated());
        Treated kept = TRY(treated_from_text(policies.text_at(row)));
        if (text_) kept = treated_in(kept, std::string(column_of(rows_, "raw").text_at(row)), *text_);
        return treated_to_text(kept);
    }

    // The file that says how the row is to be read; "" where it says so itself. A mended row may be JSON whatever it
    // was.
    std::string place_with_header(size_t row) const {
        const bool is_json = text_ && trim(*text_).starts_with('{');
        const Column& position = column_of(rows_, "position");
        if (is_json || position.is_null(row) || dynamic_cast<RawTextReader*>(origin_.get()) == nullptr) return "";
        return place_of(position.text_at(row));
    }

    RawRows raw_rows(const std::vector<size_t>& numbers, const Treated& treated) const {
        const Column& raw = column_of(rows_, "raw");
        const Column& position = column_of(rows_, "position");
        RawRows out;
        BufferBuilder text;
        for (const size_t row : numbers) {
            const bool is_gone = !text_ && raw.is_null(row);
            const std::string_view now = text_ ? std::string_view(*text_) : is_gone ? "" : raw.text_at(row);
            if (is_gone || !treated.withheld.empty()) out.broken.push_back({out.rows.size(), why_broken(treated)});
            out.positions.push_back(position.is_null(row) ? "quarantine" : std::string(position.text_at(row)));
            out.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(now.size())});
            text.append(now);
            text.append("\n");
        }
        out.text = text.finish();
        out.place = "quarantine";
        return out;
    }

    static std::string why_broken(const Treated& treated) {
        const std::vector<std::string> columns(treated.withheld.begin(), treated.withheld.end());
        return (columns.empty() ? std::string("the text of the row") : "the value of " + join(columns, ", ")) +
               " is withheld, since the stream has policies; give the row anew with --text";
    }

    const RecordBatch rows_;
    const std::optional<std::string> text_;
    const std::unique_ptr<Source> origin_;
    std::map<std::pair<std::string, std::string>, std::vector<size_t>> groups_;
};

void add_result(const StreamResult& part, StreamResult& all) {
    const int64_t read = all.progress.rows_read + part.progress.rows_read;
    const int64_t written = all.progress.rows_written + part.progress.rows_written;
    const int64_t quarantined = all.progress.rows_quarantined + part.progress.rows_quarantined;
    all.progress = part.progress;
    all.progress.rows_read = read;
    all.progress.rows_written = written;
    all.progress.rows_quarantined = quarantined;
    all.error = part.error;
    all.checkpoint = part.checkpoint;
    all.warnings.insert(all.warnings.end(), part.warnings.begin(), part.warnings.end());
    for (const auto& [reason, rows] : part.reasons) all.reasons[reason] += rows;
}

class Replay {
public:
    Replay(RunContext& run, const Project& project, const PipelineConfig& pipeline, const StreamConfig& stream,
           const Side& source, const Side& sink, Store& store, const ReplayOptions& options)
        : run_(run),
          project_(project),
          pipeline_(pipeline),
          stream_(stream),
          source_(source),
          sink_(sink),
          store_(store),
          options_(options),
          checkpoint_name_(stream.name + std::string(kReplaySuffix)),
          run_id_(make_run_id(run.clock)) {}

    Result<StreamResult> execute() {
        const auto done_before = TRY(finish_earlier());
        result_.progress.pipeline = pipeline_.name;
        result_.progress.stream = stream_.name;
        for (int part = 1;; ++part) {
            RecordBatch rows = TRY(read_rows());
            if (rows.rows() == 0 && part == 1) TRY(check_ids(done_before));
            if (rows.rows() == 0) return std::move(result_);
            TRY(send(std::move(rows), part == 1 ? run_id_ : run_id_ + "-" + std::to_string(part)));
            if (result_.error || !options_.ids.empty()) return std::move(result_);
        }
    }

private:
    // Rows that an earlier replay committed, before it died, only have to go.
    Result<std::vector<std::string>> finish_earlier() {
        for (const auto& entry : TRY(store_.checkpoints()->list_checkpoints(run_))) {
            if (entry.pipeline != pipeline_.name || entry.stream != checkpoint_name_) continue;
            auto ids = TRY(ids_of(entry.checkpoint));
            TRY(remove(ids));
            return ids;
        }
        return std::vector<std::string>();
    }

    // Behind the commit of these rows.
    Result<void> remove(const std::vector<std::string>& ids) {
        if (!ids.empty()) TRY(store_.quarantine()->purge_quarantine(run_, {pipeline_.name, stream_.name, ids}));
        return store_.checkpoints()->set_checkpoint(run_, pipeline_.name, checkpoint_name_, std::nullopt);
    }

    // The next rows, without those that this replay has put there itself.
    Result<RecordBatch> read_rows() {
        const int64_t rows_max = kRowsAtOnce + result_.progress.rows_quarantined;
        const QuarantineFilter filter{pipeline_.name, stream_.name, options_.ids, rows_max};
        const RecordBatch rows = TRY(store_.quarantine()->read_quarantine(run_, filter));
        std::vector<uint32_t> wanted;
        const Column& run_id = column_of(rows, "run_id");
        for (size_t row = 0; row < rows.rows() && wanted.size() < kRowsAtOnce; ++row) {
            if (!run_id.text_at(row).starts_with(run_id_)) wanted.push_back(static_cast<uint32_t>(row));
        }
        return rows.take(wanted);
    }

    Result<void> check_ids(const std::vector<std::string>& done_before) const {
        if (options_.ids.empty() ||
            std::find(done_before.begin(), done_before.end(), options_.ids.front()) != done_before.end()) {
            return {};
        }
        return Error(ErrorKind::invalid_config, "row not found in the quarantine: " + options_.ids.front() +
                                                    "; see shaduf quarantine ls " + pipeline_.name);
    }

    Result<void> send(RecordBatch rows, const std::string& run_id) {
        const bool merges = stream_.write == WriteMode::merge || stream_.write == WriteMode::history;
        const JobRequest request{.pipeline = pipeline_,
                                 .stream = stream_,
                                 .sink = sink_,
                                 .run_id = run_id,
                                 .policy_key = project_.policy_key,
                                 .checkpoint_name = checkpoint_name_,
                                 .write = merges ? stream_.write : WriteMode::append};
        StreamJob job = TRY(make_job(request));
        job.read = ReadMode::incremental;
        // What came by way of a topic had its types before; its text would tell others.
        job.contract.rows_of_table = pipeline_.half == PipelineHalf::consumer;
        const StreamRequest first = request_of(pipeline_, stream_, stream_.mode);
        auto origin = TRY(source_.spec->make_source(source_.connection->options, first));
        auto source = std::make_unique<QuarantineSource>(std::move(rows), options_.text, std::move(origin));
        const auto ids = source->ids();
        job.source = std::move(source);
        ByteBudget budget(MemoryShares::of(pipeline_.memory_bytes).in_flight);
        add_result(run_stream(run_, std::move(job), budget), result_);
        if (result_.error) return {};
        return remove(ids);
    }

    RunContext& run_;
    const Project& project_;
    const PipelineConfig& pipeline_;
    const StreamConfig& stream_;
    const Side source_;
    const Side sink_;
    Store& store_;
    const ReplayOptions& options_;
    const std::string checkpoint_name_;
    const std::string run_id_;
    StreamResult result_;
};

}  // namespace

Result<StreamResult> replay_quarantine(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                       const Registry<ConnectorSpec>& connectors, const ReplayOptions& options) {
    if (options.text && options.ids.size() != 1) {
        return Error(ErrorKind::invalid_config, "a mended row replaces one: give its --id");
    }
    const StreamConfig& stream = *TRY(find_stream(pipeline, options.stream));
    const Side source = TRY(find_source(project, connectors, pipeline.source));
    const Side sink = TRY(find_sink(project, connectors, pipeline.sink));
    const Lease lease = TRY(Lease::take(project.folder + "/.shaduf/locks", pipeline.name));
    std::unique_ptr<Store> store;
    if (sink.spec->make_store != nullptr) store = TRY(sink.spec->make_store(sink.connection->options, pipeline.sink));
    if (store == nullptr || store->quarantine() == nullptr || store->checkpoints() == nullptr) {
        return Error(ErrorKind::invalid_config, "sink keeps no quarantine that can be replayed: " + pipeline.sink);
    }
    return Replay(run, project, pipeline, stream, source, sink, *store, options).execute();
}

}  // namespace shaduf
