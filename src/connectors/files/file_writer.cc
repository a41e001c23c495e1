#include "connectors/files/file_writer.h"

#include "data/csv_writer.h"
#include "data/ndjson_writer.h"
#include "data/parquet_writer.h"

namespace shaduf::files {
namespace {

class ParquetFileWriter final : public FileWriter {
public:
    ParquetFileWriter(RunContext& run, std::string key, std::unique_ptr<ObjectUpload> upload, const SchemaPtr& schema,
                      const WriterSettings& settings)
        : run_(run),
          key_(std::move(key)),
          upload_(std::move(upload)),
          writer_(
              schema, parquet_options(settings), [this](std::string_view bytes) { return upload_->write(run_, bytes); },
              settings.encoders) {}

    Result<void> write(const RecordBatch& batch, std::span<const uint32_t> rows) override {
        return writer_.write_rows(batch, rows);
    }
    Result<void> flush() override { return writer_.flush(); }
    Result<void> end() override { return std::exchange(ended_, true) ? Result<void>() : writer_.finish(); }
    Result<DataFile> finish() override {
        TRY(end());
        TRY(upload_->finish(run_));
        return DataFile{key_, static_cast<int64_t>(writer_.rows_written()),
                        static_cast<int64_t>(writer_.bytes_written())};
    }
    size_t buffered_bytes() const override { return writer_.buffered_bytes(); }
    size_t memory_bytes() const override { return writer_.memory_bytes(); }
    size_t upload_bytes() const override { return upload_->held_bytes(); }
    uint64_t bytes_written() const override { return writer_.bytes_written(); }

private:
    RunContext& run_;
    const std::string key_;
    std::unique_ptr<ObjectUpload> upload_;
    ParquetWriter writer_;
    bool ended_ = false;
};

// CSV and NDJSON: text is handed on as soon as there is a block of it.
class TextFileWriter final : public FileWriter {
public:
    TextFileWriter(RunContext& run, std::string key, std::unique_ptr<ObjectUpload> upload, WriteFormat format,
                   const Schema& schema)
        : run_(run), key_(std::move(key)), upload_(std::move(upload)), format_(format) {
        if (format_ == WriteFormat::csv) append_csv_header(schema, text_);
    }

    Result<void> write(const RecordBatch& batch, std::span<const uint32_t> rows) override {
        if (format_ == WriteFormat::csv) {
            append_csv_rows(batch, rows, text_);
        } else {
            append_ndjson_rows(batch, rows, text_);
        }
        rows_ += static_cast<int64_t>(rows.size());
        return text_.size() < kBlockBytes ? Result<void>() : flush();
    }
    Result<void> flush() override {
        TRY(upload_->write(run_, text_));
        bytes_ += text_.size();
        text_.clear();
        return {};
    }
    Result<void> end() override { return flush(); }
    Result<DataFile> finish() override {
        TRY(end());
        TRY(upload_->finish(run_));
        return DataFile{key_, rows_, static_cast<int64_t>(bytes_)};
    }
    size_t buffered_bytes() const override { return text_.size(); }
    size_t memory_bytes() const override { return text_.capacity(); }
    size_t upload_bytes() const override { return upload_->held_bytes(); }
    uint64_t bytes_written() const override { return bytes_; }

private:
    static constexpr size_t kBlockBytes = 1 << 20;

    RunContext& run_;
    const std::string key_;
    std::unique_ptr<ObjectUpload> upload_;
    const WriteFormat format_;
    std::string text_;
    int64_t rows_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace

std::string_view ending_of(WriteFormat format) {
    switch (format) {
        case WriteFormat::parquet: return ".parquet";
        case WriteFormat::csv: return ".csv";
        case WriteFormat::ndjson: return ".ndjson";
    }
    return "";
}

ParquetOptions parquet_options(const WriterSettings& settings) {
    ParquetOptions options;
    options.zstd_level = settings.compression_level;
    return options;
}

Result<std::unique_ptr<FileWriter>> open_writer(RunContext& run, ObjectStore& store, const std::string& key,
                                                const SchemaPtr& schema, const WriterSettings& settings,
                                                UploadMode mode) {
    auto upload = TRY(store.start_upload(run, key, mode));
    if (settings.format == WriteFormat::parquet) {
        return std::make_unique<ParquetFileWriter>(run, key, std::move(upload), schema, settings);
    }
    return std::make_unique<TextFileWriter>(run, key, std::move(upload), settings.format, *schema);
}

}  // namespace shaduf::files
