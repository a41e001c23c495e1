#include "connectors/files/reader.h"

#include <array>

#include "base/text.h"
#include "data/csv.h"
#include "data/json_page.h"
#include "data/ndjson.h"
#include "io/compression.h"

namespace shaduf::files {
namespace {

constexpr uint64_t kBlockBytes = 2 << 20;
constexpr uint64_t kSampleBytes = 256 << 10;  // what CsvSplitter looks at as well
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr uint64_t kDocumentBytesMax = 512ULL << 20;

Error in_file(const Error& error, const std::string& name) {
    if (!error.place().empty()) return error;
    Place place;
    place.position = name;
    return error.at(place);
}

// The decompressed text of an object, block by block.
class TextBlocks {
public:
    TextBlocks(std::unique_ptr<ObjectReader> object, Compression compression)
        : object_(std::move(object)), compression_(compression), decompressor_(Decompressor::create(compression)) {}

    const std::unique_ptr<ObjectReader>& object() const { return object_; }
    // The next bytes are those at `offset` of the text.
    void start_at(uint64_t offset) {
        if (compression_ == Compression::none) {
            at_ = offset;
        } else {
            skip_ = offset;  // what is compressed can only be passed over
        }
    }

    // False at the end. Appends at least one byte otherwise.
    Result<bool> append_block(RunContext& run, BufferBuilder& out) {
        const size_t before = out.size();
        while (out.size() == before) {
            TRY(run.cancellation.check());
            if (at_ >= object_->info().size) {
                TRY(decompressor_->finish());
                return false;
            }
            const BufferPtr bytes = TRY(object_->read_at(run, at_, kBlockBytes));
            if (bytes->size() == 0) return Error(ErrorKind::unavailable, "file became shorter while it was read");
            at_ += bytes->size();
            TRY(append_behind_skipped(bytes->view(), out));
        }
        return true;
    }

private:
    Result<void> append_behind_skipped(std::string_view bytes, BufferBuilder& out) {
        if (skip_ == 0) return decompressor_->feed(bytes, out);
        BufferBuilder passed;
        TRY(decompressor_->feed(bytes, passed));
        const size_t dropped = std::min<uint64_t>(skip_, passed.size());
        skip_ -= dropped;
        out.append(passed.data() + dropped, passed.size() - dropped);
        return {};
    }

    std::unique_ptr<ObjectReader> object_;
    const Compression compression_;
    std::unique_ptr<Decompressor> decompressor_;
    uint64_t at_ = 0;    // in the object
    uint64_t skip_ = 0;  // bytes of text still to be passed over
};

// Formats of one record after the other: the splitter cuts what the blocks bring.
template <typename Splitter>
class TextReader final : public FileReader {
public:
    TextReader(std::string name, TextBlocks blocks, Splitter splitter)
        : name_(std::move(name)), blocks_(std::move(blocks)), splitter_(std::move(splitter)) {}

    Result<std::optional<ReadBatch>> next(RunContext& run) override {
        while (!ended_) {
            auto more = blocks_.append_block(run, splitter_.input());
            if (!more.ok()) return in_file(more.release_error(), name_);
            ended_ = !more.release_value();
            RawRows rows = ended_ ? splitter_.finish() : splitter_.take();
            if (!rows.rows.empty()) return std::optional<ReadBatch>(ReadBatch{std::move(rows), std::nullopt, name_});
        }
        return std::optional<ReadBatch>();
    }
    uint64_t offset() const override { return splitter_.offset(); }
    int64_t line() const override { return splitter_.line(); }

private:
    const std::string name_;
    TextBlocks blocks_;
    Splitter splitter_;
    bool ended_ = false;
};

// A file that is one JSON document; read whole, given out in one batch. Its offset is 1 behind that batch.
class DocumentReader final : public FileReader {
public:
    DocumentReader(std::string name, TextBlocks blocks, JsonPath records, uint64_t offset)
        : name_(std::move(name)), blocks_(std::move(blocks)), records_(std::move(records)), offset_(offset) {}

