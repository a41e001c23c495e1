#include "data/parquet_column.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/parquet_encoding.h"

namespace shaduf {
namespace {

// Rows that are appended before the limits of page and dictionary are looked at again.
constexpr size_t kSliceRows = 4096;
// With the slice that comes over it still less than a power of two, to which vectors grow.
constexpr size_t kPageValuesMax = 128 * 1024 - kSliceRows;
constexpr size_t kStatisticsTextMax = 256;
// From this many values on a dictionary must have clearly fewer entries than there are values.
constexpr size_t kDictionaryTrialValues = 64 * 1024;

constexpr int32_t kPlain = 0;
constexpr int32_t kRle = 3;
constexpr int32_t kRleDictionary = 8;

struct AllRows {
    size_t operator[](size_t i) const { return i; }
};

std::string big_endian(int128 value) {
    std::string bytes(kParquetFixedBytes, '\0');
    for (size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xFF);
    return bytes;
}

template <typename T>
std::string bytes_of(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <typename T>
void widen_range(T value, bool is_first, T& low, T& high) {
    low = is_first || value < low ? value : low;
    high = is_first || value > high ? value : high;
}

}  // namespace

ParquetCompressor::ParquetCompressor(ParquetCompression compression, int level)
    : compression_(compression), level_(level) {
    if (compression_ == ParquetCompression::zstd) context_ = ZSTD_createCCtx();
}

ParquetCompressor::~ParquetCompressor() { ZSTD_freeCCtx(context_); }

Result<std::string_view> ParquetCompressor::compress(const BufferBuilder& plain) {
    if (compression_ == ParquetCompression::none) {
        return std::string_view(reinterpret_cast<const char*>(plain.data()), plain.size());
    }
    const size_t bound = ZSTD_compressBound(plain.size());
    compressed_.resize(0);
    compressed_.reserve(bound);
    const size_t size = ZSTD_compressCCtx(context_, compressed_.data(), bound, plain.data(), plain.size(), level_);
    if (ZSTD_isError(size) != 0) {
        return Error(ErrorKind::internal, std::string("zstd failed to compress a page: ") + ZSTD_getErrorName(size));
    }
    return std::string_view(reinterpret_cast<const char*>(compressed_.data()), size);
}

ParquetColumnWriter::ParquetColumnWriter(ParquetLeaf leaf, const ParquetOptions& options, bool try_dictionary)
    : leaf_(std::move(leaf)),
      options_(options),
      try_dictionary_(try_dictionary && leaf_.physical != ParquetPhysical::boolean),
      use_dictionary_(try_dictionary_) {}

// ---------------------------------------------------------------------------------------------------------- values

void ParquetColumnWriter::put_int64(int64_t value) {
    widen_range(value, !has_range_, int_min_, int_max_);
    has_range_ = true;
    if (use_dictionary_) {
        indices_.push_back(dictionary_.index_of_word(static_cast<uint64_t>(value), sizeof value));
    } else {
        plain_.append_value(value);
    }
}

void ParquetColumnWriter::put_int32(int32_t value) {
    widen_range<int64_t>(value, !has_range_, int_min_, int_max_);
    has_range_ = true;
    if (use_dictionary_) {
        indices_.push_back(dictionary_.index_of_word(static_cast<uint32_t>(value), sizeof value));
    } else {
        plain_.append_value(value);
    }
}

void ParquetColumnWriter::put_float64(double value) {
    if (!std::isnan(value)) {
        widen_range(value, !has_range_, float_min_, float_max_);
        has_range_ = true;
    }
    if (use_dictionary_) {
        uint64_t word = 0;
        std::memcpy(&word, &value, sizeof word);
        indices_.push_back(dictionary_.index_of_word(word, sizeof word));
    } else {
        plain_.append_value(value);
    }
}

void ParquetColumnWriter::put_decimal(int128 value) {
    widen_range(value, !has_range_, decimal_min_, decimal_max_);
    has_range_ = true;
    put_fixed_bytes(big_endian(value));
}

void ParquetColumnWriter::put_fixed_bytes(std::string_view bytes) {
    if (use_dictionary_) {
        indices_.push_back(dictionary_.index_of_text(bytes, false));
    } else {
        plain_.append(bytes);
    }
}

void ParquetColumnWriter::note_text(std::string_view text) {
    if (!has_range_ || text < text_min_) text_min_ = text;
    if (!has_range_ || text > text_max_) text_max_ = text;
    has_range_ = true;
}

void ParquetColumnWriter::put_dictionary_text(std::string_view text, uint64_t hash) {
    const size_t before = dictionary_.size();
    indices_.push_back(dictionary_.index_of_text(text, true, hash));
    if (dictionary_.size() != before) note_text(text);
}

void ParquetColumnWriter::put_text(std::string_view text) {
    if (use_dictionary_) return put_dictionary_text(text, ParquetDictionary::hash_of(text));
    note_text(text);
    plain_.append_value(static_cast<uint32_t>(text.size()));
    plain_.append(text);
}

// ------------------------------------------------------------------------------------------------------------ rows

template <typename Rows, typename Put>
void ParquetColumnWriter::each_present(const Column& column, const Rows& rows, size_t begin, size_t end,
                                       const Put& put) {
    if (column.null_count == 0) {
        for (size_t i = begin; i < end; ++i) put(rows[i]);
        return;
    }
    for (size_t i = begin; i < end; ++i) {
        if (!column.is_null(rows[i])) put(rows[i]);
    }
}

template <typename Rows>
void ParquetColumnWriter::put_int64s(const Column& column, const Rows& rows, size_t begin, size_t end) {
    const int64_t* values = column.values->as<int64_t>();
    if (use_dictionary_ && dictionary_.exceeds_cache()) {
        constexpr size_t kAhead = 32;
        const auto hash_at = [&](size_t i) {
            return ParquetDictionary::hash_of(static_cast<uint64_t>(values[rows[i]]));
        };
        for (size_t i = begin; i < end; i += kAhead) {
            const size_t stop = std::min(end, i + kAhead);
            for (size_t j = i; j < stop; ++j) dictionary_.prefetch_slot(hash_at(j));
            for (size_t j = i; j < stop; ++j) dictionary_.prefetch_word(hash_at(j), sizeof(int64_t));
            each_present(column, rows, i, stop, [&](size_t row) { put_int64(values[row]); });
        }
        return;
    }
    if (!use_dictionary_) return each_present(column, rows, begin, end, [&](size_t row) { put_int64(values[row]); });
    // Equal neighbours, as in a column that says when the rows were loaded, need no look into the dictionary.
    bool any = false;
    int64_t last = 0;
    each_present(column, rows, begin, end, [&](size_t row) {
        if (any && values[row] == last) return indices_.push_back(indices_.back());
        any = true;
        put_int64(last = values[row]);
    });
}

template <typename Rows>
void ParquetColumnWriter::put_texts(const Column& column, const Rows& rows, size_t begin, size_t end) {
    const auto* offsets = column.offsets->as<int32_t>();
    const char* values = column.values->as<char>();
    const auto text_at = [&](size_t row) {
        return std::string_view(values + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row]));
    };
    if (!use_dictionary_) return each_present(column, rows, begin, end, [&](size_t row) { put_text(text_at(row)); });
    if (!dictionary_.exceeds_cache()) {
        std::optional<std::string_view> last;
        return each_present(column, rows, begin, end, [&](size_t row) {
            const std::string_view text = text_at(row);
            if (last == text) return indices_.push_back(indices_.back());
            last = text;
            put_text(text);
        });
    }
    constexpr size_t kBlock = 64;
    std::array<std::string_view, kBlock> texts;
    std::array<uint64_t, kBlock> hashes;
    size_t count = 0;
    const auto put_block = [&] {
        for (size_t i = 0; i < count; ++i) dictionary_.prefetch_entry(hashes[i]);
        for (size_t i = 0; i < count; ++i) dictionary_.prefetch_text(hashes[i]);
        for (size_t i = 0; i < count; ++i) put_dictionary_text(texts[i], hashes[i]);
        count = 0;
    };
    each_present(column, rows, begin, end, [&](size_t row) {
        texts[count] = text_at(row);
        hashes[count] = ParquetDictionary::hash_of(texts[count]);
        dictionary_.prefetch_slot(hashes[count]);
        if (++count == kBlock) put_block();
    });
    put_block();
}

