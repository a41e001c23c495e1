#include "data/parquet_writer.h"

#include <atomic>
#include <deque>
#include <set>

#include "base/assert.h"
#include "base/lanes.h"
#include "data/parquet_column.h"
#include "data/parquet_schema.h"
#include "version.h"

namespace shaduf {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr size_t kNestedSliceRows = 1024;

// One value of a nested column into its leaves: Dremel's repetition and definition levels (Melnik et al., "Dremel:
// Interactive Analysis of Web-Scale Datasets", 2010).
class Shredder {
public:
    explicit Shredder(std::span<ParquetColumnWriter> leaves) : leaves_(leaves) {}

    // `definition`: the level of what encloses the value.
    void shred(const Column& column, size_t row, uint8_t repetition, uint8_t definition) {
        if (column.is_null(row)) return shred_missing(column.type, repetition, definition);
        ++definition;
        switch (column.type.kind()) {
            case TypeKind::structure:
                for (const auto& child : column.children) shred(child, row, repetition, definition);
                break;
            case TypeKind::list: shred_list(column, row, repetition, definition); break;
            default: leaves_[next_++].append_value(column, row, repetition);
        }
    }

private:
    void shred_list(const Column& column, size_t row, uint8_t repetition, uint8_t definition) {
        const int32_t* at = column.offsets->as<int32_t>();
        if (at[row] == at[row + 1]) return shred_missing(column.type, repetition, definition);
        const size_t first_leaf = next_;
        ++depth_;
        const auto repeated = static_cast<uint8_t>(depth_);
        for (int32_t item = at[row]; item < at[row + 1]; ++item) {
            next_ = first_leaf;
            const uint8_t level = item == at[row] ? repetition : repeated;
            shred(column.children[0], static_cast<size_t>(item), level, static_cast<uint8_t>(definition + 1));
        }
        --depth_;
    }
    void shred_missing(const DataType& type, uint8_t repetition, uint8_t definition) {
        if (!type.is_nested()) return leaves_[next_++].append_missing(repetition, definition);
        for (const auto& child : type.children()) shred_missing(child.type, repetition, definition);
    }

    std::span<ParquetColumnWriter> leaves_;
    size_t next_ = 0;
    uint8_t depth_ = 0;
};

size_t count_leaves(const DataType& type) {
    if (!type.is_nested()) return 1;
    size_t count = 0;
    for (const auto& child : type.children()) count += count_leaves(child.type);
    return count;
}

// Fewer rows are encoded before another thread has woken up.
constexpr size_t kRowsWorthThreads = 4096;

struct RowGroup {
    std::vector<ParquetChunk> chunks;
    std::vector<int64_t> offsets;  // in the file, by chunk
    int64_t rows = 0;
};

}  // namespace

class ParquetEncoders {
public:
    ParquetEncoders(const ParquetOptions& options, size_t threads) : lanes_(threads) {
        for (size_t i = 0; i < threads; ++i) compressors_.emplace_back(options.compression, options.zstd_level);
    }

    // Calls `work` once for each number below `count`, on as many threads as there are, which take the next one each.
    using Work = std::function<Result<void>(size_t i, ParquetCompressor& compressor)>;
    Result<void> each(size_t count, const Work& work) {
        std::atomic<size_t> next{0};
        return lanes_.run([&](size_t lane) -> Result<void> {
            for (size_t i = next++; i < count; i = next++) TRY(work(i, compressors_[lane]));
            return {};
        });
    }
    // The same in turn.
    Result<void> each_alone(size_t count, const Work& work) {
        for (size_t i = 0; i < count; ++i) TRY(work(i, compressors_[0]));
        return {};
    }

    // Whether a dictionary may be of use, by what was noted of columns of the same name: what one file has found out,
    // the next ones need not.
    bool wants_dictionary(const ParquetLeaf& leaf) const { return !without_dictionary_.contains(leaf.path); }
    void note(const ParquetColumnWriter& column) {
        if (!column.tries_dictionary()) without_dictionary_.insert(column.leaf().path);
    }

private:
    std::deque<ParquetCompressor> compressors_;  // by lane
    std::set<std::vector<std::string>> without_dictionary_;
    Lanes lanes_;
};

class ParquetWriter::File {
public:
    File(SchemaPtr schema, ParquetOptions options, ByteSink sink, std::shared_ptr<ParquetEncoders> encoders)
        : schema_(std::move(schema)),
          options_(std::move(options)),
          sink_(std::move(sink)),
          encoders_(encoders != nullptr ? std::move(encoders) : make_parquet_encoders(options_, 1)) {
        for (auto& leaf : parquet_leaves(*schema_)) {
            const bool try_dictionary = encoders_->wants_dictionary(leaf);
            columns_.emplace_back(std::move(leaf), options_, try_dictionary);
        }
        size_t leaf = 0;
        for (const auto& field : schema_->fields()) {
            first_leaf_.push_back(leaf);
            leaf += count_leaves(field.type);
        }
    }

