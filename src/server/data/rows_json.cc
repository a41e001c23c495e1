#include "server/data/rows_json.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/json_writer.h"
#include "base/text.h"

namespace shaduf::server {
namespace {

constexpr int64_t kExactMax = int64_t{1} << 53;
constexpr int kExactDigits = 15;

// Nested values are JSON already; one with a number that a browser would round is given as its text.
bool has_long_number(std::string_view json) {
    size_t digits = 0;
    for (const char c : json) {
        digits = std::isdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
        if (digits > kExactDigits) return true;
    }
    return false;
}

}  // namespace

void write_cell(JsonWriter& json, const Column& column, size_t row) {
    if (column.is_null(row)) {
        json.null();
        return;
    }
    switch (column.type.kind()) {
        case TypeKind::boolean: json.boolean(column.boolean_at(row)); return;
        case TypeKind::int64: {
            const int64_t value = column.int64_at(row);
            std::abs(value) <= kExactMax&& value != INT64_MIN ? json.integer(value) : json.text(std::to_string(value));
            return;
        }
        case TypeKind::float64: {
            const double value = column.float64_at(row);
            std::isfinite(value) ? json.number(value) : json.text(format_value(column, row));
            return;
        }
        case TypeKind::decimal:
            if (column.type.precision() <= kExactDigits) {
                json.raw(format_value(column, row));
                return;
            }
            break;
        case TypeKind::list:
        case TypeKind::structure: {
            std::string text;
            append_json(column, row, text);
            has_long_number(text) ? json.text(text) : json.raw(text);
            return;
        }
        default: break;
    }
    json.text(make_valid_utf8(format_value(column, row)));
}

void write_rows(JsonWriter& json, const RecordBatch& batch, size_t rows) {
    for (size_t row = 0; row < std::min(rows, batch.rows()); ++row) {
        json.begin_array();
        for (const Column& column : batch.columns()) write_cell(json, column, row);
        json.end_array();
    }
}

void write_columns(JsonWriter& json, const Schema& schema) {
    json.key("columns").begin_array();
    for (const Field& field : schema.fields()) {
        json.begin_object().field("name", field.name).field("type", field.type.to_string()).end_object();
    }
    json.end_array();
}

}  // namespace shaduf::server
