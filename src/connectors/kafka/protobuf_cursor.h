#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace shaduf::kafka {

// How a field stands in the bytes.
enum class ProtoWire : uint8_t { varint = 0, fixed64 = 1, delimited = 2, group_begin = 3, group_end = 4, fixed32 = 5 };

// A field as it stands there: its number in `bits`, or its bytes in `text` (of a group what is between its tags).
struct ProtoValue {
    uint64_t bits = 0;
    std::string_view text;
};

// Walks Protobuf's binary form. A step that returns false has set `fault`, and the cursor is of no further use.
class ProtoCursor {
public:
    explicit ProtoCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool at_end() const { return at_ == end_; }
    const char* fault() const { return fault_; }
    bool fail(const char* what) {
        fault_ = what;
        return false;
    }

    bool read_varint(uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            if (at_ == end_) return fail("the bytes end inside it");
            const auto byte = static_cast<uint8_t>(*at_++);
            if (shift == 63 && byte > 1) break;
            value |= static_cast<uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return true;
        }
        return fail("a number has more than 64 bits");
    }
    bool read_tag(uint32_t& number, ProtoWire& wire) {
        uint64_t tag = 0;
        if (!read_varint(tag)) return false;
        number = static_cast<uint32_t>(tag >> 3);
        wire = static_cast<ProtoWire>(tag & 7);
        if (tag >> 32 != 0 || number == 0 || (tag & 7) > 5) return fail("a field has a number or form that cannot be");
        return true;
    }
    bool read_fixed32(uint64_t& bits) { return read_little_endian(4, bits); }
    bool read_fixed64(uint64_t& bits) { return read_little_endian(8, bits); }
    bool read_delimited(std::string_view& text) {
        uint64_t size = 0;
        if (!read_varint(size)) return false;
        if (size > static_cast<size_t>(end_ - at_)) return fail("the bytes end inside it");
        text = {at_, static_cast<size_t>(size)};
        at_ += size;
        return true;
    }
    // What stands behind a tag, whatever it is.
    bool read_value(uint32_t number, ProtoWire wire, ProtoValue& value) {
        switch (wire) {
            case ProtoWire::varint: return read_varint(value.bits);
            case ProtoWire::fixed64: return read_fixed64(value.bits);
            case ProtoWire::fixed32: return read_fixed32(value.bits);
            case ProtoWire::delimited: return read_delimited(value.text);
            case ProtoWire::group_begin: return read_group(number, value.text);
            case ProtoWire::group_end: break;
        }
        return fail("a group ends that did not begin");
    }

private:
    static constexpr int kDepthMax = 100;

    bool read_little_endian(size_t size, uint64_t& bits) {
        if (size > static_cast<size_t>(end_ - at_)) return fail("the bytes end inside it");
        bits = 0;
        std::memcpy(&bits, at_, size);
        at_ += size;
        return true;
    }
    bool read_group(uint32_t number, std::string_view& text) {
        const char* begin = at_;
        uint32_t open[kDepthMax];
        int depth = 0;
        open[depth++] = number;
        for (;;) {
            const char* before = at_;
            uint32_t inner = 0;
            ProtoWire wire = ProtoWire::varint;
            if (!read_tag(inner, wire)) return false;
            ProtoValue passed;
            if (wire == ProtoWire::group_begin) {
                if (depth == kDepthMax) return fail("groups are nested too deep");
                open[depth++] = inner;
            } else if (wire == ProtoWire::group_end) {
                if (open[--depth] != inner) return fail("a group ends that did not begin");
                if (depth > 0) continue;
                text = {begin, static_cast<size_t>(before - begin)};
                return true;
            } else if (!read_value(inner, wire, passed)) {
                return false;
            }
        }
    }

    const char* at_;
    const char* end_;
    const char* fault_ = nullptr;
};

}  // namespace shaduf::kafka
