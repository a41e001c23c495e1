#include "data/batch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/assert.h"
#include "base/time.h"
#include "data/builder.h"
#include "data/decimal.h"

namespace shaduf {
namespace {

std::string format_decimal(int128 value, int scale) {
    const bool negative = value < 0;
    __extension__ using uint128 = unsigned __int128;
    uint128 rest = negative ? -static_cast<uint128>(value) : static_cast<uint128>(value);
    std::string digits;
    while (rest > 0 || digits.size() <= static_cast<size_t>(scale)) {
        digits += static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    }
    if (scale > 0) digits.insert(static_cast<size_t>(scale), ".");
    if (negative) digits += '-';
    std::reverse(digits.begin(), digits.end());
    return digits;
}

std::string format_float(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

void append_hex(std::string_view bytes, std::string& out) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : bytes) {
        out += kDigits[static_cast<unsigned char>(c) >> 4];
        out += kDigits[static_cast<unsigned char>(c) & 15];
    }
}

template <typename T>
BufferPtr take_values(const Buffer& values, std::span<const uint32_t> rows) {
    BufferBuilder out;
    out.resize(rows.size() * sizeof(T));
    const T* from = values.as<T>();
    T* to = out.as<T>();
    for (size_t i = 0; i < rows.size(); ++i) to[i] = from[rows[i]];
    return out.finish();
}

BufferPtr take_bits(const Buffer& bits, std::span<const uint32_t> rows) {
    BufferBuilder out;
    out.append_zeros((rows.size() + 7) / 8);
    for (size_t i = 0; i < rows.size(); ++i) {
        if (get_bit(bits.data(), rows[i])) set_bit(out.data(), i);
    }
    return out.finish();
}

void take_text(const Column& column, std::span<const uint32_t> rows, Column& result) {
    BufferBuilder offsets;
    BufferBuilder values;
    offsets.reserve((rows.size() + 1) * sizeof(int32_t));
    offsets.append_value(int32_t{0});
    for (const uint32_t row : rows) {
        if (!column.is_null(row)) values.append(column.text_at(row));
        offsets.append_value(static_cast<int32_t>(values.size()));
    }
    result.offsets = offsets.finish();
    result.values = values.finish();
}

void take_list(const Column& column, std::span<const uint32_t> rows, Column& result) {
    BufferBuilder offsets;
    std::vector<uint32_t> items;
    offsets.append_value(int32_t{0});
    const auto* at = column.offsets->as<int32_t>();
    for (const uint32_t row : rows) {
        for (int32_t item = at[row]; item < at[row + 1]; ++item) items.push_back(static_cast<uint32_t>(item));
        offsets.append_value(static_cast<int32_t>(items.size()));
    }
    result.offsets = offsets.finish();
    result.children.push_back(take(column.children[0], items));
}

Result<void> append_rescaled(int128 value, int more_digits, ColumnBuilder& to) {
    if (!has_digits(value, to.type().precision() - more_digits)) {
        return Error(ErrorKind::bad_data, "decimal has too many digits for " + to.type().to_string());
    }
    to.append_decimal(value * power_of_ten(more_digits));
    return {};
}

// Appends the value at `row` of `from`, a narrower type, to a builder of the wider one.
Result<void> append_widened(const Column& from, size_t row, ColumnBuilder& to) {
    const TypeKind kind = from.type.kind();
    if (from.is_null(row)) {
        to.append_null();
        return {};
    }
    switch (to.type().kind()) {
        case TypeKind::float64:
            to.append_float64(kind == TypeKind::int64
                                  ? static_cast<double>(from.int64_at(row))
                                  : static_cast<double>(from.decimal_at(row)) / std::pow(10.0, from.type.scale()));
            break;
        case TypeKind::decimal:
            if (kind == TypeKind::int64) return append_rescaled(from.int64_at(row), to.type().scale(), to);
            return append_rescaled(from.decimal_at(row), to.type().scale() - from.type.scale(), to);
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz:
            to.append_int64(kind == TypeKind::date ? int64_t{from.date_at(row)} * 86'400'000'000 : from.int64_at(row));
            break;
        case TypeKind::json: {
            std::string text;
            append_json(from, row, text);
            to.append_text(text);
            break;
        }
        default: to.append_text(format_value(from, row));
    }
    return {};
}

Result<Column> widen_nested(const Column& column, const DataType& to) {
    Column result = column;
    result.type = to;
    result.children.clear();
    if (to.kind() == TypeKind::list) {
        result.children.push_back(TRY(widen_column(column.children[0], to.children()[0].type)));
        return result;
    }
    const auto& fields = column.type.children();
    for (const auto& field : to.children()) {
        const auto found =
            std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == field.name; });
        if (found == fields.end()) {
            result.children.push_back(make_null_column(field.type, column.length));
        } else {
            const auto& child = column.children[static_cast<size_t>(found - fields.begin())];
            result.children.push_back(TRY(widen_column(child, field.type)));
        }
    }
    return result;
}

}  // namespace