    Result<std::optional<ReadBatch>> next(RunContext& run) override {
        if (offset_ > 0) return std::optional<ReadBatch>();
        for (bool more = true; more;) {
            auto appended = blocks_.append_block(run, text_);
            if (!appended.ok()) return in_file(appended.release_error(), name_);
            more = appended.release_value();
            if (text_.size() > kDocumentBytesMax) {
                return Error(ErrorKind::bad_data, "JSON document is larger than " + format_bytes(kDocumentBytesMax) +
                                                      ": " + name_ + "; write one record a line (ndjson)");
            }
        }
        auto page = JsonPage::parse(text_.finish(), name_);
        if (!page.ok()) return Error(ErrorKind::bad_data, page.error().message());
        const JsonPage document = page.release_value();
        RawRows rows;
        rows.rows = TRY(document.records(records_));
        rows.text = document.body();
        rows.place = name_;
        offset_ = 1;
        return std::optional<ReadBatch>(ReadBatch{std::move(rows), std::nullopt, name_});
    }
    uint64_t offset() const override { return offset_; }

private:
    const std::string name_;
    TextBlocks blocks_;
    const JsonPath records_;
    BufferBuilder text_;
    uint64_t offset_ = 0;
};

CsvOptions csv_options(const ReaderSettings& settings) {
    CsvOptions options;
    if (settings.delimiter == "\\t") {
        options.delimiter = '\t';
    } else if (!settings.delimiter.empty()) {
        options.delimiter = settings.delimiter.front();
    }
    if (!settings.quote.empty()) options.quote = settings.quote.front();
    options.names = settings.header;
    if (!settings.header.empty()) options.header = CsvHeader::absent;
    options.null_text = settings.null_text;
    return options;
}

Result<std::string> start_of(RunContext& run, ObjectReader& object, Compression compression) {
    const BufferPtr start = TRY(object.read_at(run, 0, kSampleBytes));
    BufferBuilder text;
    TRY(Decompressor::create(compression)->feed(start->view(), text));
    std::string_view seen(reinterpret_cast<const char*>(text.data()), text.size());
    if (seen.starts_with(kByteOrderMark)) seen.remove_prefix(kByteOrderMark.size());
    return std::string(seen.substr(0, kSampleBytes));
}

// A load that goes on in the middle of a file needs what its beginning said.
Result<std::shared_ptr<const CsvDialect>> sniff_start(RunContext& run, ObjectReader& object, Compression compression,
                                                      const CsvOptions& options) {
    const std::string sample = TRY(start_of(run, object, compression));
    return std::make_shared<const CsvDialect>(sniff_csv(sample, options).dialect);
}

// Whether a .json file is one document, not one a line: it begins with a list, or records are looked for inside it.
Result<bool> is_document(RunContext& run, ObjectReader& object, Compression compression,
                         const ReaderSettings& settings) {
    if (!settings.records.empty() || settings.format == FileFormat::json) return true;
    const std::string start = TRY(start_of(run, object, compression));
    return trim(start).starts_with('[');
}

struct Ending {
    std::string_view text;
    FileFormat format;
};
constexpr std::array<Ending, 6> kEndings{{{".ndjson", FileFormat::ndjson},
                                          {".jsonl", FileFormat::ndjson},
                                          {".json", FileFormat::json},
                                          {".csv", FileFormat::csv},
                                          {".tsv", FileFormat::csv},
                                          {".parquet", FileFormat::parquet}}};

}  // namespace

FileFormat format_of(std::string_view name) {
    const std::string plain = to_lower(without_compression(name));
    for (const auto& ending : kEndings) {
        if (plain.ends_with(ending.text)) return ending.format;
    }
    return FileFormat::ndjson;
}

Result<std::shared_ptr<const CsvDialect>> dialect_of_file(RunContext& run, ObjectStore& store, const std::string& key,
                                                          const ReaderSettings& settings) {
    const FileFormat format = settings.format == FileFormat::automatic ? format_of(key) : settings.format;
    if (format != FileFormat::csv) return std::shared_ptr<const CsvDialect>();
    auto object = TRY(store.open(run, key));
    if (object == nullptr) {
        return Error(ErrorKind::bad_data,
                     "file of a CSV row is gone, and with it the row's header: " + store.name_of(key) +
                         "; put it back, or give the row as JSON: --id ID --text '{...}'");
    }
    auto dialect = sniff_start(run, *object, compression_of(key), csv_options(settings));
    if (!dialect.ok()) return in_file(dialect.release_error(), store.name_of(key));
    return dialect;
}

Result<std::unique_ptr<FileReader>> open_file(RunContext& run, ObjectStore& store, const std::string& key,
                                              const ReaderSettings& settings,
                                              const std::optional<Ledger::Position>& resume) {
    auto object = TRY(store.open(run, key));
    const std::string name = store.name_of(key);
    if (object == nullptr) return Error(ErrorKind::unavailable, "file vanished while it was read: " + name);
    FileFormat format = settings.format == FileFormat::automatic ? format_of(key) : settings.format;
    const uint64_t offset = resume ? resume->offset : 0;
    if (format == FileFormat::parquet) return make_parquet_reader(store, std::move(object), offset);
    const Compression compression = compression_of(key);
    if (format == FileFormat::json) {
        auto document = is_document(run, *object, compression, settings);
        if (!document.ok()) return in_file(document.release_error(), name);
        if (!document.release_value()) format = FileFormat::ndjson;
    }
    TextBlocks blocks(std::move(object), compression);
    if (format == FileFormat::json) {
        return std::make_unique<DocumentReader>(name, std::move(blocks), parse_json_path(settings.records), offset);
    }
    if (format == FileFormat::ndjson) {
        NdjsonSplitter splitter(name);
        if (resume) {
            splitter.resume_at(resume->line, offset);
            blocks.start_at(offset);
        }
        return std::make_unique<TextReader<NdjsonSplitter>>(name, std::move(blocks), std::move(splitter));
    }
    CsvSplitter splitter(name, csv_options(settings));
    if (resume) {
        auto dialect = sniff_start(run, *blocks.object(), compression, csv_options(settings));
        if (!dialect.ok()) return in_file(dialect.release_error(), name);
        splitter.resume_at(resume->line, offset, dialect.release_value());
        blocks.start_at(offset);
    }
    return std::make_unique<TextReader<CsvSplitter>>(name, std::move(blocks), std::move(splitter));
}

}  // namespace shaduf::files
