#include <array>
#include <cstdio>
#include <random>

#include "base/failpoint.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/files/file_writer.h"
#include "connectors/files/manifest.h"
#include "connectors/files/partition.h"
#include "connectors/files/settings.h"
#include "io/crypto.h"

// Rows to files, one open file a partition. A commit finishes the open files and then puts one manifest that names them
// together with the checkpoint: until it is there they are nobody's, so a run that dies leaves nothing but litter,
// which the next one sweeps.
namespace shaduf::files {
namespace {

// Below this a row group is not worth ending: the file is, when memory is short.
constexpr size_t kSmallestFlush = 1 << 20;

// The writer's own and one beside it: hashing into dictionaries may take longer than reading the rows.
constexpr size_t kEncoderThreads = 2;

// Of a load into one or two partitions, the parts on their way must not end the file.
constexpr size_t kUploadsAtLeast = 32 << 20;

struct OpenFile {
    std::unique_ptr<FileWriter> writer;
    uint64_t opened = 0;  // a count: which is the oldest
};

class FileSink final : public Sink {
public:
    FileSink(std::unique_ptr<ObjectStore> store, TableTarget target, WriterSettings writer, Partitioner partitioner)
        : store_(std::move(store)),
          target_(std::move(target)),
          settings_(std::move(writer)),
          partitioner_(std::move(partitioner)),
          folder_(target_.schema.empty() ? target_.table : target_.schema + "/" + target_.table),
          stream_(target_.pipeline + "/" + target_.stream),
          log_(*store_, folder_) {}

    Result<SinkState> open(RunContext& run) override {
        load_id_ = make_load_id(run);
        TRY(log_.refresh(run));
        TRY(log_.sweep(run, load_id_));
        const TableState& table = log_.state();
        const auto& checkpoints = replaces() ? table.staged_checkpoints : table.checkpoints;
        SinkState state;
        state.table = table.schema;
        const auto found = checkpoints.find(stream_);
        if (found != checkpoints.end()) state.checkpoint = found->second;
        if (replaces() && !state.checkpoint) forget_staged_ = true;
        return state;
    }

    Result<void> prepare(RunContext&, const SchemaPtr& schema) override {
        TRY(finish_files());
        schema_ = schema;
        std::vector<Field> fields;
        kept_columns_.clear();
        for (size_t i = 0; i < schema->size(); ++i) {
            if (partitioner_.holds_whole((*schema)[i].name)) continue;
            kept_columns_.push_back(i);
            fields.push_back((*schema)[i]);
        }
        if (fields.empty()) {
            return Error(ErrorKind::invalid_config,
                         "every column is one to partition by: nothing would be in the files");
        }
        file_schema_ = std::make_shared<const Schema>(std::move(fields));
        return {};
    }

    Result<WriteReport> write(RunContext& run, const RecordBatch& rows) override {
        std::vector<Column> columns;
        for (const size_t i : kept_columns_) columns.push_back(rows.column(i));
        const RecordBatch kept(file_schema_, std::move(columns), rows.rows());
        const auto& by_folder = *TRY(partitioner_.split(rows));
        for (size_t folder = 0; folder < by_folder.size(); ++folder) {
            if (by_folder[folder].empty()) continue;
            OpenFile* file = TRY(file_of(run, folder));
            TRY(file->writer->write(kept, by_folder[folder]));
            if (file->writer->bytes_written() + file->writer->buffered_bytes() >= settings_.file_bytes) {
                TRY(finish_file(folder));
            }
        }
        TRY(stay_in_memory());
        TRY(let_uploads_fit());
        return WriteReport{rows.rows(), {}};
    }

