#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/parquet_dictionary.h"
#include "data/parquet_schema.h"
#include "data/parquet_writer.h"

struct ZSTD_CCtx_s;

namespace shaduf {

// Compresses pages; one for all columns of a writer or of many, with the memory that they share.
class ParquetCompressor {
public:
    ParquetCompressor(ParquetCompression compression, int level);
    ~ParquetCompressor();
    ParquetCompressor(const ParquetCompressor&) = delete;
    ParquetCompressor& operator=(const ParquetCompressor&) = delete;
    // Where a page is put together; empty it first.
    BufferBuilder& page() { return page_; }
    // The compressed form of `plain`, until the next call.
    Result<std::string_view> compress(const BufferBuilder& plain);

private:
    ParquetCompression compression_;
    int level_;
    ZSTD_CCtx_s* context_ = nullptr;
    BufferBuilder page_;
    BufferBuilder compressed_;
};

struct ParquetStatistics {
    int64_t null_count = 0;
    // As PLAIN writes the value, without length; nullopt: not known, or too long to be worth it.
    std::optional<std::string> smallest;
    std::optional<std::string> largest;
};

// What the footer says of a column chunk; offsets count from the chunk's first byte.
struct ParquetChunk {
    int64_t values = 0;
    int64_t plain_bytes = 0;
    int64_t compressed_bytes = 0;
    int64_t data_page_offset = 0;
    bool has_dictionary = false;
    bool has_plain = false;
    ParquetStatistics statistics;
};

// Encodes one leaf column, chunk after chunk. Values go into a dictionary first; where that grows too large, or has
// hardly fewer entries than there are values, the rest of the chunk is PLAIN. Pages are compressed as they fill up.
class ParquetColumnWriter {
public:
    // `try_dictionary`: false where one is known to be of no use.
    ParquetColumnWriter(ParquetLeaf leaf, const ParquetOptions& options, bool try_dictionary);

    const ParquetLeaf& leaf() const { return leaf_; }
    bool tries_dictionary() const { return try_dictionary_; }
    // Rows of a column that is a leaf itself.
    Result<void> append_rows(const Column& column, size_t rows, ParquetCompressor& compressor);
    Result<void> append_rows(const Column& column, std::span<const uint32_t> rows, ParquetCompressor& compressor);
    // One value of a nested column. REQUIRES: not null
    void append_value(const Column& column, size_t row, uint8_t repetition);
    void append_missing(uint8_t repetition, uint8_t definition);
    // Call now and then after the two above: ends the page when it is full.
    Result<void> end_slice(ParquetCompressor& compressor);

    size_t buffered_bytes() const;  // about what is to be written
    size_t memory_bytes() const;    // what is held
    // Appends the whole chunk to `out` and starts the next.
    Result<ParquetChunk> finish_chunk(BufferBuilder& out, ParquetCompressor& compressor);

private:
    template <typename Rows>
    Result<void> append_all(const Column& column, const Rows& rows, size_t count, ParquetCompressor& compressor);
    template <typename Rows>
    void append_slice(const Column& column, const Rows& rows, size_t begin, size_t end);
    template <typename Rows, typename Put>
    void each_present(const Column& column, const Rows& rows, size_t begin, size_t end, const Put& put);
    template <typename Rows>
    void append_values(const Column& column, const Rows& rows, size_t begin, size_t end);
    void put_int64(int64_t value);
    void put_int32(int32_t value);
    void put_float64(double value);
    void put_decimal(int128 value);
    void put_fixed_bytes(std::string_view bytes);
    void put_text(std::string_view text);
    void put_dictionary_text(std::string_view text, uint64_t hash);
    template <typename Rows>
    void put_int64s(const Column& column, const Rows& rows, size_t begin, size_t end);
    template <typename Rows>
    void put_texts(const Column& column, const Rows& rows, size_t begin, size_t end);
    void note_text(std::string_view text);
    bool dictionary_is_useless() const;
    size_t page_values() const { return definitions_.size(); }
    Result<void> flush_page(ParquetCompressor& compressor);
    void append_page_values(BufferBuilder& page);
    Result<void> write_dictionary_page(BufferBuilder& out, ParquetCompressor& compressor);
    std::string page_header(size_t plain_bytes, size_t compressed_bytes, bool is_dictionary) const;
    void take_statistics();
    void release_memory();

    ParquetLeaf leaf_;
    const ParquetOptions& options_;

    bool try_dictionary_;  // until it has failed once
    bool use_dictionary_;
    ParquetDictionary dictionary_;
    // The open page.
    std::vector<uint32_t> indices_;
    BufferBuilder plain_;
    std::vector<uint8_t> booleans_;
    std::vector<uint8_t> definitions_;
    std::vector<uint8_t> repetitions_;
    // The open chunk.
    BufferBuilder pages_;
    ParquetChunk chunk_;
    size_t present_ = 0;
    // Statistics; which are used follows from the type.
    int64_t int_min_ = 0;
    int64_t int_max_ = 0;
    double float_min_ = 0;
    double float_max_ = 0;
    int128 decimal_min_ = 0;
    int128 decimal_max_ = 0;
    std::string text_min_;
    std::string text_max_;
    bool has_range_ = false;
};

}  // namespace shaduf
