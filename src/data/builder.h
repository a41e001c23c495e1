#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/batch.h"

namespace shaduf {

// Grows one column, a value at a time. Which `append` fits follows from the type; the wrong one is a bug, checked only
// in debug builds since this is the hottest code we have. Not thread-safe. `finish` leaves it empty, for the next
// batch.
//
// Offsets have 32 bits, so the bytes of one column of one batch end below 2 GiB; whoever fills a builder cuts batches
// far earlier.
class ColumnBuilder {
public:
    explicit ColumnBuilder(DataType type);

    const DataType& type() const { return type_; }
    size_t length() const { return length_; }
    size_t byte_size() const { return values_.size() + offsets_.size() + validity_.size() + children_byte_size(); }

    // Makes room for `rows` values (of about `text_bytes` together, where they are text), so that they are not moved
    // later.
    void reserve(size_t rows, size_t text_bytes);

    void append_null();
    void append_boolean(bool value);
    void append_int64(int64_t value) {  // also time, timestamp, timestamp_tz
        values_.append_value(value);
        append_valid();
    }
    void append_float64(double value) {
        values_.append_value(value);
        append_valid();
    }
    void append_date(int32_t days) {
        values_.append_value(days);
        append_valid();
    }
    void append_decimal(int128 unscaled) {
        values_.append_value(unscaled);
        append_valid();
    }
    void append_uuid(std::string_view bytes) {  // kUuidBytes of them
        values_.append(bytes);
        append_valid();
    }
    void append_text(std::string_view text) {  // string, bytes, json
        values_.append(text);
        offsets_.append_value(static_cast<int32_t>(values_.size()));
        append_valid();
    }
    // As append_text, quicker for short texts. REQUIRES: `text` is readable for 15 bytes behind its end.
    void append_padded_text(std::string_view text) {
        values_.append_padded(text);
        offsets_.append_value(static_cast<int32_t>(values_.size()));
        append_valid();
    }
    // A list: append the items to child(0) first. A structure: append one value to each child first.
    void append_list();
    void append_structure() { append_valid(); }
    ColumnBuilder& child(size_t i) { return children_[i]; }

    // Takes back the last rows, as if they had never come. REQUIRES: length <= length()
    void truncate(size_t length);

    Column finish();

private:
    void append_valid() {
        if (has_nulls_) [[unlikely]]
            append_validity_bit(true);
        ++length_;
    }
    void append_validity_bit(bool valid);
    void start_validity();
    size_t children_byte_size() const;

    DataType type_;
    size_t length_ = 0;
    size_t null_count_ = 0;
    bool has_nulls_ = false;
    BufferBuilder validity_;
    BufferBuilder offsets_;
    BufferBuilder values_;
    std::vector<ColumnBuilder> children_;
};

// Grows the columns of one schema together.
class RecordBatchBuilder {
public:
    explicit RecordBatchBuilder(SchemaPtr schema);

    const SchemaPtr& schema() const { return schema_; }
    ColumnBuilder& column(size_t i) { return columns_[i]; }
    size_t rows() const { return rows_; }
    size_t byte_size() const;
    // Call after each column got its value of the row.
    void end_row() { ++rows_; }
    // Drops what was appended since the last end_row.
    void undo_row();
    // Leaves the builder empty, for the next batch.
    RecordBatch finish();

private:
    SchemaPtr schema_;
    std::vector<ColumnBuilder> columns_;
    size_t rows_ = 0;
};

}  // namespace shaduf