size_t Column::byte_size() const {
    size_t bytes = 0;
    for (const auto& buffer : {validity, offsets, values}) bytes += buffer ? buffer->size() : 0;
    for (const auto& child : children) bytes += child.byte_size();
    return bytes;
}

Column make_null_column(const DataType& type, size_t length) {
    ColumnBuilder builder(type);
    for (size_t i = 0; i < length; ++i) builder.append_null();
    return builder.finish();
}

Column take(const Column& column, std::span<const uint32_t> rows) {
    Column result;
    result.type = column.type;
    result.length = rows.size();
    if (column.validity != nullptr) {
        for (const uint32_t row : rows) result.null_count += column.is_null(row) ? 1 : 0;
        if (result.null_count > 0) result.validity = take_bits(*column.validity, rows);
    }
    switch (column.type.kind()) {
        case TypeKind::boolean: result.values = take_bits(*column.values, rows); break;
        case TypeKind::int64:
        case TypeKind::float64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: result.values = take_values<int64_t>(*column.values, rows); break;
        case TypeKind::date: result.values = take_values<int32_t>(*column.values, rows); break;
        case TypeKind::uuid:
        case TypeKind::decimal: result.values = take_values<std::array<uint64_t, 2>>(*column.values, rows); break;
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::json: take_text(column, rows, result); break;
        case TypeKind::list: take_list(column, rows, result); break;
        case TypeKind::structure:
            for (const auto& child : column.children) result.children.push_back(take(child, rows));
            break;
    }
    return result;
}

Result<Column> widen_column(const Column& column, const DataType& to) {
    if (column.type == to) return column;
    SHADUF_ASSERT(fits(column.type, to));
    if (column.type.kind() == to.kind() && to.is_nested()) return widen_nested(column, to);
    ColumnBuilder builder(to);
    for (size_t row = 0; row < column.length; ++row) TRY(append_widened(column, row, builder));
    return builder.finish();
}

std::string format_value(const Column& column, size_t row) {
    if (column.is_null(row)) return "null";
    switch (column.type.kind()) {
        case TypeKind::boolean: return column.boolean_at(row) ? "true" : "false";
        case TypeKind::int64: return std::to_string(column.int64_at(row));
        case TypeKind::float64: return format_float(column.float64_at(row));
        case TypeKind::decimal: return format_decimal(column.decimal_at(row), column.type.scale());
        case TypeKind::string:
        case TypeKind::json: return std::string(column.text_at(row));
        case TypeKind::bytes: {
            std::string text = "\\x";
            append_hex(column.text_at(row), text);
            return text;
        }
        case TypeKind::uuid: {
            std::string text;
            append_uuid_text(column.uuid_at(row), text);
            return text;
        }
        case TypeKind::date: return format_date(column.date_at(row));
        case TypeKind::time: return format_time_of_day(column.int64_at(row));
        case TypeKind::timestamp: return format_timestamp(column.int64_at(row), false);
        case TypeKind::timestamp_tz: return format_timestamp(column.int64_at(row), true);
        case TypeKind::list:
        case TypeKind::structure: break;
    }
    std::string text;
    append_json(column, row, text);
    return text;
}

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    std::array<char, 8> escaped{};
                    std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
                    out += escaped.data();
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

