#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/batch.h"
#include "data/raw_rows.h"

namespace shaduf {

// What becomes of nested JSON values that no column names a path into.
enum class Nesting : uint8_t {
    flatten,    // objects become columns a__b; lists stay json
    structure,  // objects become structures, lists become lists
    json,       // both stay json
};

struct ShapeColumn {
    std::string name;
    DataType type;
    // The keys that lead to the value, outermost first; for CSV, the one header name.
    std::vector<std::string> path;
    // Given by the user: a value that does not fit rejects its row, whatever the contract; it never widens. Conversions
    // that the user asked for by naming the type are made: "3.50" to float64, a timestamp to its date, a number to
    // string.
    bool declared = false;
};

// What a decoder does with a value that does not fit an inferred column, or a field that no column names.
enum class OnDrift : uint8_t {
    report,  // leaves it out (null) and says so in Decoded::drift: the caller widens the shape, decodes again or stops
    reject_row,  // the row goes to quarantine
    ignore,      // the value becomes null, the unknown field is left out; counted
};

// The form that raw rows are decoded into. Immutable once compiled into a RowDecoder.
struct Shape {
    std::vector<ShapeColumn> columns;
    Nesting nesting = Nesting::flatten;
    OnDrift on_drift = OnDrift::report;
    bool ignore_unlisted = false;  // fields that no column names are left out silently (the user listed the columns)

    SchemaPtr schema() const;
};

struct RejectedRow {
    size_t row;  // of the rows as passed in
    Error why;   // kind bad_data
};

// A column that the data asks for and the shape does not have, or has narrower.
struct DriftColumn {
    std::vector<std::string> path;
    DataType type;
    bool is_new = false;  // else: wider
    size_t example_row = 0;
};

struct Decoded {
    RecordBatch rows;                   // of Shape::schema()
    std::vector<uint32_t> row_numbers;  // rows.row i came from this raw row; empty: no row was rejected
    std::vector<RejectedRow> rejected;
    std::vector<DriftColumn> drift;
    size_t values_ignored = 0;
    std::vector<std::string> fields_ignored = {};  // unknown ones among them, by their paths; each once, the first few
};

// Turns raw rows into columns along a shape. `decode` is const and thread-safe; each row stands alone, so a broken one
// never harms its neighbours. A null where the row lacks a field.
class RowDecoder {
public:
    virtual ~RowDecoder() = default;
    virtual Decoded decode(const RawRows& rows) const = 0;

    static std::unique_ptr<RowDecoder> create(RawFormat format, const Shape& shape);
};

// Appends to `shape` what the first `rows_max` rows of `rows` ask for. Columns that are there already are widened
// unless declared. Timestamps and dates are recognised in strings when every value of the sample is one (ISO 8601).
// Column names: the path joined by "__"; one that differs from an earlier name only in case gets "_2", "_3" ...
void infer_shape(const RawRows& rows, size_t rows_max, Shape& shape);
// Adds or widens what a decoder reported.
void apply_drift(const std::vector<DriftColumn>& drift, Shape& shape);

}  // namespace shaduf
