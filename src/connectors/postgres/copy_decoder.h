#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/builder.h"
#include "data/row_decoder.h"

namespace shaduf {

// How a value stands on the wire of a binary COPY.
enum class WireType : uint8_t {
    boolean,
    int16,
    int32,
    int64,
    oid,
    float32,
    float64,
    numeric,      // a decimal when that is the column's type, else its exact text
    text,         // also names, enumerations, json, and whatever the SELECT cast to text
    unsure_text,  // of a database without an encoding: may be no UTF-8
    jsonb,
    bytes,
    date,
    time,
    timestamp,  // with and without time zone
    uuid,
};

struct CopyColumn {
    WireType type = WireType::text;
    int dimensions = 0;  // of an array; 0: a single value
};

// Turns a binary COPY into columns: straight from the wire into the builders, without an object or an allocation a row.
//
// What PostgreSQL has and our types have not (infinite dates and times, timestamps after the year 294246, numeric NaN
// or too many digits in a decimal column, an array of another number of dimensions than its column, bytes that are no
// UTF-8) rejects its row: it keeps its place, with null for the value, and `take_rejected` says why. Bounds of arrays
// are left out.
//
// Not thread-safe. After an error the decoder must not be used again.
class CopyDecoder {
public:
    // REQUIRES: a CopyColumn for each field of `schema`, of the type that the wire has.
    CopyDecoder(SchemaPtr schema, std::vector<CopyColumn> columns);

    // Whole rows, as the server sends them: one, with the header before the first, or the end. unavailable when the
    // bytes are none.
    Result<void> decode(std::string_view message);
    size_t rows() const { return rows_.rows(); }
    // About how many bytes the rows take.
    size_t byte_size() const { return bytes_; }
    // Ascending, of the rows since the last `finish`.
    std::vector<RejectedRow> take_rejected() { return std::move(rejected_); }
    // Leaves the decoder empty, for the next batch.
    RecordBatch finish();
    // Whether the server said that there are no more rows.
    bool has_ended() const { return has_ended_; }

private:
    enum class Outcome : uint8_t { held, rejected, broken };

    bool read_header(std::string_view& bytes);
    bool read_row(std::string_view& bytes);
    Outcome append(size_t column, std::string_view value);
    Outcome append_value(const CopyColumn& column, ColumnBuilder& to, std::string_view value);
    Outcome append_array(const CopyColumn& column, ColumnBuilder& to, std::string_view value);
    Outcome append_items(const CopyColumn& column, ColumnBuilder& to, std::string_view& bytes,
                         const std::vector<int32_t>& sizes, size_t level);
    Outcome append_numeric(ColumnBuilder& to, std::string_view value);
    Outcome append_date(ColumnBuilder& to, std::string_view value);
    Outcome append_timestamp(ColumnBuilder& to, std::string_view value);
    Outcome reject(std::string why);

    const std::vector<CopyColumn> columns_;
    RecordBatchBuilder rows_;
    std::vector<RejectedRow> rejected_;
    std::string why_;   // of the value just rejected
    std::string text_;  // of a numeric
    size_t bytes_ = 0;
    bool has_header_ = false;
    bool has_ended_ = false;
};

}  // namespace shaduf