    Result<void> quarantine(RunContext& run, const RecordBatch& rows) override {
        if (quarantine_ == nullptr) {
            const std::string key = folder_ + "/_shaduf/quarantine/" + next_name() + ".ndjson";
            quarantine_ = TRY(open_writer(run, *store_, key, rows.schema(), {WriteFormat::ndjson}));
        }
        std::vector<uint32_t> all(rows.rows());
        for (size_t row = 0; row < all.size(); ++row) all[row] = static_cast<uint32_t>(row);
        return quarantine_->write(rows, all);
    }

    Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind) override {
        TRY(finish_files());
        TRY(failpoint("files.commit.before"));
        const TableState& before = log_.state();
        TableState next = before;
        if (schema_ != nullptr) next.schema = *schema_;
        if (quarantine_ != nullptr) {
            const DataFile file = TRY(quarantine_->finish());
            next.quarantine[file.key] = file;
            quarantine_ = nullptr;
        }
        if (replaces()) {
            add_to_replacement(checkpoint, kind, next);
        } else {
            for (auto& file : finished_) next.files[file.key] = file;
            set_checkpoint(next.checkpoints, checkpoint);
        }
        finished_.clear();
        const std::vector<std::string> gone = keys_gone(before, next);
        if (!same_content(before, next)) TRY(log_.commit(run, std::move(next), load_id_));
        forget_staged_ = false;
        TRY(failpoint("files.commit.after"));
        // What the table no longer names is only litter: the next run's sweep takes what is left here.
        for (const auto& key : gone) (void)store_->remove(run, key).ok();
        return {};
    }

private:
    bool replaces() const { return target_.mode == WriteMode::replace; }

    void add_to_replacement(const std::optional<Checkpoint>& checkpoint, CommitKind kind, TableState& next) {
        if (forget_staged_) next.staged.clear();
        for (auto& file : finished_) next.staged[file.key] = file;
        set_checkpoint(next.staged_checkpoints, checkpoint);
        if (kind != CommitKind::final) return;
        next.files = std::move(next.staged);
        next.staged.clear();
        next.staged_checkpoints.erase(stream_);
        set_checkpoint(next.checkpoints, checkpoint);
    }

    void set_checkpoint(std::map<std::string, Checkpoint>& checkpoints,
                        const std::optional<Checkpoint>& checkpoint) const {
        if (checkpoint) {
            checkpoints[stream_] = *checkpoint;
        } else {
            checkpoints.erase(stream_);
        }
    }

    static std::vector<std::string> keys_gone(const TableState& before, const TableState& next) {
        std::vector<std::string> gone;
        for (const auto* files : {&before.files, &before.staged}) {
            for (const auto& [key, file] : *files) {
                if (!next.files.contains(key) && !next.staged.contains(key)) gone.push_back(key);
            }
        }
        return gone;
    }

    static bool same_content(const TableState& a, const TableState& b) {
        const auto same_keys = [](const auto& x, const auto& y) {
            return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                              [](const auto& p, const auto& q) { return p.first == q.first; });
        };
        return a.version > 0 && a.schema == b.schema && a.checkpoints == b.checkpoints &&
               a.staged_checkpoints == b.staged_checkpoints && same_keys(a.files, b.files) &&
               same_keys(a.staged, b.staged) && same_keys(a.quarantine, b.quarantine);
    }

    std::string make_load_id(RunContext& run) const {
        std::string stamp = format_timestamp(std::chrono::floor<std::chrono::seconds>(run.clock.now()));
        std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
        std::random_device random;
        std::array<char, 16> suffix{};
        std::snprintf(suffix.data(), suffix.size(), "%08x", random());
        // Streams that write into one table at the same time must not take each other's names.
        return stamp + "-" + to_hex(sha256(stream_)).substr(0, 6) + suffix.data();
    }

    std::string next_name() { return load_id_ + "-" + std::to_string(++files_made_); }

    Result<OpenFile*> file_of(RunContext& run, size_t folder) {
        OpenFile& file = open_files_[folder];
        if (file.writer != nullptr) return &file;
        const std::string& partition = partitioner_.folder(folder);
        const std::string key = folder_ + "/" + (partition.empty() ? "" : partition + "/") + next_name() +
                                std::string(ending_of(settings_.format));
        file.writer = TRY(open_writer(run, *store_, key, file_schema_, settings_));
        file.opened = files_made_;
        return &file;
    }

