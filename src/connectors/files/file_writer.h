#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/files/manifest.h"
#include "data/batch.h"
#include "data/parquet_writer.h"
#include "io/object_store.h"

namespace shaduf::files {

enum class WriteFormat : uint8_t { parquet, csv, ndjson };

struct WriterSettings {
    WriteFormat format = WriteFormat::parquet;
    uint64_t file_bytes = 128'000'000;
    int compression_level = 1;
    std::shared_ptr<ParquetEncoders> encoders = nullptr;  // shared by the files of one thread
};

std::string_view ending_of(WriteFormat format);

// Writes one file; nobody sees it before `finish`, and it is gone without. One thread at a time. `run` and the store
// outlive it.
class FileWriter {
public:
    virtual ~FileWriter() = default;
    // REQUIRES: `batch` is of the schema that the writer was opened with.
    virtual Result<void> write(const RecordBatch& batch, std::span<const uint32_t> rows) = 0;
    // Moves what is buffered on, so that memory is free; at the price of a smaller row group.
    virtual Result<void> flush() = 0;
    // Encodes the rest. What `finish` then does is to wait for the store, which may be left to another thread.
    virtual Result<void> end() = 0;
    virtual Result<DataFile> finish() = 0;
    virtual size_t buffered_bytes() const = 0;  // about what is still to be written
    virtual size_t memory_bytes() const = 0;    // that `flush` frees
    virtual size_t upload_bytes() const = 0;    // that only `finish` frees
    virtual uint64_t bytes_written() const = 0;
};

Result<std::unique_ptr<FileWriter>> open_writer(RunContext& run, ObjectStore& store, const std::string& key,
                                                const SchemaPtr& schema, const WriterSettings& settings,
                                                UploadMode mode = UploadMode::replace);
ParquetOptions parquet_options(const WriterSettings& settings);

}  // namespace shaduf::files
