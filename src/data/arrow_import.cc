#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "data/arrow.h"
#include "data/builder.h"
#include "data/decimal.h"

// The way in. `import_type` maps a format to one of our types, `import_column` a run of rows of an array to a Column:
// `first` counts from the start of the array's buffers, so that an offset (of the array or of its parent) needs no case
// of its own.
namespace shaduf {
namespace {

using Owner = std::shared_ptr<const void>;

std::string_view format_of(const ArrowSchema& schema) { return schema.format == nullptr ? "" : schema.format; }

Error unknown_type(const ArrowSchema& schema) {
    return Error(ErrorKind::bad_data, "Arrow type has no counterpart: " + std::string(format_of(schema)) +
                                          " of column " + (schema.name == nullptr ? "" : schema.name) +
                                          "; cast it to text at the source");
}

std::string_view extension_name(const ArrowSchema& schema) {
    const char* at = schema.metadata;
    if (at == nullptr) return "";
    const auto read_number = [&] {
        int32_t number;
        std::memcpy(&number, at, sizeof number);
        at += sizeof number;
        return number;
    };
    const auto read_text = [&] {
        const auto size = static_cast<size_t>(std::max(read_number(), 0));
        const std::string_view text(at, size);
        at += size;
        return text;
    };
    for (int32_t left = read_number(); left > 0; --left) {
        const auto key = read_text();
        const auto value = read_text();
        if (key == "ARROW:extension:name") return value;
    }
    return "";
}

constexpr int kDigitsOfUint64 = 20;

struct DecimalFormat {
    int precision = 0;
    int scale = 0;
    int bits = 128;
};

std::optional<DecimalFormat> parse_decimal(std::string_view format) {
    DecimalFormat decimal;
    const auto parts = split(format.substr(2), ',');
    const std::array<int*, 3> numbers{&decimal.precision, &decimal.scale, &decimal.bits};
    if (parts.size() < 2 || parts.size() > numbers.size()) return std::nullopt;
    for (size_t i = 0; i < parts.size(); ++i) {
        const char* end = parts[i].data() + parts[i].size();
        if (std::from_chars(parts[i].data(), end, *numbers[i]).ptr != end) return std::nullopt;
    }
    const bool known_width = decimal.bits == 32 || decimal.bits == 64 || decimal.bits == 128 || decimal.bits == 256;
    decimal.precision = std::max(decimal.precision, decimal.scale);
    const bool known_digits = decimal.precision >= 1 && decimal.precision <= kDecimalDigitsMax && decimal.scale >= 0;
    if (!known_width || !known_digits) return std::nullopt;
    return decimal;
}

size_t fixed_size(std::string_view format) {
    size_t size = 0;
    const auto digits = format.substr(format.find(':') + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), size);
    return size;
}

bool is_list(std::string_view format) {
    return format == "+l" || format == "+L" || format == "+m" || format.starts_with("+w:");
}

std::optional<DataType> import_plain_type(std::string_view format) {
    struct Plain {
        std::string_view format;
        TypeKind kind;
    };
    constexpr std::array kPlain{
        Plain{"n", TypeKind::string},  Plain{"b", TypeKind::boolean}, Plain{"c", TypeKind::int64},
        Plain{"C", TypeKind::int64},   Plain{"s", TypeKind::int64},   Plain{"S", TypeKind::int64},
        Plain{"i", TypeKind::int64},   Plain{"I", TypeKind::int64},   Plain{"l", TypeKind::int64},
        Plain{"f", TypeKind::float64}, Plain{"g", TypeKind::float64}, Plain{"u", TypeKind::string},
        Plain{"U", TypeKind::string},  Plain{"vu", TypeKind::string}, Plain{"z", TypeKind::bytes},
        Plain{"Z", TypeKind::bytes},   Plain{"vz", TypeKind::bytes},  Plain{"tdD", TypeKind::date},
        Plain{"tdm", TypeKind::date},  Plain{"tts", TypeKind::time},  Plain{"ttm", TypeKind::time},
        Plain{"ttu", TypeKind::time},  Plain{"ttn", TypeKind::time},
    };
    const auto found = std::find_if(kPlain.begin(), kPlain.end(), [&](const Plain& p) { return p.format == format; });
    if (found != kPlain.end()) return DataType(found->kind);
    if (format == "L") return DataType::decimal(kDigitsOfUint64, 0);
    if (format.starts_with("w:")) return DataType(TypeKind::bytes);
    if (format.starts_with("ts") && format.size() >= 4 && format[3] == ':' &&
        std::string_view("smun").find(format[2]) != std::string_view::npos) {
        return DataType(format.size() > 4 ? TypeKind::timestamp_tz : TypeKind::timestamp);
    }
    return std::nullopt;
}

Result<DataType> import_type(const ArrowSchema& schema) {
    if (schema.dictionary != nullptr) return import_type(*schema.dictionary);
    const auto format = format_of(schema);
    if (is_list(format)) return DataType::list(TRY(import_type(*schema.children[0])));
    if (format == "+s") return DataType::structure(TRY(import_schema(schema))->fields());
    if (format.starts_with("d:")) {
        const auto decimal = parse_decimal(format);
        if (!decimal) return unknown_type(schema);
        return DataType::decimal(decimal->precision, decimal->scale);
    }
    const auto type = import_plain_type(format);
    if (!type) return unknown_type(schema);
    const auto extension = extension_name(schema);
    if (extension == "arrow.json" && type->kind() == TypeKind::string) return DataType(TypeKind::json);
    if (extension == "arrow.uuid" && format == "w:16") return DataType(TypeKind::uuid);
    return *type;
}

// One array (or the part of it that a parent shows) on its way in.
struct Import {
    const ArrowArray& array;
    const ArrowSchema& schema;
    const Owner& owner;
    size_t first;
    size_t length;

