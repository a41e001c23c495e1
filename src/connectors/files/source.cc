#include <algorithm>

#include "base/text.h"
#include "connectors/files/glob.h"
#include "connectors/files/ledger.h"
#include "connectors/files/reader.h"
#include "connectors/files/settings.h"

// Reads the files that match the stream's patterns, in the order of their names, each once: a file that changes is read
// again, whole. A position is a file and an offset in it, so a load that is cut off goes on in the middle of a file.
namespace shaduf::files {
namespace {

FileFormat parse_format(const std::string& name) {
    if (name == "ndjson") return FileFormat::ndjson;
    if (name == "json") return FileFormat::json;
    if (name == "csv") return FileFormat::csv;
    if (name == "parquet") return FileFormat::parquet;
    return FileFormat::automatic;
}

// What the files sink keeps beside its tables: a pattern that is wide enough to meet it does not mean it.
bool is_own(std::string_view key) { return key.starts_with("_shaduf/") || key.find("/_shaduf/") != key.npos; }

// One byte, or "\\t"; "" where it may be missing.
Result<void> check_character(const Options& options, std::string_view name) {
    const std::string text = options.text(name);
    if (text.size() <= 1 || text == "\\t") return {};
    return options.error(name, "expected one ASCII character, found " + text);
}

class FileSource final : public Source, public RawTextReader {
public:
    FileSource(std::unique_ptr<ObjectStore> store, std::vector<std::string> patterns, ReaderSettings reader,
               Place place)
        : store_(std::move(store)),
          patterns_(std::move(patterns)),
          settings_(std::move(reader)),
          place_(std::move(place)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        ledger_ = resume_from ? TRY(Ledger::parse(*resume_from)) : Ledger();
        waiting_.clear();
        bool any = false;
        for (const auto& pattern : patterns_) {
            TRY(store_->list(run, fixed_prefix(pattern), [&](std::span<const ObjectInfo> page) -> Result<void> {
                for (const auto& object : page) {
                    if (!matches_glob(pattern, object.key) || is_own(object.key)) continue;
                    any = true;
                    if (!ledger_.has_read(Ledger::fingerprint_of(object))) waiting_.push_back(object);
                }
                return {};
            }));
        }
        if (!any) {
            return Error(ErrorKind::invalid_config, "no file matches: " + store_->name_of(join(patterns_, ", ")))
                .at(place_);
        }
        // The file that was being read goes first; the others by name, so that a rerun takes the same way.
        const auto& reading = ledger_.reading();
        const auto rank = [&](const ObjectInfo& object) {
            return reading && Ledger::fingerprint_of(object) == reading->fingerprint ? 0 : 1;
        };
        std::sort(waiting_.begin(), waiting_.end(), [&](const ObjectInfo& a, const ObjectInfo& b) {
            return std::pair(rank(a), std::string_view(a.key)) < std::pair(rank(b), std::string_view(b.key));
        });
        const auto is_same = [](const ObjectInfo& a, const ObjectInfo& b) { return a.key == b.key; };
        waiting_.erase(std::unique(waiting_.begin(), waiting_.end(), is_same), waiting_.end());
        next_ = 0;
        return {};
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        while (next_ < waiting_.size()) {
            const ObjectInfo& file = waiting_[next_];
            const uint64_t fingerprint = Ledger::fingerprint_of(file);
            if (reader_ == nullptr) {
                const auto& reading = ledger_.reading();
                const bool resumes = reading && reading->fingerprint == fingerprint;
                reader_ = TRY(open_file(run, *store_, file.key, settings_, resumes ? reading : std::nullopt));
            }
            auto batch = TRY(reader_->next(run));
            if (batch) {
                ledger_.set_reading({file.key, fingerprint, reader_->offset(), reader_->line()});
                batch->next = ledger_.to_checkpoint();
                return batch;
            }
            ledger_.finish(fingerprint);
            reader_ = nullptr;
            ++next_;
            // Says that the file is done, also when no other follows.
            return std::optional<ReadBatch>(ReadBatch{RawRows{}, ledger_.to_checkpoint(), store_->name_of(file.key)});
        }
        return std::optional<ReadBatch>();
    }

    Result<std::shared_ptr<const CsvDialect>> dialect_of(RunContext& run, const std::string& place) override {
        const std::string base = store_->name_of("");
        // A place that is none of this connection's is that of a row which came before the connection was changed.
        if (!place.starts_with(base)) return std::shared_ptr<const CsvDialect>();
        return dialect_of_file(run, *store_, place.substr(base.size()), settings_);
    }

private:
    const std::unique_ptr<ObjectStore> store_;
    const std::vector<std::string> patterns_;
    const ReaderSettings settings_;
    const Place place_;
    Ledger ledger_;
    std::vector<ObjectInfo> waiting_;
    size_t next_ = 0;
    std::unique_ptr<FileReader> reader_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream) {
    auto store = TRY(open_store(options));
    TRY(check_character(stream.options, "delimiter"));
    TRY(check_character(stream.options, "quote"));
    ReaderSettings reader;
    reader.format = parse_format(stream.options.text("format"));
    reader.records = stream.options.text("records");
    reader.delimiter = stream.options.text("delimiter");
    reader.quote = stream.options.text("quote");
    reader.null_text = stream.options.text("null_text");
    reader.header = stream.options.text_list("header");
    std::vector<std::string> patterns = stream.options.text_list("files");
    if (patterns.empty()) patterns.push_back(stream.stream);
    return std::make_unique<FileSource>(std::move(store), std::move(patterns), std::move(reader),
                                        stream.options.place_of("files"));
}

// Each file is a stream that could be read by its own name; a folder of files is better declared with a pattern.
Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    constexpr size_t kShownMax = 1000;
    const auto store = TRY(open_store(options));
    std::vector<StreamInfo> streams;
    TRY(store->list(run, "", [&](std::span<const ObjectInfo> page) -> Result<void> {
        for (const auto& object : page) {
            if (is_own(object.key) || streams.size() >= kShownMax) continue;
            streams.push_back({object.key, std::nullopt, {}, "", {ReadMode::full_refresh, ReadMode::incremental}});
        }
        return {};
    }));
    return streams;
}

}  // namespace shaduf::files
