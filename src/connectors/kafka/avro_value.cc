#include "connectors/kafka/avro_value.h"

#include <array>

#include "base/time.h"
#include "connectors/kafka/json_scalar.h"
#include "data/utf8.h"
#include "data/uuid.h"

namespace shaduf::kafka {
namespace {

constexpr size_t kJsonBytesMax = 64U << 20;
constexpr int64_t kMicrosPerDay = 86'400'000'000;

uint32_t little_endian(std::string_view bytes) {
    uint32_t value = 0;
    for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
    return value;
}

int64_t floor_divide(int64_t number, int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

}  // namespace

bool avro_micros(AvroLogical logical, int64_t count, int64_t& micros) {
    switch (logical) {
        case AvroLogical::time_millis:
        case AvroLogical::timestamp_millis:
        case AvroLogical::local_timestamp_millis:
            if (__builtin_mul_overflow(count, int64_t{1000}, &micros)) return false;
            break;
        case AvroLogical::time_nanos:
        case AvroLogical::timestamp_nanos:
        case AvroLogical::local_timestamp_nanos: micros = floor_divide(count, 1000); break;
        default: micros = count;
    }
    const bool is_time = logical == AvroLogical::time_millis || logical == AvroLogical::time_micros ||
                         logical == AvroLogical::time_nanos;
    return !is_time || (micros >= 0 && micros < kMicrosPerDay);
}

std::string avro_duration(std::string_view bytes) {
    const uint32_t milliseconds = little_endian(bytes.substr(8));
    std::string fraction = std::to_string(milliseconds % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return "P" + std::to_string(little_endian(bytes)) + "M" + std::to_string(little_endian(bytes.substr(4))) + "DT" +
           std::to_string(milliseconds / 1000) + "." + fraction + "S";
}

bool AvroWalker::take_items(uint64_t items) {
    if (items > items_left_) return cursor_.fail("a block has more items than bytes");
    items_left_ -= items;
    return true;
}

bool AvroWalker::read_branch(const AvroType& type, const AvroType*& branch) {
    int64_t number = 0;
    if (!cursor_.read_long(number)) return false;
    if (number < 0 || static_cast<uint64_t>(number) >= type.branches.size()) {
        return cursor_.fail("a union has no branch of that number");
    }
    branch = type.branches[static_cast<size_t>(number)];
    return true;
}

bool AvroWalker::write(const AvroType& type, std::string& out, int depth) {
    if (depth > kDepthMax) return cursor_.fail("values are nested too deep");
    const AvroType* branch = nullptr;
    bool truth = false;
    switch (type.kind) {
        case AvroKind::null: out += "null"; return true;
        case AvroKind::boolean:
            if (!cursor_.read_boolean(truth)) return false;
            out += truth ? "true" : "false";
            return true;
        case AvroKind::integer:
        case AvroKind::long_integer:
        case AvroKind::float32:
        case AvroKind::float64: return write_number(type, out);
        case AvroKind::bytes:
        case AvroKind::fixed: return write_bytes(type, out);
        case AvroKind::string:
        case AvroKind::enumeration: return write_text(type, out);
        case AvroKind::record: return write_record(type, out, depth);
        case AvroKind::array:
        case AvroKind::map: return write_items(type, out, depth);
        case AvroKind::alternatives: break;
    }
    return read_branch(type, branch) && write(*branch, out, depth + 1);
}

bool AvroWalker::write_number(const AvroType& type, std::string& out) {
    if (type.kind == AvroKind::float32 || type.kind == AvroKind::float64) {
        double value = 0;
        if (type.kind == AvroKind::float32 ? !cursor_.read_float(value) : !cursor_.read_double(value)) return false;
        append_json_float(value, out);
        return true;
    }
    int64_t value = 0;
    if (type.kind == AvroKind::integer ? !cursor_.read_int(value) : !cursor_.read_long(value)) return false;
    if (type.logical == AvroLogical::none) {
        append_json_int(value, out);
        return true;
    }
    if (type.logical == AvroLogical::date) {
        out += '"' + format_date(static_cast<int32_t>(value)) + '"';
        return true;
    }
    int64_t micros = 0;
    if (!avro_micros(type.logical, value, micros)) return cursor_.fail("a time is out of range");
    const bool is_time = type.logical == AvroLogical::time_millis || type.logical == AvroLogical::time_micros ||
                         type.logical == AvroLogical::time_nanos;
    const bool has_zone = type.logical == AvroLogical::timestamp_millis ||
                          type.logical == AvroLogical::timestamp_micros || type.logical == AvroLogical::timestamp_nanos;
    out += '"' + (is_time ? format_time_of_day(micros) : format_timestamp(micros, has_zone)) + '"';
    return true;
}

bool AvroWalker::write_bytes(const AvroType& type, std::string& out) {
    std::string_view bytes;
    if (type.kind == AvroKind::fixed ? !cursor_.read_fixed(type.size, bytes) : !cursor_.read_bytes(bytes)) return false;
    if (type.logical == AvroLogical::decimal) {
        int128 value = 0;
        if (!read_big_endian(bytes, value)) return cursor_.fail("a decimal has too many digits");
        append_json_decimal(value, type.scale, out);
    } else if (type.logical == AvroLogical::uuid) {
        out += '"';
        append_uuid_text(bytes, out);
        out += '"';
    } else if (type.logical == AvroLogical::duration) {
        out += '"' + avro_duration(bytes) + '"';
    } else {
        append_json_bytes(bytes, out);
    }
    return true;
}

bool AvroWalker::write_text(const AvroType& type, std::string& out) {
    if (type.kind == AvroKind::string) return read_key(out);
    int64_t number = 0;
    if (!cursor_.read_int(number)) return false;
    if (number < 0 || static_cast<uint64_t>(number) >= type.symbols.size()) {
        return cursor_.fail("an enum has no symbol of that number");
    }
    append_json_string(type.symbols[static_cast<size_t>(number)], out);
    return true;
}

bool AvroWalker::read_key(std::string& out) {
    std::string_view text;
    if (!cursor_.read_bytes(text)) return false;
    if (find_invalid_utf8(text)) return cursor_.fail("a text is not valid UTF-8");
    append_json_string(text, out);
    return true;
}

bool AvroWalker::write_record(const AvroType& type, std::string& out, int depth) {
    if (!take_items(1)) return false;  // even when it takes no bytes
    out += '{';
    for (const AvroField& field : type.fields) {
        if (&field != type.fields.data()) out += ',';
        append_json_string(field.name, out);
        out += ':';
        if (!write(*field.type, out, depth + 1)) return false;
    }
    out += '}';
    return true;
}

bool AvroWalker::write_items(const AvroType& type, std::string& out, int depth) {
    const bool is_map = type.kind == AvroKind::map;
    out += is_map ? '{' : '[';
    bool is_first = true;
    for (;;) {
        uint64_t items = 0;
        if (!cursor_.read_block(items) || !take_items(items)) return false;
        if (items == 0) break;
        for (; items > 0; --items) {
            if (!is_first) out += ',';
            is_first = false;
            if (out.size() > kJsonBytesMax) return cursor_.fail("its JSON would be over 64 MB");
            if (is_map && !read_key(out)) return false;
            if (is_map) out += ':';
            if (!write(*type.items, out, depth + 1)) return false;
        }
    }
    out += is_map ? '}' : ']';
    return true;
}

bool AvroWalker::skip(const AvroType& type, int depth) {
    if (depth > kDepthMax) return cursor_.fail("values are nested too deep");
    const AvroType* branch = nullptr;
    switch (type.kind) {
        case AvroKind::record:
            if (!take_items(1)) return false;
            for (const AvroField& field : type.fields) {
                if (!skip(*field.type, depth + 1)) return false;
            }
            return true;
        case AvroKind::array:
        case AvroKind::map: return skip_items(type, depth);
        case AvroKind::alternatives: return read_branch(type, branch) && skip(*branch, depth + 1);
        default: return skip_plain(type);
    }
}

bool AvroWalker::skip_plain(const AvroType& type) {
    int64_t number = 0;
    double fraction = 0;
    bool truth = false;
    std::string_view bytes;
    switch (type.kind) {
        case AvroKind::boolean: return cursor_.read_boolean(truth);
        case AvroKind::integer:
        case AvroKind::enumeration: return cursor_.read_int(number);
        case AvroKind::long_integer: return cursor_.read_long(number);
        case AvroKind::float32: return cursor_.read_float(fraction);
        case AvroKind::float64: return cursor_.read_double(fraction);
        case AvroKind::bytes:
        case AvroKind::string: return cursor_.read_bytes(bytes);
        case AvroKind::fixed: return cursor_.read_fixed(type.size, bytes);
        default: return true;
    }
}

bool AvroWalker::skip_items(const AvroType& type, int depth) {
    for (;;) {
        uint64_t items = 0;
        if (!cursor_.read_block(items) || !take_items(items)) return false;
        if (items == 0) return true;
        for (; items > 0; --items) {
            std::string_view key;
            if (type.kind == AvroKind::map && !cursor_.read_bytes(key)) return false;
            if (!skip(*type.items, depth + 1)) return false;
        }
    }
}

}  // namespace shaduf::kafka