    const uint8_t* buffer(int64_t i) const {
        return i < array.n_buffers ? static_cast<const uint8_t*>(array.buffers[i]) : nullptr;
    }
    BufferPtr alias(const void* data, size_t size) const {
        static const uint64_t nothing[2] = {0, 0};
        return std::make_shared<const Buffer>(data != nullptr ? data : nothing, size, owner);
    }
    bool is_valid(size_t row) const {
        const auto* bits = buffer(0);
        return bits == nullptr || get_bit(bits, first + row);
    }
};

BufferPtr import_bits(const Import& in, const uint8_t* bits) {
    if (in.first % 8 == 0) return in.alias(bits + in.first / 8, (in.length + 7) / 8);
    BufferBuilder out;
    out.append_zeros((in.length + 7) / 8);
    for (size_t row = 0; row < in.length; ++row) {
        if (get_bit(bits, in.first + row)) set_bit(out.data(), row);
    }
    return out.finish();
}

void import_validity(const Import& in, Column& column) {
    const uint8_t* bits = in.buffer(0);
    if (bits == nullptr || in.array.null_count == 0 || in.length == 0) return;
    for (size_t row = 0; row < in.length; ++row) column.null_count += in.is_valid(row) ? 0 : 1;
    if (column.null_count > 0) column.validity = import_bits(in, bits);
}

template <typename To, typename From, typename Convert>
void convert_values(const Import& in, Column& column, Convert convert) {
    BufferBuilder out;
    out.resize(in.length * sizeof(To));
    const uint8_t* values = in.buffer(1);
    for (size_t row = 0; row < in.length; ++row) {
        From from{};
        if (in.is_valid(row)) std::memcpy(&from, values + (in.first + row) * sizeof(From), sizeof from);
        const To to = convert(from);
        std::memcpy(out.data() + row * sizeof to, &to, sizeof to);
    }
    column.values = out.finish();
}

template <typename To, typename From>
void cast_values(const Import& in, Column& column) {
    convert_values<To, From>(in, column, [](From value) { return static_cast<To>(value); });
}

template <typename T>
void alias_values(const Import& in, Column& column) {
    const uint8_t* values = in.buffer(1);
    // Memory of others may stand at any address; what we read by cast must be aligned.
    if (reinterpret_cast<uintptr_t>(values) % 8 != 0) return cast_values<T, T>(in, column);
    column.values = in.alias(values == nullptr ? nullptr : values + in.first * sizeof(T), in.length * sizeof(T));
}

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

Result<void> scale_up(const Import& in, Column& column, int64_t factor) {
    bool overflow = false;
    const auto convert = [&](int64_t value) {
        int64_t scaled = 0;
        overflow |= __builtin_mul_overflow(value, factor, &scaled);
        return scaled;
    };
    if (in.schema.format[1] == 't') {
        convert_values<int64_t, int32_t>(in, column, convert);
    } else {
        convert_values<int64_t, int64_t>(in, column, convert);
    }
    if (overflow)
        return Error(ErrorKind::bad_data, "timestamp is out of range in column " + std::string(in.schema.name));
    return {};
}

// Times and timestamps, by the letter of their unit.
Result<void> import_instants(const Import& in, Column& column) {
    switch (in.schema.format[2]) {
        case 's': return scale_up(in, column, 1'000'000);
        case 'm': return scale_up(in, column, 1'000);
        case 'n':
            convert_values<int64_t, int64_t>(in, column, [](int64_t value) { return floor_divide(value, 1000); });
            return {};
        default: alias_values<int64_t>(in, column); return {};
    }
}

void import_integers(const Import& in, Column& column) {
    switch (in.schema.format[0]) {
        case 'c': return cast_values<int64_t, int8_t>(in, column);
        case 'C': return cast_values<int64_t, uint8_t>(in, column);
        case 's': return cast_values<int64_t, int16_t>(in, column);
        case 'S': return cast_values<int64_t, uint16_t>(in, column);
        case 'i': return cast_values<int64_t, int32_t>(in, column);
        case 'I': return cast_values<int64_t, uint32_t>(in, column);
        default: return alias_values<int64_t>(in, column);
    }
}

void import_decimal_values(const Import& in, std::string_view format, Column& column) {
    if (format == "L") return cast_values<int128, uint64_t>(in, column);
    using Wide = std::array<int128, 2>;
    switch (parse_decimal(format)->bits) {
        case 32: return cast_values<int128, int32_t>(in, column);
        case 64: return cast_values<int128, int64_t>(in, column);
        case 256: return convert_values<int128, Wide>(in, column, [](const Wide& value) { return value[0]; });
        default: return alias_values<int128>(in, column);
    }
}

Result<void> import_decimals(const Import& in, Column& column) {
    import_decimal_values(in, format_of(in.schema), column);
    for (size_t row = 0; row < column.length; ++row) {
        if (column.is_null(row) || has_digits(column.decimal_at(row), column.type.precision())) continue;
        return Error(ErrorKind::bad_data, "value has more digits than " + column.type.to_string() + " in column " +
                                              std::string(in.schema.name));
    }
    return {};
}

Error too_large(const Import& in) {
    return Error(ErrorKind::bad_data, "column has more than 2 GiB in one batch: " + std::string(in.schema.name));
}

// Offsets from zero; `begin` and `end` are what they were counted in.
template <typename T>
Result<BufferPtr> import_offsets(const Import& in, size_t& begin, size_t& end) {
    begin = end = 0;
    BufferBuilder out;
    const auto* offsets = reinterpret_cast<const T*>(in.buffer(1));
    if (offsets == nullptr || in.length == 0) {
        out.append_zeros((in.length + 1) * sizeof(int32_t));
        return out.finish();
    }
    begin = static_cast<size_t>(offsets[in.first]);
    end = static_cast<size_t>(offsets[in.first + in.length]);
    if (end - begin > INT32_MAX) return too_large(in);
    if (std::is_same_v<T, int32_t> && begin == 0) {
        return in.alias(offsets + in.first, (in.length + 1) * sizeof(int32_t));
    }
    out.resize((in.length + 1) * sizeof(int32_t));
    auto* to = out.as<int32_t>();
    for (size_t row = 0; row <= in.length; ++row) {
        to[row] = static_cast<int32_t>(static_cast<size_t>(offsets[in.first + row]) - begin);
    }
    return out.finish();
}

Column import_fixed_bytes(const Import& in, const DataType& type) {
    const size_t size = fixed_size(format_of(in.schema));
    ColumnBuilder builder(type);
    for (size_t row = 0; row < in.length; ++row) {
        const uint8_t* value = in.buffer(1) + (in.first + row) * size;
        if (!in.is_valid(row)) {
            builder.append_null();
        } else if (type.kind() == TypeKind::uuid) {
            builder.append_uuid({reinterpret_cast<const char*>(value), size});
        } else {
            builder.append_text({reinterpret_cast<const char*>(value), size});
        }
    }
    return builder.finish();
}

// Views of 16 bytes: a length, then either up to 12 bytes, or a prefix, a buffer's number and an offset in it.
Result<Column> import_views(const Import& in, const DataType& type) {
    ColumnBuilder builder(type);
    for (size_t row = 0; row < in.length; ++row) {
        if (!in.is_valid(row)) {
            builder.append_null();
            continue;
        }
        const uint8_t* view = in.buffer(1) + (in.first + row) * 16;
        std::array<int32_t, 4> words{};
        std::memcpy(words.data(), view, 16);
        const auto size = static_cast<size_t>(words[0]);
        const uint8_t* bytes = size <= 12 ? view + 4 : in.buffer(2 + words[2]) + words[3];
        if (builder.byte_size() + size > INT32_MAX) return too_large(in);
        builder.append_text({reinterpret_cast<const char*>(bytes), size});
    }
    return builder.finish();
}

Result<void> import_text(const Import& in, Column& column) {
    size_t begin = 0;
    size_t end = 0;
    const char letter = in.schema.format[0];
    const bool large = letter == 'U' || letter == 'Z';
    column.offsets =
        large ? TRY(import_offsets<int64_t>(in, begin, end)) : TRY(import_offsets<int32_t>(in, begin, end));
    const uint8_t* bytes = in.buffer(2);
    column.values = in.alias(bytes == nullptr ? nullptr : bytes + begin, end - begin);
    return {};
}

Result<Column> import_column(const Import& in, const DataType& type);

Result<Column> import_child(const Import& parent, size_t i, const DataType& type, size_t first, size_t length) {
    const ArrowArray& child = *parent.array.children[i];
    return import_column(
        {child, *parent.schema.children[i], parent.owner, static_cast<size_t>(child.offset) + first, length}, type);
}

Result<void> import_list(const Import& in, Column& column) {
    size_t begin = 0;
    size_t end = 0;
    const auto format = format_of(in.schema);
    if (format.starts_with("+w:")) {
        const size_t size = fixed_size(format);
        BufferBuilder offsets;
        for (size_t row = 0; row <= in.length; ++row) offsets.append_value(static_cast<int32_t>(row * size));
        column.offsets = offsets.finish();
        begin = in.first * size;
        end = begin + in.length * size;
    } else {
        column.offsets = format == "+L" ? TRY(import_offsets<int64_t>(in, begin, end))
                                        : TRY(import_offsets<int32_t>(in, begin, end));
    }
    column.children.push_back(TRY(import_child(in, 0, column.type.children()[0].type, begin, end - begin)));
    return {};
}

Result<void> import_structure(const Import& in, Column& column) {
    const auto& fields = column.type.children();
    for (size_t i = 0; i < fields.size(); ++i) {
        column.children.push_back(TRY(import_child(in, i, fields[i].type, in.first, in.length)));
    }
    return {};
}

Result<Column> import_dictionary(const Import& in, const DataType& type) {
    const ArrowArray& values = *in.array.dictionary;
    const Import whole{values, *in.schema.dictionary, in.owner, static_cast<size_t>(values.offset),
                       static_cast<size_t>(values.length)};
    const Column words = TRY(import_column(whole, type));
    Column indexes;
    import_integers(in, indexes);
    if (words.length == 0) return make_null_column(type, in.length);
    std::vector<uint32_t> rows(in.length);
    for (size_t row = 0; row < in.length; ++row) {
        if (in.is_valid(row)) rows[row] = static_cast<uint32_t>(indexes.int64_at(row));
    }
    Column column = take(words, rows);
    if (in.buffer(0) == nullptr || in.array.null_count == 0) return column;
    BufferBuilder bits;
    bits.append_zeros((in.length + 7) / 8);
    column.null_count = 0;
    for (size_t row = 0; row < in.length; ++row) {
        const bool valid = in.is_valid(row) && !column.is_null(row);
        if (valid) set_bit(bits.data(), row);
        column.null_count += valid ? 0 : 1;
    }
    column.validity = bits.finish();
    return column;
}

Result<void> import_fixed_width(const Import& in, Column& column) {
    switch (column.type.kind()) {
        case TypeKind::boolean:
            column.values = in.buffer(1) == nullptr ? in.alias(nullptr, 0) : import_bits(in, in.buffer(1));
            return {};
        case TypeKind::int64: import_integers(in, column); return {};
        case TypeKind::float64:
            if (in.schema.format[0] == 'f') {
                cast_values<double, float>(in, column);
            } else {
                alias_values<double>(in, column);
            }
            return {};
        case TypeKind::decimal: return import_decimals(in, column);
        case TypeKind::date:
            if (format_of(in.schema) == "tdm") {
                convert_values<int32_t, int64_t>(
                    in, column, [](int64_t ms) { return static_cast<int32_t>(floor_divide(ms, 86'400'000)); });
            } else {
                alias_values<int32_t>(in, column);
            }
            return {};
        default: return import_instants(in, column);
    }
}

Result<Column> import_column(const Import& in, const DataType& type) {
    if (in.schema.dictionary != nullptr) return import_dictionary(in, type);
    const auto format = format_of(in.schema);
    if (format == "n") return make_null_column(type, in.length);
    if (format.starts_with("w:")) return import_fixed_bytes(in, type);
    if (format.starts_with("v")) return import_views(in, type);
    Column column;
    column.type = type;
    column.length = in.length;
    import_validity(in, column);
    if (type.kind() == TypeKind::list) {
        TRY(import_list(in, column));
    } else if (type.kind() == TypeKind::structure) {
        TRY(import_structure(in, column));
    } else if (format[0] == 'u' || format[0] == 'z' || format[0] == 'U' || format[0] == 'Z') {
        TRY(import_text(in, column));
    } else {
        TRY(import_fixed_width(in, column));
    }
    return column;
}

}  // namespace

Result<SchemaPtr> import_schema(const ArrowSchema& schema) {
    std::vector<Field> fields;
    for (int64_t i = 0; i < schema.n_children; ++i) {
        const ArrowSchema& child = *schema.children[i];
        const bool nullable = (child.flags & ARROW_FLAG_NULLABLE) != 0;
        fields.push_back({child.name == nullptr ? "" : child.name, TRY(import_type(child)), nullable});
    }
    return std::make_shared<const Schema>(std::move(fields));
}

Result<RecordBatch> import_batch(ArrowArray&& array, const ArrowSchema& schema) {
    auto* taken = new ArrowArray(array);
    array.release = nullptr;
    const std::shared_ptr<const ArrowArray> owned(taken, [](const ArrowArray* released) {
        auto* whole = const_cast<ArrowArray*>(released);
        if (whole->release != nullptr) whole->release(whole);
        delete whole;
    });
    const Owner owner = owned;
    const SchemaPtr fields = TRY(import_schema(schema));
    const Import root{*owned, schema, owner, static_cast<size_t>(owned->offset), static_cast<size_t>(owned->length)};
    Column rows;
    rows.type = DataType::structure(fields->fields());
    TRY(import_structure(root, rows));
    return RecordBatch(fields, std::move(rows.children), root.length);
}

}  // namespace shaduf
