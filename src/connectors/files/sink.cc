#include <algorithm>
#include <random>
#include <set>

#include "base/failpoint.h"
#include "base/retry.h"
#include "base/run_events.h"
#include "base/text.h"
#include "connectors/files/close_markers.h"
#include "connectors/files/file_writer.h"
#include "connectors/files/manifest.h"
#include "connectors/files/offset_names.h"
#include "connectors/files/open_files.h"
#include "connectors/files/partition.h"
#include "connectors/files/settings.h"
#include "connectors/parts/checkpoint_parts.h"

// Rows to files, one open file a partition. A commit finishes the open files and then puts one manifest that names them
// together with the checkpoint: until it is there they are nobody's, so a run that dies leaves nothing but litter,
// which a later one sweeps.
//
// A table that several processes write (TableTarget::shared) has one line of versions all the same. Who finds the next
// version taken reads it, puts its own progress on top, and tries the one behind it: rows and offsets of others stay.
// That fails for good, and takes the files of this process with it, where another has read on what this one has read
// too (advance_parts), has swept its files, or has claimed their names. What makes this safe at each point of a crash:
//
//   before the manifest is put      files that no version names; swept when they are older than `sweep_after`
//   the answer to the put is lost   files stay as they are; the next run reads from the manifest what became of it
//   behind the manifest             markers are due in it, and are put behind the next commit
namespace shaduf::files {
namespace {

// The writer's own and one beside it: hashing into dictionaries may take longer than reading the rows.
constexpr size_t kEncoderThreads = 2;

constexpr int kCommitTries = 100;
constexpr RetryPolicy kBesideOthers{.delay_first = std::chrono::milliseconds(5),
                                    .delay_max = std::chrono::milliseconds(500)};

struct SinkSettings {
    WriterSettings writer;
    std::vector<PartitionLevel> levels;
    bool named_by_offsets = false;
    std::string offsets_prefix;
    std::string close_marker;
    std::chrono::milliseconds lateness{0};
    std::chrono::milliseconds sweep_after{0};
};

std::vector<std::string> keys_gone(const TableState& before, const TableState& next) {
    std::vector<std::string> gone;
    for (const auto* files : {&before.files, &before.staged}) {
        for (const auto& [key, file] : *files) {
            if (!next.files.contains(key) && !next.staged.contains(key)) gone.push_back(key);
        }
    }
    return gone;
}

bool same_content(const TableState& a, const TableState& b) {
    const auto same_keys = [](const auto& x, const auto& y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](const auto& p, const auto& q) { return p.first == q.first; });
    };
    return a.version > 0 && a.schema == b.schema && a.checkpoints == b.checkpoints &&
           a.staged_checkpoints == b.staged_checkpoints && a.markers_due == b.markers_due &&
           same_keys(a.files, b.files) && same_keys(a.staged, b.staged) && same_keys(a.quarantine, b.quarantine);
}

// What holds the rows of both.
Schema merge(const std::optional<Schema>& stored, const Schema& written) {
    std::vector<Field> fields = stored ? stored->fields() : std::vector<Field>();
    for (const auto& field : written.fields()) {
        const auto known = stored ? stored->index_of(field.name) : std::nullopt;
        if (known) {
            fields[*known].type = widen(fields[*known].type, field.type);
        } else {
            fields.push_back(field);
        }
    }
    return Schema(std::move(fields));
}

class FileSink final : public Sink {
public:
    FileSink(std::unique_ptr<ObjectStore> store, TableTarget target, SinkSettings settings)
        : store_(std::move(store)),
          target_(std::move(target)),
          settings_(std::move(settings)),
          partitioner_(settings_.levels),
          folder_(target_.schema.empty() ? target_.table : target_.schema + "/" + target_.table),
          stream_(target_.pipeline + "/" + target_.stream),
          log_(*store_, folder_),
          files_(*store_, settings_.writer, target_.memory_bytes,
                 settings_.named_by_offsets ? UploadMode::create : UploadMode::replace),
          markers_(settings_.close_marker, settings_.lateness, settings_.levels, folder_) {
        if (settings_.named_by_offsets) names_.emplace(settings_.offsets_prefix);
    }

