#include "connectors/postgres/copy_decoder.h"

#include <bit>
#include <utility>

#include "base/assert.h"
#include "connectors/postgres/numeric.h"
#include "connectors/postgres/wire.h"
#include "data/utf8.h"

namespace shaduf {
namespace {

constexpr std::string_view kSignature = kCopyHeader.substr(0, 11);
constexpr int16_t kEnd = -1;
constexpr int32_t kNull = -1;
constexpr int kDimensionsMax = 6;  // MAXDIM of the server

Error broken_stream() {
    return Error(ErrorKind::unavailable, "PostgreSQL: binary COPY cannot be read: its bytes are no rows");
}

}  // namespace

CopyDecoder::CopyDecoder(SchemaPtr schema, std::vector<CopyColumn> columns)
    : columns_(std::move(columns)), rows_(std::move(schema)) {
    SHADUF_ASSERT(columns_.size() == rows_.schema()->size());
}

RecordBatch CopyDecoder::finish() {
    bytes_ = 0;
    rejected_.clear();
    return rows_.finish();
}

Result<void> CopyDecoder::decode(std::string_view message) {
    if (has_ended_) return broken_stream();
    bytes_ += message.size();
    if (!has_header_) {
        if (!read_header(message)) return broken_stream();
        has_header_ = true;
    }
    while (!message.empty() && !has_ended_) {
        if (!read_row(message)) return broken_stream();
    }
    return {};
}

bool CopyDecoder::read_header(std::string_view& bytes) {
    if (!bytes.starts_with(kSignature)) return false;
    bytes.remove_prefix(kSignature.size());
    int32_t flags = 0;
    int32_t extension = 0;
    if (!take_big_endian(bytes, flags) || !take_big_endian(bytes, extension)) return false;
    constexpr int32_t kCritical = ~0xFFFF;
    if ((flags & kCritical) != 0 || extension < 0 || static_cast<size_t>(extension) > bytes.size()) return false;
    bytes.remove_prefix(static_cast<size_t>(extension));
    return true;
}

bool CopyDecoder::read_row(std::string_view& bytes) {
    int16_t fields = 0;
    if (!take_big_endian(bytes, fields)) return false;
    if (fields == kEnd) {
        has_ended_ = true;
        return bytes.empty();
    }
    if (fields < 0 || static_cast<size_t>(fields) != columns_.size()) return false;
    bool is_rejected = false;
    for (size_t i = 0; i < columns_.size(); ++i) {
        int32_t size = 0;
        if (!take_big_endian(bytes, size)) return false;
        if (size == kNull) {
            rows_.column(i).append_null();
            continue;
        }
        if (size < 0 || static_cast<size_t>(size) > bytes.size()) return false;
        const Outcome outcome = append(i, bytes.substr(0, static_cast<size_t>(size)));
        bytes.remove_prefix(static_cast<size_t>(size));
        if (outcome == Outcome::held) [[likely]]
            continue;
        if (outcome == Outcome::broken) return false;
        rows_.column(i).append_null();
        if (!std::exchange(is_rejected, true)) {
            rejected_.push_back({rows_.rows(), Error(ErrorKind::bad_data,
                                                     "value does not fit its column: " + (*rows_.schema())[i].name +
                                                         " is " + rows_.column(i).type().to_string() + ", " + why_)});
        }
    }
    rows_.end_row();
    return true;
}

CopyDecoder::Outcome CopyDecoder::reject(std::string why) {
    why_ = std::move(why);
    return Outcome::rejected;
}

CopyDecoder::Outcome CopyDecoder::append(size_t column, std::string_view value) {
    const CopyColumn& wire = columns_[column];
    ColumnBuilder& to = rows_.column(column);
    if (wire.dimensions == 0) [[likely]]
        return append_value(wire, to, value);
    const size_t before = to.length();
    const Outcome outcome = append_array(wire, to, value);
    // Items may have come before the one that does not fit.
    if (outcome == Outcome::rejected) to.truncate(before);
    return outcome;
}

CopyDecoder::Outcome CopyDecoder::append_value(const CopyColumn& column, ColumnBuilder& to, std::string_view value) {
    const char* bytes = value.data();
    const auto has = [&](size_t size) { return value.size() == size; };
    switch (column.type) {
        case WireType::text: to.append_text(value); return Outcome::held;
        case WireType::int32:
            if (!has(4)) return Outcome::broken;
            to.append_int64(load_big_endian<int32_t>(bytes));
            return Outcome::held;
        case WireType::int64:
            if (!has(8)) return Outcome::broken;
            to.append_int64(load_big_endian<int64_t>(bytes));
            return Outcome::held;
        case WireType::timestamp: return append_timestamp(to, value);
        case WireType::numeric: return append_numeric(to, value);
        case WireType::float64:
            if (!has(8)) return Outcome::broken;
            to.append_float64(std::bit_cast<double>(load_big_endian<uint64_t>(bytes)));
            return Outcome::held;
        case WireType::boolean:
            if (!has(1)) return Outcome::broken;
            to.append_boolean(*bytes != 0);
            return Outcome::held;
        case WireType::date: return append_date(to, value);
        case WireType::int16:
            if (!has(2)) return Outcome::broken;
            to.append_int64(load_big_endian<int16_t>(bytes));
            return Outcome::held;
        case WireType::oid:
            if (!has(4)) return Outcome::broken;
            to.append_int64(load_big_endian<uint32_t>(bytes));
            return Outcome::held;
        case WireType::float32:
            if (!has(4)) return Outcome::broken;
            to.append_float64(static_cast<double>(std::bit_cast<float>(load_big_endian<uint32_t>(bytes))));
            return Outcome::held;
        case WireType::time:
            if (!has(8)) return Outcome::broken;
            to.append_int64(load_big_endian<int64_t>(bytes));
            return Outcome::held;
        case WireType::uuid:
            if (!has(kUuidBytes)) return Outcome::broken;
            to.append_uuid(value);
            return Outcome::held;
        case WireType::jsonb:
            if (value.empty() || value.front() != 1) return Outcome::broken;
            to.append_text(value.substr(1));
            return Outcome::held;
        case WireType::bytes: to.append_text(value); return Outcome::held;
        case WireType::unsure_text:
            if (const auto at = find_invalid_utf8(value)) {
                return reject("the value is no UTF-8 at byte " + std::to_string(*at + 1));
            }
            to.append_text(value);
            return Outcome::held;
    }
    return Outcome::broken;
}

CopyDecoder::Outcome CopyDecoder::append_numeric(ColumnBuilder& to, std::string_view value) {
    const auto number = WireNumeric::parse(value);
    if (!number) return Outcome::broken;
    if (to.type().kind() == TypeKind::decimal && number->is_finite()) {
        if (const auto unscaled = number->to_decimal(to.type().precision(), to.type().scale())) {
            to.append_decimal(*unscaled);
            return Outcome::held;
        }
    }
    text_.clear();
    number->append_text(text_);
    if (to.type().kind() == TypeKind::decimal) return reject("the value is " + text_.substr(0, 60));
    to.append_text(text_);
    return Outcome::held;
}

CopyDecoder::Outcome CopyDecoder::append_date(ColumnBuilder& to, std::string_view value) {
    if (value.size() != 4) return Outcome::broken;
    const auto days = load_big_endian<int32_t>(value.data());
    if (days == INT32_MAX) return reject("the value is infinity");
    if (days == INT32_MIN) return reject("the value is -infinity");
    int32_t since_1970 = 0;
    if (__builtin_add_overflow(days, kPostgresEpochDays, &since_1970)) return reject("the value is too late");
    to.append_date(since_1970);
    return Outcome::held;
}

CopyDecoder::Outcome CopyDecoder::append_timestamp(ColumnBuilder& to, std::string_view value) {
    if (value.size() != 8) return Outcome::broken;
    const auto micros = load_big_endian<int64_t>(value.data());
    if (micros == INT64_MAX) return reject("the value is infinity");
    if (micros == INT64_MIN) return reject("the value is -infinity");
    int64_t since_1970 = 0;
    // The greatest number stands for infinity in other systems, too.
    if (__builtin_add_overflow(micros, kPostgresEpochMicros, &since_1970) || since_1970 == INT64_MAX) {
        return reject("the value is after the year 294246");
    }
    to.append_int64(since_1970);
    return Outcome::held;
}

CopyDecoder::Outcome CopyDecoder::append_array(const CopyColumn& column, ColumnBuilder& to, std::string_view value) {
    int32_t dimensions = 0;
    int32_t has_nulls = 0;
    int32_t item_type = 0;
    if (!take_big_endian(value, dimensions) || !take_big_endian(value, has_nulls) ||
        !take_big_endian(value, item_type) || dimensions < 0 || dimensions > kDimensionsMax) {
        return Outcome::broken;
    }
    if (dimensions == 0) {
        to.append_list();
        return value.empty() ? Outcome::held : Outcome::broken;
    }
    if (dimensions != column.dimensions) {
        return reject("the value is an array of " + std::to_string(dimensions) + " dimensions");
    }
    std::vector<int32_t> sizes;
    for (int32_t i = 0; i < dimensions; ++i) {
        int32_t size = 0;
        int32_t lower_bound = 0;
        if (!take_big_endian(value, size) || !take_big_endian(value, lower_bound) || size < 1) return Outcome::broken;
        sizes.push_back(size);
    }
    const Outcome outcome = append_items(column, to, value, sizes, 0);
    if (outcome == Outcome::held && !value.empty()) return Outcome::broken;
    return outcome;
}

CopyDecoder::Outcome CopyDecoder::append_items(const CopyColumn& column, ColumnBuilder& to, std::string_view& bytes,
                                               const std::vector<int32_t>& sizes, size_t level) {
    ColumnBuilder& items = to.child(0);
    for (int32_t i = 0; i < sizes[level]; ++i) {
        if (level + 1 < sizes.size()) {
            const Outcome outcome = append_items(column, items, bytes, sizes, level + 1);
            if (outcome != Outcome::held) return outcome;
            continue;
        }
        int32_t size = 0;
        if (!take_big_endian(bytes, size)) return Outcome::broken;
        if (size == kNull) {
            items.append_null();
            continue;
        }
        if (size < 0 || static_cast<size_t>(size) > bytes.size()) return Outcome::broken;
        const Outcome outcome = append_value(column, items, bytes.substr(0, static_cast<size_t>(size)));
        if (outcome != Outcome::held) return outcome;
        bytes.remove_prefix(static_cast<size_t>(size));
    }
    to.append_list();
    return Outcome::held;
}

}  // namespace shaduf