    // Rows is either a number of rows, from the first on, or a span of row numbers.
    template <typename Rows>
    Result<void> append(const RecordBatch& batch, const Rows& rows, size_t count) {
        SHADUF_ASSERT(batch.columns().size() == schema_->size());
        const auto append_column = [&](size_t i, ParquetCompressor& compressor) -> Result<void> {
            const Column& column = batch.column(i);
            if (!column.type.is_nested()) return columns_[first_leaf_[i]].append_rows(column, rows, compressor);
            const auto leaves = std::span(columns_).subspan(first_leaf_[i], count_leaves(column.type));
            return append_nested(column, rows, count, leaves, compressor);
        };
        TRY(count >= kRowsWorthThreads ? encoders_->each(schema_->size(), append_column)
                                       : encoders_->each_alone(schema_->size(), append_column));
        group_rows_ += count;
        rows_ += count;
        if (group_rows_ >= options_.row_group_rows || buffered_bytes() >= options_.row_group_bytes) return end_group();
        return {};
    }

    Result<void> end_group();
    Result<void> finish();
    size_t buffered_bytes() const {
        size_t bytes = 0;
        for (const auto& column : columns_) bytes += column.buffered_bytes();
        return bytes;
    }
    size_t memory_bytes() const {
        size_t bytes = 0;
        for (const auto& column : columns_) bytes += column.memory_bytes();
        return bytes;
    }
    uint64_t rows() const { return rows_; }
    uint64_t bytes() const { return bytes_; }

private:
    static size_t row_at(size_t, size_t i) { return i; }
    static size_t row_at(std::span<const uint32_t> rows, size_t i) { return rows[i]; }

    template <typename Rows>
    Result<void> append_nested(const Column& column, const Rows& rows, size_t count,
                               std::span<ParquetColumnWriter> leaves, ParquetCompressor& compressor) {
        for (size_t i = 0; i < count; ++i) {
            Shredder(leaves).shred(column, row_at(rows, i), 0, 0);
            if (i % kNestedSliceRows != kNestedSliceRows - 1 && i + 1 != count) continue;
            for (auto& leaf : leaves) TRY(leaf.end_slice(compressor));
        }
        return {};
    }
    Result<void> put(std::string_view bytes) {
        bytes_ += bytes.size();
        return sink_(bytes);
    }
    Result<void> put_magic() { return bytes_ == 0 ? put(kMagic) : Result<void>(); }
    std::string footer() const;
    void write_group(const RowGroup& group, size_t ordinal, ThriftCompactWriter& out) const;
    void write_chunk(const ParquetChunk& chunk, int64_t offset, const ParquetLeaf& leaf,
                     ThriftCompactWriter& out) const;

    SchemaPtr schema_;
    ParquetOptions options_;
    ByteSink sink_;
    std::shared_ptr<ParquetEncoders> encoders_;
    std::vector<ParquetColumnWriter> columns_;  // by leaf
    std::vector<size_t> first_leaf_;            // by column of the schema
    std::vector<RowGroup> groups_;
    size_t group_rows_ = 0;
    uint64_t rows_ = 0;
    uint64_t bytes_ = 0;
};

Result<void> ParquetWriter::File::end_group() {
    if (group_rows_ == 0) return {};
    TRY(put_magic());
    RowGroup group;
    group.rows = static_cast<int64_t>(std::exchange(group_rows_, 0));
    group.chunks.resize(columns_.size());
    std::vector<BufferBuilder> bytes(columns_.size());
    const auto finish_chunk = [&](size_t i, ParquetCompressor& compressor) -> Result<void> {
        group.chunks[i] = TRY(columns_[i].finish_chunk(bytes[i], compressor));
        return {};
    };
    TRY(group.rows >= static_cast<int64_t>(kRowsWorthThreads) ? encoders_->each(columns_.size(), finish_chunk)
                                                              : encoders_->each_alone(columns_.size(), finish_chunk));
    for (const auto& column : columns_) encoders_->note(column);
    for (auto& chunk : bytes) {
        group.offsets.push_back(static_cast<int64_t>(bytes_));
        TRY(put({reinterpret_cast<const char*>(chunk.data()), chunk.size()}));
        chunk = BufferBuilder();
    }
    groups_.push_back(std::move(group));
    return {};
}

Result<void> ParquetWriter::File::finish() {
    TRY(end_group());
    TRY(put_magic());
    std::string end = footer();
    const auto size = static_cast<uint32_t>(end.size());
    end.append(reinterpret_cast<const char*>(&size), sizeof size);
    end += kMagic;
    return put(end);
}