    Result<SinkState> open(RunContext& run) override {
        load_id_ = make_load_id(run, stream_);
        TRY(log_.refresh(run));
        if (target_.shared) {
            TRY(log_.sweep_older(run, load_id_, settings_.sweep_after));
            swept_at_ = run.clock.steady_now();
        } else {
            TRY(log_.sweep(run, load_id_));
        }
        const TableState& table = log_.state();
        SinkState state;
        state.table = table.schema;
        state.checkpoint = stored_checkpoint();
        if (target_.shared) known_ = TRY(parse_parts(state.checkpoint));
        if (replaces() && !state.checkpoint) forget_staged_ = true;
        return state;
    }

    Result<std::optional<Checkpoint>> refresh(RunContext& run) override {
        TRY(log_.refresh(run));
        claimed_.clear();
        const auto stored = stored_checkpoint();
        known_ = TRY(parse_parts(stored));
        return stored;
    }

    Result<void> prepare(RunContext&, const SchemaPtr& schema) override {
        TRY(files_.finish_all());
        TRY(markers_.prepare(*schema));
        if (names_) TRY(names_->prepare(*schema));
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
        if (names_) {
            TRY(names_->look_at(rows));
            TRY(claim(run, names_->seen()));
        }
        const auto& by_folder = *TRY(partitioner_.split(rows));
        for (const uint32_t folder : partitioner_.touched()) {
            if (names_) {
                for (const auto& share : names_->shares_of(by_folder[folder])) {
                    const auto key = [&] {
                        return key_of(folder, names_->name_of(share.source, rows, share.rows.front()));
                    };
                    TRY(files_.write(run, {folder, share.source}, key, kept, share.rows));
                }
            } else {
                const auto key = [&] { return key_of(folder, next_name()); };
                TRY(files_.write(run, {folder, 0}, key, kept, by_folder[folder]));
            }
        }
        TRY(files_.stay_in_memory());
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
        TRY(files_.finish_all());
        Written written;
        written.files = files_.take_finished();
        if (quarantine_ != nullptr) {
            written.quarantine = TRY(quarantine_->finish());
            quarantine_ = nullptr;
        }
        TRY(failpoint("files.commit.before"));
        const TableState before = replaces() ? log_.state() : TableState();
        auto committed = put_version(run, checkpoint, kind, written);
        if (!committed.ok()) {
            if (target_.shared && committed.error().kind() == ErrorKind::conflict) remove_files(run, written);
            return committed.error();
        }
        forget_staged_ = false;
        TRY(failpoint("files.commit.after"));
        // What the table no longer names is only litter: the next run's sweep takes what is left here.
        if (replaces()) {
            for (const auto& key : keys_gone(before, log_.state())) (void)store_->remove(run, key).ok();
        }
        TRY(markers_.put(run, *store_, log_.state()));
        if (kind == CommitKind::final && markers_.has_put()) TRY(settle_markers(run));
        return sweep_sometimes(run);
    }

private:
    // What a commit adds.
    struct Written {
        std::vector<DataFile> files;
        std::optional<DataFile> quarantine;
    };

    bool replaces() const { return target_.mode == WriteMode::replace; }

    std::optional<Checkpoint> stored_checkpoint() const {
        const auto& checkpoints = replaces() ? log_.state().staged_checkpoints : log_.state().checkpoints;
        const auto found = checkpoints.find(stream_);
        return found == checkpoints.end() ? std::nullopt : std::optional(found->second);
    }

    // ------------------------------------------------------------------------------------------------------- commit

