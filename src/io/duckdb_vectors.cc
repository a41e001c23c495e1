#include <duckdb.h>

#include <memory>

#include "io/duckdb_internal.h"

// The engine's vectors straight into column builders: one copy, where the engine's own way to Arrow makes one into
// chunks of 2048 rows, which would then have to be joined.
namespace shaduf {
namespace {

struct Reader {
    duckdb_vector vector;
    duckdb_logical_type type;
    uint64_t* validity;
    const void* data;

    explicit Reader(duckdb_vector from)
        : vector(from),
          type(duckdb_vector_get_column_type(from)),
          validity(duckdb_vector_get_validity(from)),
          data(duckdb_vector_get_data(from)) {}
    ~Reader() { duckdb_destroy_logical_type(&type); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    bool is_valid(idx_t row) const { return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1) != 0; }
    template <typename T>
    const T& at(idx_t row) const {
        return static_cast<const T*>(data)[row];
    }
    duckdb_type id() const { return duckdb_get_type_id(type); }
};

struct Range {
    idx_t first;
    idx_t count;
};

template <typename T, typename Append>
void each_value(const Reader& from, Range range, ColumnBuilder& to, Append append) {
    for (idx_t row = range.first; row < range.first + range.count; ++row) {
        if (from.is_valid(row)) {
            append(from.at<T>(row));
        } else {
            to.append_null();
        }
    }
}

template <typename T>
void append_integers(const Reader& from, Range range, ColumnBuilder& to) {
    each_value<T>(from, range, to, [&](T value) { to.append_int64(static_cast<int64_t>(value)); });
}

template <typename T>
void append_decimals(const Reader& from, Range range, ColumnBuilder& to) {
    each_value<T>(from, range, to, [&](T value) { to.append_decimal(static_cast<int128>(value)); });
}

// Counted down for nanoseconds, up for seconds and milliseconds.
void append_scaled(const Reader& from, Range range, ColumnBuilder& to) {
    const duckdb_type id = from.id();
    each_value<int64_t>(from, range, to, [&](int64_t value) {
        if (id == DUCKDB_TYPE_TIMESTAMP_S) return to.append_int64(value * 1'000'000);
        if (id == DUCKDB_TYPE_TIMESTAMP_MS) return to.append_int64(value * 1'000);
        to.append_int64(value / 1000 - (value % 1000 < 0 ? 1 : 0));
    });
}

void append_texts(const Reader& from, Range range, ColumnBuilder& to) {
    each_value<duckdb_string_t>(from, range, to, [&](const duckdb_string_t& value) {
        const bool inlined = value.value.inlined.length <= 12;
        to.append_text({inlined ? value.value.inlined.inlined : value.value.pointer.ptr, value.value.inlined.length});
    });
}

std::string format_uuid(duckdb_hugeint value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    // The top bit is flipped so that UUIDs sort as numbers.
    const uint64_t upper = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63U);
    std::string text;
    for (int nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text += '-';
        const uint64_t word = nibble < 16 ? upper : value.lower;
        text += kDigits[(word >> (60 - 4 * (nibble % 16))) & 15U];
    }
    return text;
}

void append_enums(const Reader& from, Range range, ColumnBuilder& to) {
    const duckdb_type width = duckdb_enum_internal_type(from.type);
    for (idx_t row = range.first; row < range.first + range.count; ++row) {
        if (!from.is_valid(row)) {
            to.append_null();
            continue;
        }
        const idx_t index = width == DUCKDB_TYPE_UTINYINT    ? from.at<uint8_t>(row)
                            : width == DUCKDB_TYPE_USMALLINT ? from.at<uint16_t>(row)
                                                             : from.at<uint32_t>(row);
        char* word = duckdb_enum_dictionary_value(from.type, index);
        to.append_text(word);
        duckdb_free(word);
    }
}

void append_range(const Reader& from, Range range, ColumnBuilder& to);

void append_lists(const Reader& from, Range range, ColumnBuilder& to) {
    const Reader items(duckdb_list_vector_get_child(from.vector));
    each_value<duckdb_list_entry>(from, range, to, [&](const duckdb_list_entry& entry) {
        append_range(items, {entry.offset, entry.length}, to.child(0));
        to.append_list();
    });
}

void append_arrays(const Reader& from, Range range, ColumnBuilder& to) {
    const Reader items(duckdb_array_vector_get_child(from.vector));
    const idx_t size = duckdb_array_type_array_size(from.type);
    for (idx_t row = range.first; row < range.first + range.count; ++row) {
        if (!from.is_valid(row)) {
            to.append_null();
            continue;
        }
        append_range(items, {row * size, size}, to.child(0));
        to.append_list();
    }
}

void append_structures(const Reader& from, Range range, ColumnBuilder& to) {
    std::vector<std::unique_ptr<Reader>> children;
    for (size_t i = 0; i < to.type().children().size(); ++i) {
        children.push_back(std::make_unique<Reader>(duckdb_struct_vector_get_child(from.vector, i)));
    }
    for (idx_t row = range.first; row < range.first + range.count; ++row) {
        if (!from.is_valid(row)) {
            to.append_null();
            continue;
        }
        for (size_t i = 0; i < children.size(); ++i) append_range(*children[i], {row, 1}, to.child(i));
        to.append_structure();
    }
}

void append_decimals_by_width(const Reader& from, Range range, ColumnBuilder& to) {
    switch (duckdb_decimal_internal_type(from.type)) {
        case DUCKDB_TYPE_SMALLINT: return append_decimals<int16_t>(from, range, to);
        case DUCKDB_TYPE_INTEGER: return append_decimals<int32_t>(from, range, to);
        case DUCKDB_TYPE_BIGINT: return append_decimals<int64_t>(from, range, to);
        default: return append_decimals<int128>(from, range, to);
    }
}

// False when the type is no number.
bool append_numbers(const Reader& from, Range range, ColumnBuilder& to) {
    switch (from.id()) {
        case DUCKDB_TYPE_TINYINT: append_integers<int8_t>(from, range, to); return true;
        case DUCKDB_TYPE_SMALLINT: append_integers<int16_t>(from, range, to); return true;
        case DUCKDB_TYPE_INTEGER: append_integers<int32_t>(from, range, to); return true;
        case DUCKDB_TYPE_UTINYINT: append_integers<uint8_t>(from, range, to); return true;
        case DUCKDB_TYPE_USMALLINT: append_integers<uint16_t>(from, range, to); return true;
        case DUCKDB_TYPE_UINTEGER: append_integers<uint32_t>(from, range, to); return true;
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_TIME:
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_TZ: append_integers<int64_t>(from, range, to); return true;
        case DUCKDB_TYPE_UBIGINT: append_decimals<uint64_t>(from, range, to); return true;
        case DUCKDB_TYPE_HUGEINT: append_decimals<int128>(from, range, to); return true;
        case DUCKDB_TYPE_DECIMAL: append_decimals_by_width(from, range, to); return true;
        case DUCKDB_TYPE_FLOAT:
            each_value<float>(from, range, to, [&](float value) { to.append_float64(static_cast<double>(value)); });
            return true;
        case DUCKDB_TYPE_DOUBLE:
            each_value<double>(from, range, to, [&](double value) { to.append_float64(value); });
            return true;
        default: return false;
    }
}

void append_range(const Reader& from, Range range, ColumnBuilder& to) {
    if (append_numbers(from, range, to)) return;
    switch (from.id()) {
        case DUCKDB_TYPE_BOOLEAN:
            return each_value<bool>(from, range, to, [&](bool value) { to.append_boolean(value); });
        case DUCKDB_TYPE_DATE: return each_value<int32_t>(from, range, to, [&](int32_t days) { to.append_date(days); });
        case DUCKDB_TYPE_TIMESTAMP_S:
        case DUCKDB_TYPE_TIMESTAMP_MS:
        case DUCKDB_TYPE_TIMESTAMP_NS: return append_scaled(from, range, to);
        case DUCKDB_TYPE_VARCHAR:
        case DUCKDB_TYPE_BLOB: return append_texts(from, range, to);
        case DUCKDB_TYPE_UUID:
            return each_value<duckdb_hugeint>(from, range, to,
                                              [&](const duckdb_hugeint& value) { to.append_text(format_uuid(value)); });
        case DUCKDB_TYPE_ENUM: return append_enums(from, range, to);
        case DUCKDB_TYPE_LIST: return append_lists(from, range, to);
        case DUCKDB_TYPE_ARRAY: return append_arrays(from, range, to);
        case DUCKDB_TYPE_STRUCT: return append_structures(from, range, to);
        default:  // SQLNULL
            for (idx_t i = 0; i < range.count; ++i) to.append_null();
    }
}

}  // namespace

void append_chunk(duckdb_data_chunk chunk, RecordBatchBuilder& to) {
    const idx_t rows = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(chunk); ++i) {
        const Reader from(duckdb_data_chunk_get_vector(chunk, i));
        append_range(from, {0, rows}, to.column(i));
    }
    for (idx_t row = 0; row < rows; ++row) to.end_row();
}

}  // namespace shaduf