// FileMetaData of parquet.thrift.
std::string ParquetWriter::File::footer() const {
    ThriftCompactWriter out;
    out.i32(1, 1);
    write_parquet_schema(*schema_, out);
    out.i64(3, static_cast<int64_t>(rows_));
    out.list(4, ThriftCompactWriter::Item::structure, groups_.size());
    for (size_t i = 0; i < groups_.size(); ++i) write_group(groups_[i], i, out);
    if (!options_.metadata.empty()) {
        out.list(5, ThriftCompactWriter::Item::structure, options_.metadata.size());
        for (const auto& [key, value] : options_.metadata) {
            out.begin_item();
            out.binary(1, key);
            out.binary(2, value);
            out.end_struct();
        }
    }
    out.binary(6, std::string("shaduf version ") + kVersion);
    out.list(7, ThriftCompactWriter::Item::structure, columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
        out.begin_item();
        out.empty_struct(1);  // TypeDefinedOrder
        out.end_struct();
    }
    return out.finish();
}

void ParquetWriter::File::write_group(const RowGroup& group, size_t ordinal, ThriftCompactWriter& out) const {
    int64_t plain_bytes = 0;
    int64_t compressed_bytes = 0;
    out.begin_item();
    out.list(1, ThriftCompactWriter::Item::structure, group.chunks.size());
    for (size_t i = 0; i < group.chunks.size(); ++i) {
        out.begin_item();
        write_chunk(group.chunks[i], group.offsets[i], columns_[i].leaf(), out);
        out.end_struct();
        plain_bytes += group.chunks[i].plain_bytes;
        compressed_bytes += group.chunks[i].compressed_bytes;
    }
    out.i64(2, plain_bytes);
    out.i64(3, group.rows);
    out.i64(5, group.offsets.empty() ? 0 : group.offsets[0]);
    out.i64(6, compressed_bytes);
    if (ordinal <= INT16_MAX) out.i16(7, static_cast<int16_t>(ordinal));
    out.end_struct();
}

void ParquetWriter::File::write_chunk(const ParquetChunk& chunk, int64_t offset, const ParquetLeaf& leaf,
                                      ThriftCompactWriter& out) const {
    constexpr int32_t kEncodingPlain = 0;
    constexpr int32_t kEncodingRle = 3;
    constexpr int32_t kEncodingRleDictionary = 8;
    constexpr int32_t kCodecNone = 0;
    constexpr int32_t kCodecZstd = 6;
    out.i64(2, 0);
    out.begin_struct(3);
    out.i32(1, static_cast<int32_t>(leaf.physical));
    std::vector<int32_t> encodings{kEncodingRle};
    if (chunk.has_plain || chunk.has_dictionary) encodings.push_back(kEncodingPlain);
    if (chunk.has_dictionary) encodings.push_back(kEncodingRleDictionary);
    out.list(2, ThriftCompactWriter::Item::i32, encodings.size());
    for (const int32_t encoding : encodings) out.item(encoding);
    out.list(3, ThriftCompactWriter::Item::binary, leaf.path.size());
    for (const auto& name : leaf.path) out.item(std::string_view(name));
    out.i32(4, options_.compression == ParquetCompression::zstd ? kCodecZstd : kCodecNone);
    out.i64(5, chunk.values);
    out.i64(6, chunk.plain_bytes);
    out.i64(7, chunk.compressed_bytes);
    out.i64(9, offset + chunk.data_page_offset);
    if (chunk.has_dictionary) out.i64(11, offset);
    out.begin_struct(12);
    out.i64(3, chunk.statistics.null_count);
    if (chunk.statistics.largest) out.binary(5, *chunk.statistics.largest);
    if (chunk.statistics.smallest) out.binary(6, *chunk.statistics.smallest);
    out.end_struct();
    out.end_struct();
}

std::shared_ptr<ParquetEncoders> make_parquet_encoders(const ParquetOptions& options, size_t threads) {
    return std::make_shared<ParquetEncoders>(options, threads);
}

ParquetWriter::ParquetWriter(SchemaPtr schema, ParquetOptions options, ByteSink sink,
                             std::shared_ptr<ParquetEncoders> encoders)
    : file_(std::make_unique<File>(std::move(schema), std::move(options), std::move(sink), std::move(encoders))) {}
ParquetWriter::~ParquetWriter() = default;

Result<void> ParquetWriter::write(const RecordBatch& rows) { return file_->append(rows, rows.rows(), rows.rows()); }

Result<void> ParquetWriter::write_rows(const RecordBatch& batch, std::span<const uint32_t> rows) {
    return file_->append(batch, rows, rows.size());
}

Result<void> ParquetWriter::flush() { return file_->end_group(); }
Result<void> ParquetWriter::finish() { return file_->finish(); }
size_t ParquetWriter::buffered_bytes() const { return file_->buffered_bytes(); }
size_t ParquetWriter::memory_bytes() const { return file_->memory_bytes(); }
uint64_t ParquetWriter::rows_written() const { return file_->rows(); }
uint64_t ParquetWriter::bytes_written() const { return file_->bytes(); }

}  // namespace shaduf