    Result<void> finish_file(size_t folder) {
        auto node = open_files_.extract(folder);
        finished_.push_back(TRY(node.mapped().writer->finish()));
        return {};
    }

    Result<void> finish_files() {
        while (!open_files_.empty()) TRY(finish_file(open_files_.begin()->first));
        return {};
    }

    // Ends row groups, the largest first, until what they hold fits; where only small ones are left, whole files.
    Result<void> stay_in_memory() {
        for (;;) {
            size_t total = 0;
            auto largest = open_files_.begin();
            for (auto file = open_files_.begin(); file != open_files_.end(); ++file) {
                total += file->second.writer->memory_bytes();
                if (file->second.writer->memory_bytes() > largest->second.writer->memory_bytes()) largest = file;
            }
            if (total <= target_.memory_bytes || open_files_.empty()) return {};
            FileWriter& writer = *largest->second.writer;
            const size_t before = writer.memory_bytes();
            if (before >= kSmallestFlush) TRY(writer.flush());
            // A writer that keeps its memory has nothing to end but the file: so each round frees some.
            if (writer.memory_bytes() > before / 2) TRY(finish_file(largest->first));
        }
    }

    // Ends files, those that hold most first, until what waits to be sent to the object store fits as well.
    Result<void> let_uploads_fit() {
        const size_t bytes_max = std::max<size_t>(target_.memory_bytes, kUploadsAtLeast);
        for (;;) {
            size_t total = 0;
            auto largest = open_files_.begin();
            for (auto file = open_files_.begin(); file != open_files_.end(); ++file) {
                total += file->second.writer->upload_bytes();
                if (file->second.writer->upload_bytes() > largest->second.writer->upload_bytes()) largest = file;
            }
            if (total <= bytes_max) return {};
            TRY(finish_file(largest->first));
        }
    }

    const std::unique_ptr<ObjectStore> store_;
    const TableTarget target_;
    const WriterSettings settings_;
    Partitioner partitioner_;
    const std::string folder_;
    const std::string stream_;
    ManifestLog log_;

    std::string load_id_;
    int64_t files_made_ = 0;
    bool forget_staged_ = false;  // of a replace load that cannot be gone on with
    SchemaPtr schema_;
    SchemaPtr file_schema_;
    std::vector<size_t> kept_columns_;
    std::map<size_t, OpenFile> open_files_;  // by folder number
    std::vector<DataFile> finished_;         // and not committed
    std::unique_ptr<FileWriter> quarantine_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table) {
    if (table.mode == WriteMode::merge || table.mode == WriteMode::history) {
        return Error(ErrorKind::invalid_config,
                     "files can be appended or replaced, not merged by key; set write: append, "
                     "or write to a warehouse")
            .at(table.options.place());
    }
    if (table.mode == WriteMode::slices) {
        return Error(
                   ErrorKind::invalid_config,
                   "files cannot replace the days of a report; set mode: full_refresh, or write to duckdb or postgres")
            .at(table.options.place());
    }
    std::vector<PartitionLevel> levels;
    for (const auto& text : table.options.text_list("partition_by")) {
        auto level = PartitionLevel::parse(text);
        if (!level.ok()) return level.release_error().at(table.options.place_of("partition_by"));
        levels.push_back(level.release_value());
    }
    WriterSettings writer;
    const std::string format = table.options.text("format");
    writer.format = format == "csv"      ? WriteFormat::csv
                    : format == "ndjson" ? WriteFormat::ndjson
                                         : WriteFormat::parquet;
    writer.file_bytes = table.options.bytes("file_size");
    const int64_t level = table.options.integer("compression_level");
    if (level < 1 || level > 19) return table.options.error("compression_level", "expected 1 to 19");
    writer.compression_level = static_cast<int>(level);
    writer.encoders = make_parquet_encoders(files::parquet_options(writer), kEncoderThreads);
    return std::make_unique<FileSink>(TRY(open_store(options)), table, writer, Partitioner(std::move(levels)));
}

}  // namespace shaduf::files