template <typename Rows>
void ParquetColumnWriter::append_values(const Column& column, const Rows& rows, size_t begin, size_t end) {
    const auto each = [&](const auto& put) { each_present(column, rows, begin, end, put); };
    const bool is_decimal = leaf_.kind == TypeKind::decimal;
    switch (leaf_.physical) {
        case ParquetPhysical::boolean:
            return each([&](size_t row) { booleans_.push_back(column.boolean_at(row) ? 1 : 0); });
        case ParquetPhysical::int32:
            if (is_decimal) return each([&](size_t row) { put_int32(static_cast<int32_t>(column.decimal_at(row))); });
            return each([&](size_t row) { put_int32(column.date_at(row)); });
        case ParquetPhysical::int64:
            if (is_decimal) return each([&](size_t row) { put_int64(static_cast<int64_t>(column.decimal_at(row))); });
            return put_int64s(column, rows, begin, end);
        case ParquetPhysical::float64: return each([&](size_t row) { put_float64(column.float64_at(row)); });
        case ParquetPhysical::fixed_bytes:
            if (is_decimal) return each([&](size_t row) { put_decimal(column.decimal_at(row)); });
            return each([&](size_t row) {
                note_text(column.uuid_at(row));
                put_fixed_bytes(column.uuid_at(row));
            });
        case ParquetPhysical::bytes: return put_texts(column, rows, begin, end);
    }
}