void append_json(const Column& column, size_t row, std::string& out) {
    const TypeKind kind = column.type.kind();
    if (column.is_null(row)) {
        out += "null";
    } else if (kind == TypeKind::list) {
        out += '[';
        const auto* at = column.offsets->as<int32_t>();
        for (int32_t item = at[row]; item < at[row + 1]; ++item) {
            if (item > at[row]) out += ',';
            append_json(column.children[0], static_cast<size_t>(item), out);
        }
        out += ']';
    } else if (kind == TypeKind::structure) {
        out += '{';
        for (size_t i = 0; i < column.children.size(); ++i) {
            if (i > 0) out += ',';
            append_json_string(column.type.children()[i].name, out);
            out += ':';
            append_json(column.children[i], row, out);
        }
        out += '}';
    } else if (kind == TypeKind::float64 && !std::isfinite(column.float64_at(row))) {
        append_json_string(format_value(column, row), out);
    } else if (kind == TypeKind::boolean || kind == TypeKind::int64 || kind == TypeKind::float64 ||
               kind == TypeKind::decimal || kind == TypeKind::json) {
        out += format_value(column, row);
    } else {
        append_json_string(format_value(column, row), out);
    }
}

RecordBatch::RecordBatch(SchemaPtr schema, std::vector<Column> columns, size_t rows)
    : schema_(std::move(schema)), columns_(std::move(columns)), rows_(rows) {
    SHADUF_ASSERT(columns_.size() == schema_->size());
    for (size_t i = 0; i < columns_.size(); ++i) SHADUF_ASSERT(columns_[i].length == rows_);
}

size_t RecordBatch::byte_size() const {
    size_t bytes = 0;
    for (const auto& column : columns_) bytes += column.byte_size();
    return bytes;
}

RecordBatch RecordBatch::take(std::span<const uint32_t> rows) const {
    std::vector<Column> columns;
    columns.reserve(columns_.size());
    for (const auto& column : columns_) columns.push_back(shaduf::take(column, rows));
    return RecordBatch(schema_, std::move(columns), rows.size());
}

Result<RecordBatch> RecordBatch::conform_to(const SchemaPtr& schema) const {
    if (schema == schema_ || *schema == *schema_) return RecordBatch(schema, columns_, rows_);
    std::vector<Column> columns(schema->size());
    std::vector<bool> filled(schema->size(), false);
    for (size_t i = 0; i < columns_.size(); ++i) {
        const Field& field = (*schema_)[i];
        const auto target = schema->index_of(field.name);
        if (!target) return Error(ErrorKind::bad_data, "column has no place in the table: " + field.name);
        const DataType& type = (*schema)[*target].type;
        if (!fits(field.type, type)) {
            return Error(ErrorKind::bad_data, "column does not fit its table: " + field.name + " is " +
                                                  field.type.to_string() + ", the table has " + type.to_string());
        }
        columns[*target] = TRY(widen_column(columns_[i], type));
        filled[*target] = true;
    }
    for (size_t i = 0; i < columns.size(); ++i) {
        if (!filled[i]) columns[i] = make_null_column((*schema)[i].type, rows_);
    }
    return RecordBatch(schema, std::move(columns), rows_);
}

std::string RecordBatch::row_as_json(size_t row) const {
    std::string text = "{";
    for (size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) text += ',';
        append_json_string((*schema_)[i].name, text);
        text += ':';
        append_json(columns_[i], row, text);
    }
    return text + '}';
}

}  // namespace shaduf
