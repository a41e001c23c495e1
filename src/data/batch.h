#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/buffer.h"
#include "data/type.h"
#include "data/uuid.h"

namespace shaduf {

__extension__ using int128 = __int128;

// One column of a batch, laid out as Arrow lays it out, always at offset 0:
//   boolean             values: bit-packed
//   int64, float64, time, timestamp(_tz)   values: 8 bytes each;  date: 4 bytes;  decimal: 16 bytes, little-endian
//   uuid                values: 16 bytes each
//   string, bytes, json offsets: length+1 int32; values: the bytes
//   list                offsets: length+1 int32; children[0]: the items
//   structure           children: one a field, each as long as the column
// `validity` holds a bit a row (set: there is a value), or is null when nothing is missing. Immutable; thread-safe.
struct Column {
    DataType type;
    size_t length = 0;
    size_t null_count = 0;
    BufferPtr validity;
    BufferPtr offsets;
    BufferPtr values;
    std::vector<Column> children;

    bool is_null(size_t row) const { return validity != nullptr && !get_bit(validity->data(), row); }
    // REQUIRES: the kind of the column fits, and the row is not null.
    bool boolean_at(size_t row) const { return get_bit(values->data(), row); }
    int64_t int64_at(size_t row) const { return values->as<int64_t>()[row]; }  // also time, timestamp, timestamp_tz
    double float64_at(size_t row) const { return values->as<double>()[row]; }
    int32_t date_at(size_t row) const { return values->as<int32_t>()[row]; }
    int128 decimal_at(size_t row) const {
        int128 value;
        std::memcpy(&value, values->data() + row * sizeof value, sizeof value);
        return value;
    }
    std::string_view uuid_at(size_t row) const { return values->view().substr(row * kUuidBytes, kUuidBytes); }
    std::string_view text_at(size_t row) const {  // string, bytes, json
        const int32_t* at = offsets->as<int32_t>();
        return values->view().substr(static_cast<size_t>(at[row]), static_cast<size_t>(at[row + 1] - at[row]));
    }
    size_t byte_size() const;
};

// A column of `length` nulls.
Column make_null_column(const DataType& type, size_t length);
// Rows `rows` of `column`, in that order; a row may be taken more than once.
Column take(const Column& column, std::span<const uint32_t> rows);
// The same values as type `to`. bad_data when a decimal has too many digits before the point (see `widen`).
// REQUIRES: fits(column.type, to)
Result<Column> widen_column(const Column& column, const DataType& to);
// One value as people and JSON write it ("null" for null); `append_json` quotes and escapes.
std::string format_value(const Column& column, size_t row);
void append_json(const Column& column, size_t row, std::string& out);
void append_json_string(std::string_view text, std::string& out);

// Rows as columns; built once, moved, never changed. Thread-safe to read.
class RecordBatch {
public:
    // REQUIRES: as many columns as fields, of the fields' types, all of `rows` rows.
    RecordBatch(SchemaPtr schema, std::vector<Column> columns, size_t rows);

    const SchemaPtr& schema() const { return schema_; }
    const std::vector<Column>& columns() const { return columns_; }
    const Column& column(size_t i) const { return columns_[i]; }
    size_t rows() const { return rows_; }
    size_t byte_size() const;

    RecordBatch take(std::span<const uint32_t> rows) const;
    // The same rows under `schema`: columns matched by name, widened where needed, null where missing.
    // bad_data when a column of this batch has no place there or does not fit.
    Result<RecordBatch> conform_to(const SchemaPtr& schema) const;
    std::string row_as_json(size_t row) const;

private:
    SchemaPtr schema_;
    std::vector<Column> columns_;
    size_t rows_;
};

}  // namespace shaduf
