#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace shaduf::kafka {

// Walks Avro's binary form. A step that returns false has set `fault`, and the cursor is of no further use. The bytes
// must be readable for 16 bytes behind their end.
class AvroCursor {
public:
    AvroCursor(std::string_view bytes)  // NOLINT: a cursor is of bytes
        : at_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

    bool at_end() const { return at_ == end_; }
    size_t left() const { return static_cast<size_t>(end_ - at_); }
    const char* fault() const { return fault_; }
    bool fail(const char* what) {
        fault_ = what;
        return false;
    }

    // Zig-zag, seven bits a byte, the lowest first.
    bool read_long(int64_t& value) {
        uint64_t bits = at_[0];
        if (bits < 0x80) [[likely]] {
            ++at_;
        } else if (!read_long_rest(bits)) {
            return false;
        }
        value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
        return at_ <= end_ || ends();
    }
    bool read_int(int64_t& value) {
        return read_long(value) && (value == static_cast<int32_t>(value) || fail("an int has more than 32 bits"));
    }
    bool read_boolean(bool& value) {
        const uint8_t byte = *at_++;
        value = byte == 1;
        if (at_ > end_) return ends();
        return byte <= 1 || fail("a boolean is neither 0 nor 1");
    }
    bool read_float(double& value) {
        float single = 0;
        std::memcpy(&single, at_, sizeof single);
        value = single;
        at_ += sizeof single;
        return at_ <= end_ || ends();
    }
    bool read_double(double& value) {
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return at_ <= end_ || ends();
    }
    bool read_fixed(size_t size, std::string_view& bytes) {
        if (size > left()) return ends();
        bytes = {reinterpret_cast<const char*>(at_), size};
        at_ += size;
        return true;
    }
    // A text or bytes, behind their length.
    bool read_bytes(std::string_view& bytes) {
        int64_t size = 0;
        if (!read_long(size)) return false;
        if (size < 0) return fail("a length is negative");
        return read_fixed(static_cast<size_t>(size), bytes);
    }
    // Begins a block of a list or a map; 0 items: it was the last one.
    bool read_block(uint64_t& items) {
        int64_t count = 0;
        if (!read_long(count)) return false;
        if (count < 0) {
            int64_t bytes = 0;
            if (count == INT64_MIN) return fail("a block has too many items");
            count = -count;
            if (!read_long(bytes)) return false;
            if (bytes < 0 || static_cast<size_t>(bytes) > left()) return ends();
        }
        items = static_cast<uint64_t>(count);
        return true;
    }

private:
    bool ends() { return fail("the bytes end inside it"); }
    bool read_long_rest(uint64_t& bits) {
        bits &= 0x7F;
        for (unsigned i = 1; i < 10; ++i) {
            const uint64_t byte = at_[i];
            bits |= (byte & 0x7F) << (7 * i);
            if (byte >= 0x80) continue;
            if (i == 9 && byte > 1) break;
            at_ += i + 1;
            return true;
        }
        return fail("a number has more than 64 bits");
    }

    const uint8_t* at_;
    const uint8_t* end_;
    const char* fault_ = nullptr;
};

}  // namespace shaduf::kafka