template <typename Rows>
void ParquetColumnWriter::append_slice(const Column& column, const Rows& rows, size_t begin, size_t end) {
    const size_t levels_at = definitions_.size();
    definitions_.resize(levels_at + end - begin, 1);
    size_t nulls = 0;
    if (column.null_count > 0) {
        for (size_t i = begin; i < end; ++i) {
            const bool is_null = column.is_null(rows[i]);
            definitions_[levels_at + i - begin] = is_null ? 0 : 1;
            nulls += is_null ? 1 : 0;
        }
    }
    chunk_.statistics.null_count += static_cast<int64_t>(nulls);
    present_ += end - begin - nulls;
    append_values(column, rows, begin, end);
}

template <typename Rows>
Result<void> ParquetColumnWriter::append_all(const Column& column, const Rows& rows, size_t count,
                                             ParquetCompressor& compressor) {
    for (size_t begin = 0; begin < count; begin += kSliceRows) {
        append_slice(column, rows, begin, std::min(count, begin + kSliceRows));
        TRY(end_slice(compressor));
    }
    return {};
}

Result<void> ParquetColumnWriter::append_rows(const Column& column, size_t rows, ParquetCompressor& compressor) {
    return append_all(column, AllRows{}, rows, compressor);
}

Result<void> ParquetColumnWriter::append_rows(const Column& column, std::span<const uint32_t> rows,
                                              ParquetCompressor& compressor) {
    return append_all(column, rows, rows.size(), compressor);
}

void ParquetColumnWriter::append_value(const Column& column, size_t row, uint8_t repetition) {
    definitions_.push_back(leaf_.definition_max);
    if (leaf_.repetition_max > 0) repetitions_.push_back(repetition);
    ++present_;
    const std::array<uint32_t, 1> rows{static_cast<uint32_t>(row)};
    append_values(column, std::span<const uint32_t>(rows), 0, 1);
}

void ParquetColumnWriter::append_missing(uint8_t repetition, uint8_t definition) {
    definitions_.push_back(definition);
    if (leaf_.repetition_max > 0) repetitions_.push_back(repetition);
    ++chunk_.statistics.null_count;
}

bool ParquetColumnWriter::dictionary_is_useless() const {
    if (dictionary_.page().size() > options_.dictionary_bytes_max) return true;
    return present_ >= kDictionaryTrialValues && dictionary_.size() * 5 > present_ * 4;
}

Result<void> ParquetColumnWriter::end_slice(ParquetCompressor& compressor) {
    if (use_dictionary_ && dictionary_is_useless()) {
        TRY(flush_page(compressor));
        use_dictionary_ = try_dictionary_ = false;
    }
    if (page_values() >= kPageValuesMax || plain_.size() >= options_.page_bytes) TRY(flush_page(compressor));
    return {};
}

// ----------------------------------------------------------------------------------------------------------- pages

void ParquetColumnWriter::append_page_values(BufferBuilder& page) {
    if (leaf_.physical == ParquetPhysical::boolean) {
        append_packed_booleans(booleans_, page);
    } else if (use_dictionary_) {
        const int width = bits_for(dictionary_.size() == 0 ? 0 : static_cast<uint32_t>(dictionary_.size() - 1));
        page.append_value(static_cast<uint8_t>(width));
        append_rle_hybrid(indices_, width, page);
    } else {
        page.append(plain_.data(), plain_.size());
    }
}

Result<void> ParquetColumnWriter::flush_page(ParquetCompressor& compressor) {
    if (page_values() == 0) return {};
    BufferBuilder& page = compressor.page();
    page.resize(0);
    if (leaf_.repetition_max > 0) append_levels(repetitions_, bits_for(leaf_.repetition_max), page);
    append_levels(definitions_, bits_for(leaf_.definition_max), page);
    append_page_values(page);
    const std::string_view compressed = TRY(compressor.compress(page));
    const std::string header = page_header(page.size(), compressed.size(), false);
    pages_.append(header);
    pages_.append(compressed);
    chunk_.values += static_cast<int64_t>(page_values());
    chunk_.plain_bytes += static_cast<int64_t>(header.size() + page.size());
    chunk_.has_dictionary = chunk_.has_dictionary || use_dictionary_;
    chunk_.has_plain = chunk_.has_plain || !use_dictionary_;
    indices_.clear();
    plain_.resize(0);
    booleans_.clear();
    definitions_.clear();
    repetitions_.clear();
    return {};
}