    Result<void> put_version(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind,
                             const Written& written) {
        for (int tries = 1;; ++tries) {
            VersionNote note{.run_id = load_id_};
            CheckpointParts known = known_;
            TableState next = TRY(make_next(checkpoint, kind, written, known, note));
            if (same_content(log_.state(), next)) return {};
            const auto put = log_.commit(run, std::move(next), note);
            if (put.ok()) {
                known_ = std::move(known);
                return {};
            }
            if (put.error().kind() != ErrorKind::conflict || tries >= kCommitTries) return put.error();
            const uint64_t version = log_.state().version;
            TRY(log_.refresh(run));
            // Taken by this very version: a library that sends again what got no answer may not tell.
            if (is_kept(written)) {
                known_ = std::move(known);
                return {};
            }
            if (!target_.shared && log_.changed_at() > version) return put.error();
            const double random = std::uniform_real_distribution<double>(0, 1)(random_);
            if (!run.clock.sleep(backoff_delay(kBesideOthers, tries, random), run.cancellation)) {
                TRY(run.cancellation.check());
            }
        }
    }

    // Whether a version names these files, which are of this load alone.
    bool is_kept(const Written& written) const {
        return !written.files.empty() && std::all_of(written.files.begin(), written.files.end(),
                                                     [&](const auto& file) { return is_named(file.key); });
    }
    bool is_named(const std::string& key) const {
        const TableState& state = log_.state();
        return state.files.contains(key) || state.staged.contains(key) || state.retired.contains(key) ||
               state.quarantine.contains(key);
    }

    // The table as it stands by now, with what was written on top.
    Result<TableState> make_next(const std::optional<Checkpoint>& checkpoint, CommitKind kind, const Written& written,
                                 CheckpointParts& known, VersionNote& note) {
        const TableState& before = log_.state();
        TRY(check_names(before));
        TableState next = before;
        if (schema_ != nullptr) next.schema = target_.shared ? merge(before.schema, *schema_) : *schema_;
        if (written.quarantine) next.quarantine[written.quarantine->key] = *written.quarantine;
        if (replaces()) {
            add_to_replacement(checkpoint, kind, written, next);
            return next;
        }
        for (const auto& file : written.files) next.files[file.key] = file;
        if (target_.shared) {
            TRY(advance(checkpoint, next, known, note));
        } else {
            set_checkpoint(next.checkpoints, checkpoint);
        }
        if (!settings_.close_marker.empty()) {
            const auto stands = next.checkpoints.find(stream_);
            const auto parts =
                parse_parts(stands == next.checkpoints.end() ? std::nullopt : std::optional(stands->second));
            markers_.mark(before, parts.ok() ? seen_of_all(parts.value()) : std::nullopt, written.files, next);
        }
        return next;
    }

    Result<void> advance(const std::optional<Checkpoint>& checkpoint, TableState& next, CheckpointParts& known,
                         VersionNote& note) {
        if (!checkpoint) return {};
        const CheckpointParts read = TRY(parse_parts(checkpoint));
        const CheckpointParts stored = TRY(parse_parts(stored_checkpoint()));
        const CheckpointParts advanced = TRY(advance_parts(stored, known, read));
        for (const auto& [name, part] : advanced) {
            const auto from = stored.find(name);
            const std::string at = from == stored.end() ? "" : from->second.at;
            if (at != part.at) note.moves.push_back({name, at, part.at});
        }
        known = known_after(known, read, advanced);
        if (!advanced.empty()) next.checkpoints[stream_] = to_checkpoint(advanced);
        return {};
    }

    // Whether the files of this load may still be named.
    Result<void> check_names(const TableState& table) const {
        if (log_.is_swept(load_id_)) {
            return Error(ErrorKind::conflict, "another process took the files of this one for left behind: load " +
                                                  load_id_ + " of " + store_->name_of(folder_) +
                                                  "; raise sweep_after above the time between two commits");
        }
        for (const auto& part : claimed_) {
            const auto claim = table.claims.find(part);
            if (claim == table.claims.end() || claim->second != load_id_) {
                return Error(ErrorKind::conflict,
                             "another process writes the files of " + part + " by now; this one begins again");
            }
        }
        return {};
    }

