#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf {

class ParquetEncoders;

enum class ParquetCompression : uint8_t { zstd, none };

struct ParquetOptions {
    ParquetCompression compression = ParquetCompression::zstd;
    int zstd_level = 1;
    // A row group ends at the first batch that reaches either.
    size_t row_group_bytes = 32 << 20;  // encoded and compressed
    size_t row_group_rows = 1 << 20;
    size_t page_bytes = 1 << 20;            // before compression
    size_t dictionary_bytes_max = 2 << 20;  // a column chunk with more distinct values goes on without a dictionary
    std::vector<std::pair<std::string, std::string>> metadata;  // into the footer
};

// What encodes columns: `threads` of them (one: the writer's own), each with the memory in which pages are compressed,
// some megabytes. Writers that take turns on one thread may share it.
std::shared_ptr<ParquetEncoders> make_parquet_encoders(const ParquetOptions& options, size_t threads);

// Writes one Parquet file (parquet-format 2.x, read by all: data pages of version 1, PLAIN and dictionary encoding),
// streaming: bytes go to `sink` from front to back, and only the open row group is held. All columns are optional;
// decimals are INT32 of up to 9 digits, INT64 of up to 18, else FIXED_LEN_BYTE_ARRAY(16), lists the three-level form,
// json a string with the JSON type. Each column chunk has its smallest and largest value and its number of nulls. After
// an error of `sink` the writer is of no further use. Not thread-safe; writers share nothing but the encoders that they
// are given.
class ParquetWriter {
public:
    using ByteSink = std::function<Result<void>(std::string_view bytes)>;

    // `encoders`: made of the same options. Null: one of its own, without a thread.
    ParquetWriter(SchemaPtr schema, ParquetOptions options, ByteSink sink,
                  std::shared_ptr<ParquetEncoders> encoders = nullptr);
    ~ParquetWriter();
    ParquetWriter(const ParquetWriter&) = delete;
    ParquetWriter& operator=(const ParquetWriter&) = delete;

    // REQUIRES: of the schema, as are the rows of the other.
    Result<void> write(const RecordBatch& rows);
    // Some rows of a batch, in that order: a partitioning sink needs no copies of its own.
    Result<void> write_rows(const RecordBatch& batch, std::span<const uint32_t> rows);
    // Ends the open row group, so that its memory is free; the file goes on.
    Result<void> flush();
    // Writes what is left and the footer. Once; nothing after it.
    Result<void> finish();

    size_t buffered_bytes() const;  // about what the open row group will write
    size_t memory_bytes() const;    // that the open row group holds
    uint64_t rows_written() const;
    uint64_t bytes_written() const;  // that `sink` got

private:
    class File;
    std::unique_ptr<File> file_;
};

}  // namespace shaduf