std::string ParquetColumnWriter::page_header(size_t plain_bytes, size_t compressed_bytes, bool is_dictionary) const {
    ThriftCompactWriter out;
    out.i32(1, is_dictionary ? 2 : 0);
    out.i32(2, static_cast<int32_t>(plain_bytes));
    out.i32(3, static_cast<int32_t>(compressed_bytes));
    if (is_dictionary) {
        out.begin_struct(7);
        out.i32(1, static_cast<int32_t>(dictionary_.size()));
        out.i32(2, kPlain);
    } else {
        out.begin_struct(5);
        out.i32(1, static_cast<int32_t>(page_values()));
        out.i32(2, use_dictionary_ ? kRleDictionary : kPlain);
        out.i32(3, kRle);
        out.i32(4, kRle);
    }
    out.end_struct();
    return out.finish();
}

Result<void> ParquetColumnWriter::write_dictionary_page(BufferBuilder& out, ParquetCompressor& compressor) {
    const std::string_view compressed = TRY(compressor.compress(dictionary_.page()));
    const std::string header = page_header(dictionary_.page().size(), compressed.size(), true);
    out.append(header);
    out.append(compressed);
    chunk_.plain_bytes += static_cast<int64_t>(header.size() + dictionary_.page().size());
    return {};
}

void ParquetColumnWriter::take_statistics() {
    ParquetStatistics& result = chunk_.statistics;
    if (!has_range_) return;
    switch (leaf_.physical) {
        case ParquetPhysical::boolean: break;
        case ParquetPhysical::int32:
            result.smallest = bytes_of(static_cast<int32_t>(int_min_));
            result.largest = bytes_of(static_cast<int32_t>(int_max_));
            break;
        case ParquetPhysical::int64:
            result.smallest = bytes_of(int_min_);
            result.largest = bytes_of(int_max_);
            break;
        case ParquetPhysical::float64:  // so that both zeros are inside
            result.smallest = bytes_of(float_min_ == 0 ? -0.0 : float_min_);
            result.largest = bytes_of(float_max_ == 0 ? 0.0 : float_max_);
            break;
        case ParquetPhysical::fixed_bytes: {
            const bool is_uuid = leaf_.kind == TypeKind::uuid;
            result.smallest = is_uuid ? text_min_ : big_endian(decimal_min_);
            result.largest = is_uuid ? text_max_ : big_endian(decimal_max_);
            break;
        }
        case ParquetPhysical::bytes:
            if (text_min_.size() <= kStatisticsTextMax) result.smallest = text_min_;
            if (text_max_.size() <= kStatisticsTextMax) result.largest = text_max_;
            break;
    }
    has_range_ = false;
}

Result<ParquetChunk> ParquetColumnWriter::finish_chunk(BufferBuilder& out, ParquetCompressor& compressor) {
    TRY(flush_page(compressor));
    const size_t begin = out.size();
    if (chunk_.has_dictionary) TRY(write_dictionary_page(out, compressor));
    chunk_.data_page_offset = static_cast<int64_t>(out.size() - begin);
    out.append(pages_.data(), pages_.size());
    chunk_.compressed_bytes = static_cast<int64_t>(out.size() - begin);
    take_statistics();
    ParquetChunk chunk = std::exchange(chunk_, ParquetChunk());
    release_memory();
    present_ = 0;
    use_dictionary_ = try_dictionary_;
    return chunk;
}

// A file may see no rows for long: what one of many keeps for later adds up.
void ParquetColumnWriter::release_memory() {
    pages_ = BufferBuilder();
    plain_ = BufferBuilder();
    dictionary_.clear();
    indices_ = std::vector<uint32_t>();
    booleans_ = std::vector<uint8_t>();
    definitions_ = std::vector<uint8_t>();
    repetitions_ = std::vector<uint8_t>();
}

size_t ParquetColumnWriter::buffered_bytes() const {
    return pages_.size() + dictionary_.memory_bytes() + indices_.size() * sizeof(uint32_t) + plain_.size() +
           booleans_.size() + definitions_.size() + repetitions_.size();
}

size_t ParquetColumnWriter::memory_bytes() const {
    return pages_.capacity() + dictionary_.memory_bytes() + indices_.capacity() * sizeof(uint32_t) + plain_.capacity() +
           booleans_.capacity() + definitions_.capacity() + repetitions_.capacity();
}

}  // namespace shaduf
