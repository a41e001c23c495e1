#include "connectors/postgres/copy_encoder.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "connectors/postgres/json_check.h"
#include "connectors/postgres/wire.h"
#include "data/uuid.h"

namespace shaduf {
namespace {

constexpr size_t kBytesAtOnce = 256 << 10;
constexpr size_t kValueBytesMax = 0x3FFF'FFFF;  // of the server, for anything
constexpr size_t kShownBytesMax = 60;
constexpr int kDimensionsMax = 6;

// Source: the server's datatype/timestamp.h.
constexpr int32_t kDaysMin = -2'451'545;
constexpr int32_t kDaysEnd = 2'145'031'949;
constexpr int64_t kMicrosMin = -211'813'488'000'000'000;
constexpr int64_t kMicrosEnd = 9'223'371'331'200'000'000;
constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;

size_t count_characters(std::string_view text) {
    size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return count;
}

// The start of a value, for a reason.
std::string shown(std::string_view text) {
    if (text.size() <= kShownBytesMax) return std::string(text);
    size_t size = kShownBytesMax;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    return std::string(text.substr(0, size)) + "...";
}

bool is_text(WireType type) { return type == WireType::text || type == WireType::unsure_text; }

}  // namespace

enum class CopyEncoder::Op : uint8_t {
    boolean,
    int16,
    int32,
    int64,
    oid,
    float32_of_int,
    float64_of_int,
    numeric_of_int,
    float32,
    float64,
    numeric,
    numeric_of_text,
    text,
    uuid,
    uuid_of_text,
    json,         // of json
    json_of_any,  // of all else
    text_of_any,
    bytes,
    date,
    timestamp_of_date,
    time,
    timestamp,
    array,
};

// -------------------------------------------------------------------------------------------------------------- plan

std::optional<CopyEncoder::Op> CopyEncoder::op_of(const DataType& from, const CopyTarget& to, int dimensions) {
    const WireType wire = to.wire.type;
    const TypeKind kind = from.kind();
    if (dimensions > 0) {
        if (kind != TypeKind::list || dimensions > kDimensionsMax) return std::nullopt;
        if (!op_of(from.children()[0].type, to, dimensions - 1)) return std::nullopt;
        return Op::array;
    }
    if (wire == WireType::jsonb || to.is_json) return kind == TypeKind::json ? Op::json : Op::json_of_any;
    if (is_text(wire)) {
        const bool has_text = kind == TypeKind::string || kind == TypeKind::json;
        return has_text ? Op::text : Op::text_of_any;
    }
    switch (kind) {
        case TypeKind::boolean: return wire == WireType::boolean ? std::optional(Op::boolean) : std::nullopt;
        case TypeKind::int64:
            switch (wire) {
                case WireType::int16: return Op::int16;
                case WireType::int32: return Op::int32;
                case WireType::int64: return Op::int64;
                case WireType::oid: return Op::oid;
                case WireType::float32: return Op::float32_of_int;
                case WireType::float64: return Op::float64_of_int;
                case WireType::numeric: return Op::numeric_of_int;
                default: return std::nullopt;
            }
        case TypeKind::float64:
            if (wire == WireType::float32) return Op::float32;
            return wire == WireType::float64 ? std::optional(Op::float64) : std::nullopt;
        case TypeKind::decimal: return wire == WireType::numeric ? std::optional(Op::numeric) : std::nullopt;
        case TypeKind::string:
            if (wire == WireType::uuid) return Op::uuid_of_text;
            return wire == WireType::numeric ? std::optional(Op::numeric_of_text) : std::nullopt;
        case TypeKind::bytes: return wire == WireType::bytes ? std::optional(Op::bytes) : std::nullopt;
        case TypeKind::uuid: return wire == WireType::uuid ? std::optional(Op::uuid) : std::nullopt;
        case TypeKind::date:
            if (wire == WireType::timestamp) return Op::timestamp_of_date;
            return wire == WireType::date ? std::optional(Op::date) : std::nullopt;
        case TypeKind::time: return wire == WireType::time ? std::optional(Op::time) : std::nullopt;
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return wire == WireType::timestamp ? std::optional(Op::timestamp) : std::nullopt;
        default: return std::nullopt;
    }
}

bool CopyEncoder::can_encode(const DataType& from, const CopyTarget& to) {
    return op_of(from, to, to.wire.dimensions).has_value();
}

CopyEncoder::Plan CopyEncoder::plan_of(const DataType& from, const CopyTarget& to, int dimensions) {
    const auto op = op_of(from, to, dimensions);
    SHADUF_ASSERT(op.has_value());
    Plan plan{*op, &to, to.wire.type == WireType::numeric ? numeric_limits_of(to.modifier) : std::nullopt};
    if (*op == Op::array) plan.item.push_back(plan_of(from.children()[0].type, to, dimensions - 1));
    return plan;
}

CopyEncoder::CopyEncoder(SchemaPtr schema, std::vector<CopyTarget> targets, bool numbered)
    : schema_(std::move(schema)), targets_(std::move(targets)), numbered_(numbered) {
    SHADUF_ASSERT(targets_.size() == schema_->size());
    for (size_t i = 0; i < targets_.size(); ++i) {
        plans_.push_back(plan_of((*schema_)[i].type, targets_[i], targets_[i].wire.dimensions));
    }
}

// -------------------------------------------------------------------------------------------------------------- rows

std::string_view CopyEncoder::header() { return kCopyHeader; }
std::string_view CopyEncoder::trailer() { return {"\377\377", 2}; }

// All texts of a batch at once are looked through far quicker than one by one.
void CopyEncoder::look_over(const Column& column, Plan& plan) {
    if (!plan.item.empty()) return look_over(column.children[0], plan.item[0]);
    if (plan.op != Op::text || column.length == 0) return;
    const int32_t* offsets = column.offsets->as<int32_t>();
    const int32_t begin = offsets[0];
    const auto size = static_cast<size_t>(offsets[column.length] - begin);
    plan.may_have_zeros = size > 0 && std::memchr(column.values->data() + begin, 0, size) != nullptr;
}

Result<size_t> CopyEncoder::encode(const RecordBatch& rows, const Put& put, std::vector<RejectedRow>& rejected) {
    const auto fields = static_cast<int16_t>(plans_.size() + (numbered_ ? 1 : 0));
    for (size_t i = 0; i < plans_.size(); ++i) look_over(rows.column(i), plans_[i]);
    size_t written = 0;
    for (size_t row = 0; row < rows.rows(); ++row) {
        const size_t begin = out_.size();
        put_big_endian(out_, fields);
        if (numbered_) put_field(out_, number_ + 1);
        size_t i = 0;
        for (; i < plans_.size(); ++i) {
            const Column& column = rows.column(i);
            if (column.is_null(row)) {
                put_big_endian(out_, kCopyNull);
            } else if (!put_value(column, row, plans_[i])) [[unlikely]] {
                break;
            }
        }
        if (i < plans_.size()) {
            out_.resize(begin);
            rejected.push_back({row, Error(ErrorKind::bad_data, "value does not fit its column: " + targets_[i].name +
                                                                    " is " + targets_[i].sql_type + ", " + why_)});
            continue;
        }
        ++number_;
        ++written;
        if (out_.size() < kBytesAtOnce) continue;
        TRY(put(std::string_view(reinterpret_cast<const char*>(out_.data()), out_.size())));
        out_.resize(0);
    }
    if (out_.size() > 0) TRY(put(std::string_view(reinterpret_cast<const char*>(out_.data()), out_.size())));
    out_.resize(0);
    return written;
}

bool CopyEncoder::reject(std::string why) {
    why_ = std::move(why);
    return false;
}

bool CopyEncoder::end_value(size_t at) {
    const size_t size = out_.size() - at - sizeof(int32_t);
    if (size > kValueBytesMax) return reject("the value is of " + std::to_string(size) + " bytes");
    store_big_endian(static_cast<int32_t>(size), out_.data() + at);
    return true;
}

// -------------------------------------------------------------------------------------------------------------- values

bool CopyEncoder::put_value(const Column& column, size_t row, const Plan& plan) {
    switch (plan.op) {
        case Op::text: return put_text(column.text_at(row), plan);
        case Op::int64: put_field(out_, column.int64_at(row)); return true;
        case Op::timestamp: return put_timestamp(column.int64_at(row));
        case Op::numeric: return put_decimal(column.decimal_at(row), column.type.scale(), plan);
        case Op::boolean: put_field<int8_t>(out_, column.boolean_at(row) ? 1 : 0); return true;
        case Op::float64: put_field(out_, std::bit_cast<int64_t>(column.float64_at(row))); return true;
        case Op::int16:
        case Op::int32:
        case Op::oid:
        case Op::float32_of_int:
        case Op::float64_of_int: return put_integer(column.int64_at(row), plan);
        case Op::numeric_of_int: return put_decimal(column.int64_at(row), 0, plan);
        case Op::float32: return put_float(column.float64_at(row));
        case Op::numeric_of_text: return put_number_text(column.text_at(row), plan);
        case Op::uuid:
            put_big_endian(out_, static_cast<int32_t>(kUuidBytes));
            out_.append(column.uuid_at(row));
            return true;
        case Op::uuid_of_text: return put_uuid(column.text_at(row));
        case Op::date: return put_date(column.date_at(row));
        case Op::timestamp_of_date: return put_timestamp(int64_t{column.date_at(row)} * kMicrosOfDay);
        case Op::time: return put_time(column.int64_at(row));
        case Op::json: return put_json(column.text_at(row), plan);
        case Op::json_of_any:
            text_.clear();
            append_json(column, row, text_);
            return put_json(text_, plan);
        case Op::text_of_any: return put_text(format_value(column, row), plan);
        case Op::bytes: {
            const auto bytes = column.text_at(row);
            const size_t at = out_.size();
            put_big_endian(out_, int32_t{0});
            out_.append(bytes);
            return end_value(at);
        }
        case Op::array: return put_array(column, row, plan);
    }
    return reject("the value has no place there");
}

bool CopyEncoder::put_integer(int64_t value, const Plan& plan) {
    const auto fits_in = [&](auto low, auto high) { return value >= low && value <= high; };
    switch (plan.op) {
        case Op::int16:
            if (!fits_in(INT16_MIN, INT16_MAX)) break;
            put_field(out_, static_cast<int16_t>(value));
            return true;
        case Op::int32:
            if (!fits_in(INT32_MIN, INT32_MAX)) break;
            put_field(out_, static_cast<int32_t>(value));
            return true;
        case Op::oid:
            if (!fits_in(0, int64_t{UINT32_MAX})) break;
            put_field(out_, static_cast<uint32_t>(value));
            return true;
        case Op::float32_of_int: return put_float(static_cast<double>(value));
        default: put_field(out_, std::bit_cast<int64_t>(static_cast<double>(value))); return true;
    }
    return reject("the value is " + std::to_string(value));
}

// Digits that a real has no place for are rounded, as everywhere.
bool CopyEncoder::put_float(double value) {
    const bool is_too_great = std::isfinite(value) && std::fabs(value) > double{std::numeric_limits<float>::max()};
    if (is_too_great) return reject("the value is " + std::to_string(value));
    put_field(out_, std::bit_cast<int32_t>(static_cast<float>(value)));
    return true;
}

bool CopyEncoder::put_date(int32_t days) {
    int32_t since_2000 = 0;
    if (__builtin_sub_overflow(days, kPostgresEpochDays, &since_2000) || since_2000 < kDaysMin ||
        since_2000 >= kDaysEnd) {
        return reject("the value is day " + std::to_string(days) + " from 1970-01-01");
    }
    put_field(out_, since_2000);
    return true;
}

bool CopyEncoder::put_timestamp(int64_t micros) {
    int64_t since_2000 = 0;
    if (__builtin_sub_overflow(micros, kPostgresEpochMicros, &since_2000) || since_2000 < kMicrosMin ||
        since_2000 >= kMicrosEnd) {
        return reject("the value is microsecond " + std::to_string(micros) + " from 1970-01-01");
    }
    put_field(out_, since_2000);
    return true;
}

bool CopyEncoder::put_time(int64_t micros) {
    if (micros < 0 || micros > kMicrosOfDay) return reject("the value is microsecond " + std::to_string(micros));
    put_field(out_, micros);
    return true;
}

bool CopyEncoder::check_text(std::string_view text, const Plan& plan) {
    const CopyTarget& target = *plan.target;
    if (plan.may_have_zeros && text.find('\0') != std::string_view::npos) {
        return reject("the value is no text of PostgreSQL: it has a zero byte");
    }
    if (target.characters_max > 0 && text.size() > target.characters_max) {
        // The server cuts spaces at the end, and nothing else.
        const auto end = text.find_last_not_of(' ');
        const size_t characters = count_characters(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
        if (characters > target.characters_max) {
            return reject("the value is of " + std::to_string(characters) + " characters: " + shown(text));
        }
    }
    if (target.bytes_max > 0 && text.size() > target.bytes_max) {
        return reject("the value is of " + std::to_string(text.size()) + " bytes: " + shown(text));
    }
    if (target.labels != nullptr && !target.labels->contains(text)) {
        return reject("the value is none of its labels: " + shown(text));
    }
    return true;
}

bool CopyEncoder::put_text(std::string_view text, const Plan& plan) {
    if (!check_text(text, plan)) [[unlikely]]
        return false;
    const size_t at = out_.size();
    out_.resize(at + sizeof(int32_t));
    out_.append(text);
    return end_value(at);
}

bool CopyEncoder::put_json(std::string_view text, const Plan& plan) {
    const bool is_jsonb = plan.target->wire.type == WireType::jsonb;
    if (is_jsonb) {
        if (const auto problem = find_jsonb_problem(text); !problem.empty()) return reject(std::string(problem));
    }
    const size_t at = out_.size();
    put_big_endian(out_, int32_t{0});
    if (is_jsonb) out_.append_value<uint8_t>(1);
    out_.append(text);
    return end_value(at);
}

bool CopyEncoder::put_uuid(std::string_view text) {
    const size_t at = out_.size();
    out_.resize(at + sizeof(int32_t) + kUuidBytes);
    store_big_endian(static_cast<int32_t>(kUuidBytes), out_.data() + at);
    return parse_uuid(text, out_.data() + at + sizeof(int32_t)) || reject("the value is no UUID: " + shown(text));
}

bool CopyEncoder::put_decimal(int128 unscaled, int scale, const Plan& plan) {
    if (plan.limits && !fits_numeric(unscaled, scale, *plan.limits)) {
        BufferBuilder wire;
        put_numeric(wire, unscaled, scale);
        std::string text = "the value is ";
        WireNumeric::parse({reinterpret_cast<const char*>(wire.data()), wire.size()})->append_text(text);
        return reject(std::move(text));
    }
    const size_t at = out_.size();
    put_big_endian(out_, int32_t{0});
    put_numeric(out_, unscaled, scale);
    return end_value(at);
}

bool CopyEncoder::put_number_text(std::string_view text, const Plan& plan) {
    const size_t at = out_.size();
    put_big_endian(out_, int32_t{0});
    switch (put_numeric_text(out_, text, plan.limits)) {
        case NumericText::held: return end_value(at);
        case NumericText::no_number: return reject("the value is no number: " + shown(text));
        case NumericText::too_long: return reject("the value is " + shown(text));
    }
    return false;
}

// -------------------------------------------------------------------------------------------------------------- arrays

bool CopyEncoder::put_array(const Column& column, size_t row, const Plan& plan) {
    const size_t at = out_.size();
    put_big_endian(out_, int32_t{0});
    const auto length_of = [](const Column& list, size_t i) {
        const int32_t* offsets = list.offsets->as<int32_t>();
        return offsets[i + 1] - offsets[i];
    };
    // The first list of each level tells the size of all on it.
    sizes_.clear();
    const Column* level = &column;
    size_t first = row;
    for (const Plan* at_level = &plan; at_level->op == Op::array; at_level = &at_level->item[0]) {
        if (level->is_null(first))
            return reject("the value is no array: a list inside is null; declare the column as json");
        sizes_.push_back(length_of(*level, first));
        if (sizes_.back() == 0) break;
        first = static_cast<size_t>(level->offsets->as<int32_t>()[first]);
        level = &level->children[0];
    }
    const bool is_empty = sizes_.back() == 0;
    if (is_empty && sizes_.size() > 1)
        return reject("the value is no array: a list inside is empty; declare the column as json");
    put_big_endian(out_, static_cast<int32_t>(is_empty ? 0 : sizes_.size()));
    const size_t flag_at = out_.size();
    put_big_endian(out_, int32_t{0});
    put_big_endian(out_, plan.target->item);
    if (is_empty) return end_value(at);
    for (const int32_t size : sizes_) {
        put_big_endian(out_, size);
        put_big_endian(out_, int32_t{1});
    }
    bool has_nulls = false;
    if (!put_items(column, row, plan, 0, has_nulls)) return false;
    if (has_nulls) store_big_endian(int32_t{1}, out_.data() + flag_at);
    return end_value(at);
}

bool CopyEncoder::put_items(const Column& column, size_t row, const Plan& plan, size_t level, bool& has_nulls) {
    const int32_t* offsets = column.offsets->as<int32_t>();
    if (column.is_null(row) || offsets[row + 1] - offsets[row] != sizes_[level]) {
        return reject("the value is no array: lists inside are of several lengths; declare the column as json");
    }
    const Column& items = column.children[0];
    const Plan& plan_of_item = plan.item[0];
    for (auto i = static_cast<size_t>(offsets[row]); i < static_cast<size_t>(offsets[row + 1]); ++i) {
        if (plan_of_item.op == Op::array) {
            if (!put_items(items, i, plan_of_item, level + 1, has_nulls)) return false;
        } else if (items.is_null(i)) {
            put_big_endian(out_, kCopyNull);
            has_nulls = true;
        } else if (!put_value(items, i, plan_of_item)) {
            return false;
        }
    }
    return true;
}

}  // namespace shaduf
