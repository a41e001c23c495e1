#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "connectors/files/compact.h"
#include "connectors/files/manifest.h"
#include "connectors/files/settings.h"
#include "data/builder.h"
#include "data/ndjson.h"
#include "data/ndjson_writer.h"
#include "data/row_decoder.h"

// What the tables of a folder hold beside their data: checkpoints and quarantine, read from the manifests, changed by a
// new one.
namespace shaduf::files {
namespace {

constexpr std::string_view kManifestPart = "/_shaduf/manifest/";

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

class FileStore final : public Store, public CheckpointStore, public QuarantineStore, public TableCompactor {
public:
    explicit FileStore(std::unique_ptr<ObjectStore> store)
        : store_(std::move(store)), decoder_(RowDecoder::create(RawFormat::json, quarantine_shape())) {}

    CheckpointStore* checkpoints() override { return this; }
    QuarantineStore* quarantine() override { return this; }
    TableCompactor* compactor() override { return this; }

    Result<CompactReport> compact(RunContext& run, const CompactRequest& request) override {
        ManifestLog log(*store_, request.table);
        TRY(log.refresh(run));
        if (log.state().version > 0) return compact_table(run, *store_, log, request);
        std::vector<std::string> tables;
        for (const auto& folder : TRY(table_folders(run))) tables.push_back(folder);
        return Error(ErrorKind::invalid_config,
                     "no table of that name: " + request.table + did_you_mean(request.table, tables));
    }

    Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) override {
        std::vector<CheckpointEntry> entries;
        for (auto& log : TRY(open_logs(run))) {
            const TableState& table = log->state();
            for (const auto* checkpoints : {&table.checkpoints, &table.staged_checkpoints}) {
                for (const auto& [stream, checkpoint] : *checkpoints) {
                    const auto slash = stream.find('/');
                    entries.push_back(
                        {stream.substr(0, slash), stream.substr(slash + 1), checkpoint, table.committed_at});
                }
            }
        }
        return entries;
    }

    Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                const std::optional<Checkpoint>& checkpoint) override {
        const std::string name = pipeline + "/" + stream;
        for (auto& log : TRY(open_logs(run))) {
            TableState next = log->state();
            auto& checkpoints = next.staged_checkpoints.contains(name) ? next.staged_checkpoints : next.checkpoints;
            if (!checkpoints.contains(name)) continue;
            if (checkpoint) {
                checkpoints[name] = *checkpoint;
            } else {
                checkpoints.erase(name);
            }
            return log->commit(run, std::move(next), "state");
        }
        if (!checkpoint) return {};
        return Error(ErrorKind::invalid_config, "no table has a checkpoint of this stream: " + pipeline + "." + stream);
    }

    Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        RecordBatchBuilder found(quarantine_schema());
        for (auto& log : TRY(open_logs(run))) {
            for (const auto& [key, file] : log->state().quarantine) {
                const RecordBatch rows = TRY(read_file(run, key));
                for (size_t row = 0; row < rows.rows(); ++row) {
                    const bool full = filter.limit > 0 && found.rows() >= static_cast<size_t>(filter.limit);
                    if (full || !selects(filter, rows, row)) continue;
                    append_row(rows, row, found);
                }
            }
        }
        return found.finish();
    }

    Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        int64_t purged = 0;
        for (auto& log : TRY(open_logs(run))) {
            TableState next = log->state();
            std::vector<std::string> gone;
            for (const auto& [key, file] : log->state().quarantine) {
                const RecordBatch rows = TRY(read_file(run, key));
                std::vector<uint32_t> kept;
                for (size_t row = 0; row < rows.rows(); ++row) {
                    if (!selects(filter, rows, row)) kept.push_back(static_cast<uint32_t>(row));
                }
                if (kept.size() == rows.rows()) continue;
                purged += static_cast<int64_t>(rows.rows() - kept.size());
                gone.push_back(key);
                next.quarantine.erase(key);
                if (!kept.empty()) TRY(write_rest(run, key, rows, kept, next));
            }
            if (gone.empty()) continue;
            TRY(log->commit(run, std::move(next), "purge"));
            for (const auto& key : gone) TRY(store_->remove(run, key));
        }
        return purged;
    }

private:
    Result<std::set<std::string>> table_folders(RunContext& run) {
        std::set<std::string> folders;
        TRY(store_->list(run, "", [&](std::span<const ObjectInfo> page) -> Result<void> {
            for (const auto& object : page) {
                const auto at = object.key.find(kManifestPart);
                if (at != std::string::npos) folders.insert(object.key.substr(0, at));
            }
            return {};
        }));
        return folders;
    }

    Result<std::vector<std::unique_ptr<ManifestLog>>> open_logs(RunContext& run) {
        std::vector<std::unique_ptr<ManifestLog>> logs;
        for (const auto& folder : TRY(table_folders(run))) {
            logs.push_back(std::make_unique<ManifestLog>(*store_, folder));
            TRY(logs.back()->refresh(run));
        }
        return logs;
    }

    Result<RecordBatch> read_file(RunContext& run, const std::string& key) {
        const BufferPtr text = TRY(store_->get(run, key));
        if (text == nullptr)
            return Error(ErrorKind::bad_data, "file of the quarantine is missing: " + store_->name_of(key));
        NdjsonSplitter lines(store_->name_of(key));
        lines.input().append(text->view());
        Decoded decoded = decoder_->decode(lines.finish());
        if (!decoded.rejected.empty()) return decoded.rejected.front().why;
        return std::move(decoded.rows);
    }

    // What is kept of a file goes into a new one: files are never changed.
    Result<void> write_rest(RunContext& run, const std::string& key, const RecordBatch& rows,
                            const std::vector<uint32_t>& kept, TableState& next) {
        std::string text;
        append_ndjson_rows(rows, kept, text);
        const std::string stem = key.substr(0, key.size() - std::string_view(".ndjson").size());
        const std::string rest = stem + "-" + std::to_string(next.version + 1) + ".ndjson";
        TRY(store_->put(run, rest, text));
        next.quarantine[rest] = {rest, static_cast<int64_t>(kept.size()), static_cast<int64_t>(text.size())};
        return {};
    }

    static void append_row(const RecordBatch& rows, size_t row, RecordBatchBuilder& to) {
        for (size_t i = 0; i < rows.columns().size(); ++i) {
            const Column& column = rows.column(i);
            if (column.is_null(row)) {
                to.column(i).append_null();
            } else if (column.type.kind() == TypeKind::timestamp_tz) {
                to.column(i).append_int64(column.int64_at(row));
            } else {
                to.column(i).append_text(column.text_at(row));
            }
        }
        to.end_row();
    }

    const std::unique_ptr<ObjectStore> store_;
    const std::unique_ptr<RowDecoder> decoder_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string&) {
    return std::make_unique<FileStore>(TRY(open_store(options)));
}

}  // namespace shaduf::files
