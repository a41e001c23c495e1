#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

// Writes the compact protocol of Apache Thrift (its "thrift-compact-protocol" specification), as far as Parquet's
// metadata needs it. Fields of a struct are written in ascending order of their ids. Not thread-safe.
class ThriftCompactWriter {
public:
    void boolean(int16_t id, bool value) { field_header(id, value ? 1 : 2); }
    void i16(int16_t id, int16_t value) { integer(id, 4, value); }
    void i32(int16_t id, int32_t value) { integer(id, 5, value); }
    void i64(int16_t id, int64_t value) { integer(id, 6, value); }
    void binary(int16_t id, std::string_view value) {
        field_header(id, 8);
        item(value);
    }
    void begin_struct(int16_t id) {
        field_header(id, 12);
        begin_item();
    }
    void end_struct() {
        out_ += '\0';
        last_id_ = outer_ids_.back();
        outer_ids_.pop_back();
    }
    void empty_struct(int16_t id) {
        begin_struct(id);
        end_struct();
    }

    enum class Item : uint8_t { i32 = 5, binary = 8, structure = 12 };
    void list(int16_t id, Item type, size_t count) {
        field_header(id, 9);
        if (count < 15) {
            byte(static_cast<unsigned>(count) << 4 | static_cast<unsigned>(type));
        } else {
            byte(0xF0U | static_cast<unsigned>(type));
            varint(count);
        }
    }
    // Items of a list; a struct ends by end_struct.
    void item(std::string_view value) {
        varint(value.size());
        out_ += value;
    }
    void item(int32_t value) { varint(zigzag(value)); }
    void begin_item() {
        outer_ids_.push_back(last_id_);
        last_id_ = 0;
    }

    // The outermost struct: no begin; ends it.
    std::string finish() {
        out_ += '\0';
        last_id_ = 0;
        return std::move(out_);
    }

private:
    static uint64_t zigzag(int64_t value) {
        return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    }
    void byte(unsigned value) { out_ += static_cast<char>(value); }
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) byte(static_cast<unsigned>(value & 0x7F) | 0x80U);
        byte(static_cast<unsigned>(value));
    }
    void integer(int16_t id, unsigned type, int64_t value) {
        field_header(id, type);
        varint(zigzag(value));
    }
    void field_header(int16_t id, unsigned type) {
        const int step = id - last_id_;
        if (step > 0 && step < 16) {
            byte(static_cast<unsigned>(step) << 4 | type);
        } else {
            byte(type);
            varint(zigzag(id));
        }
        last_id_ = id;
    }

    std::string out_;
    int16_t last_id_ = 0;
    std::vector<int16_t> outer_ids_;
};

}  // namespace shaduf