    void add_to_replacement(const std::optional<Checkpoint>& checkpoint, CommitKind kind, const Written& written,
                            TableState& next) const {
        if (forget_staged_) next.staged.clear();
        for (const auto& file : written.files) next.staged[file.key] = file;
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

    // Names made of offsets may by now be those of another process's files.
    void remove_files(RunContext& run, const Written& written) {
        const auto remove = [&](const std::string& key) {
            if (!is_named(key)) (void)store_->remove(run, key).ok();
        };
        if (written.quarantine) remove(written.quarantine->key);
        if (names_) return;
        for (const auto& file : written.files) remove(file.key);
    }

    // At the end, so that the next run need not put them again.
    Result<void> settle_markers(RunContext& run) {
        for (int tries = 1; tries <= kCommitTries; ++tries) {
            TableState next = log_.state();
            markers_.forget_put(next);
            if (same_content(log_.state(), next)) return {};
            const auto put = log_.commit(run, std::move(next), VersionNote{load_id_, VersionKind::joins});
            if (put.ok() || put.error().kind() != ErrorKind::conflict) return put;
            TRY(log_.refresh(run));
        }
        return {};
    }

    Result<void> sweep_sometimes(RunContext& run) {
        if (!target_.shared || run.clock.steady_now() - swept_at_ < settings_.sweep_after) return {};
        swept_at_ = run.clock.steady_now();
        const auto swept = log_.sweep_older(run, load_id_, settings_.sweep_after);
        TRY(run.cancellation.check());
        if (!swept.ok()) {
            run.events.message(Severity::info, store_->name_of(folder_),
                               "files that were left behind cannot be removed: " + swept.error().to_string());
        }
        return {};
    }

    // -------------------------------------------------------------------------------------------------------- names

    std::string next_name() { return load_id_ + "-" + std::to_string(++files_made_); }

    std::string key_of(size_t folder, const std::string& name) const {
        const std::string& partition = partitioner_.folder(folder);
        return folder_ + "/" + (partition.empty() ? "" : partition + "/") + name +
               std::string(ending_of(settings_.writer.format));
    }

    // Takes the names of these partitions' files for this load, and removes files of them that no version names:
    // whoever wrote those loses its commit by this version. They are looked for before, since behind it they might be
    // files of one who has claimed the names after this load.
    Result<void> claim(RunContext& run, const std::vector<size_t>& sources) {
        std::set<std::string> wanted;
        for (const size_t source : sources) {
            if (!claimed_.contains(names_->part_of(source))) wanted.insert(names_->part_of(source));
        }
        if (wanted.empty()) return {};
        const std::vector<ObjectInfo> found = TRY(list_files_of(run, wanted));
        for (int tries = 1;; ++tries) {
            TableState next = log_.state();
            for (const auto& part : wanted) next.claims[part] = load_id_;
            const auto put = log_.commit(run, std::move(next), load_id_);
            if (put.ok()) break;
            if (put.error().kind() != ErrorKind::conflict || !target_.shared || tries >= kCommitTries) return put;
            TRY(log_.refresh(run));
        }
        claimed_.insert(wanted.begin(), wanted.end());
        TRY(failpoint("files.claimed"));
        for (const auto& file : found) {
            if (!log_.state().files.contains(file.key)) TRY(remove_unchanged(run, file));
        }
        return {};
    }

    Result<std::vector<ObjectInfo>> list_files_of(RunContext& run, const std::set<std::string>& parts) {
        std::vector<ObjectInfo> found;
        TRY(store_->list(run, folder_ + "/", [&](std::span<const ObjectInfo> page) -> Result<void> {
            for (const auto& object : page) {
                const auto part = OffsetNames::part_of_file(object.key);
                if (part && parts.contains(*part)) found.push_back(object);
            }
            return {};
        }));
        return found;
    }

    // The name may be given again at any time; stores cannot all compare and remove at once, so this comes close.
    Result<void> remove_unchanged(RunContext& run, const ObjectInfo& file) {
        const auto now = TRY(store_->head(run, file.key));
        return now && now->etag == file.etag ? store_->remove(run, file.key) : Result<void>();
    }

    const std::unique_ptr<ObjectStore> store_;
    const TableTarget target_;
    const SinkSettings settings_;
    Partitioner partitioner_;
    const std::string folder_;
    const std::string stream_;
    ManifestLog log_;
    OpenFiles files_;
    CloseMarkers markers_;
    std::optional<OffsetNames> names_;
    std::mt19937 random_{std::random_device{}()};

    std::string load_id_;
    int64_t files_made_ = 0;
    bool forget_staged_ = false;  // of a replace load that cannot be gone on with
    SchemaPtr schema_;
    SchemaPtr file_schema_;
    std::vector<size_t> kept_columns_;
    std::unique_ptr<FileWriter> quarantine_;
    // shared: each part as this process left it, so that it notices when another has moved it
    CheckpointParts known_;
    std::set<std::string> claimed_;  // parts whose files this load names, since the last refresh
    std::chrono::steady_clock::time_point swept_at_;
};

Result<void> check_mode(const TableTarget& table) {
    const auto error = [&](const char* message) {
        return Error(ErrorKind::invalid_config, message).at(table.options.place());
    };
    if (table.mode == WriteMode::merge || table.mode == WriteMode::history) {
        return error(
            "files can be appended or replaced, not merged by key; set write: append, or write to a warehouse");
    }
    if (table.mode == WriteMode::slices) {
        return error(
            "files cannot replace the days of a report; set mode: full_refresh, or write to duckdb or postgres");
    }
    if (table.shared && table.mode != WriteMode::append) {
        return error("files that several processes write can only be appended to; set write: append");
    }
    return {};
}

Result<WriterSettings> read_writer(const Options& options) {
    WriterSettings writer;
    const std::string format = options.text("format");
    writer.format = format == "csv"      ? WriteFormat::csv
                    : format == "ndjson" ? WriteFormat::ndjson
                                         : WriteFormat::parquet;
    writer.file_bytes = options.bytes("file_size");
    const int64_t level = options.integer("compression_level");
    if (level < 1 || level > 19) return options.error("compression_level", "expected 1 to 19");
    writer.compression_level = static_cast<int>(level);
    writer.encoders = make_parquet_encoders(files::parquet_options(writer), kEncoderThreads);
    return writer;
}

Result<SinkSettings> read_settings(const TableTarget& table) {
    const Options& options = table.options;
    SinkSettings settings;
    settings.writer = TRY(read_writer(options));
    for (const auto& text : options.text_list("partition_by")) {
        auto level = PartitionLevel::parse(text);
        if (!level.ok()) return level.release_error().at(options.place_of("partition_by"));
        settings.levels.push_back(level.release_value());
    }
    settings.named_by_offsets = options.text("naming") == "offsets";
    settings.offsets_prefix = options.text("offsets_prefix");
    settings.close_marker = options.text("close_marker");
    settings.lateness = options.duration("lateness");
    settings.sweep_after = options.duration("sweep_after");
    if (settings.named_by_offsets && table.mode != WriteMode::append) {
        return options.error("naming",
                             "files of a table that is replaced cannot be named by offsets; set write: append");
    }
    if (!settings.close_marker.empty()) {
        const bool is_name =
            settings.close_marker.find('/') == std::string::npos && check_object_key(settings.close_marker).ok();
        if (!is_name) return options.error("close_marker", "expected the name of a file, such as _SUCCESS");
        if (settings.levels.empty()) return options.error("close_marker", "needs folders of a time; set partition_by");
        if (table.mode != WriteMode::append) return options.error("close_marker", "needs write: append");
    }
    return settings;
}

}  // namespace

Result<std::unique_ptr<Sink>> make_sink_in(std::unique_ptr<ObjectStore> store, const TableTarget& table) {
    TRY(check_mode(table));
    return std::make_unique<FileSink>(std::move(store), table, TRY(read_settings(table)));
}

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table) {
    if (table.options.text("naming") == "offsets" && options.text("path").starts_with("gs://")) {
        return table.options.error("naming",
                                   "offsets needs a store that creates objects in parts only if there is none, which "
                                   "Google Cloud Storage does not; set naming: load");
    }
    TRY(check_mode(table));
    return make_sink_in(TRY(open_store(options)), table);
}

}  // namespace shaduf::files
