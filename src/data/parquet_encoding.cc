#include "data/parquet_encoding.h"

namespace shaduf {
namespace {

constexpr size_t kGroup = 8;

void append_varint(uint64_t value, BufferBuilder& out) {
    for (; value >= 0x80; value >>= 7) out.append_value(static_cast<uint8_t>((value & 0x7F) | 0x80));
    out.append_value(static_cast<uint8_t>(value));
}

template <typename T>
size_t run_length(std::span<const T> values, size_t begin) {
    size_t end = begin + 1;
    while (end < values.size() && values[end] == values[begin]) ++end;
    return end - begin;
}

template <typename T>
void append_run(T value, size_t length, int bit_width, BufferBuilder& out) {
    append_varint(uint64_t{length} << 1, out);
    const auto wide = static_cast<uint32_t>(value);
    out.append(&wide, static_cast<size_t>((bit_width + 7) / 8));  // little-endian, as all machines we build for
}

// Whole groups of eight; the last is filled up with zeros.
template <typename T>
void append_packed(std::span<const T> values, int bit_width, BufferBuilder& out) {
    const size_t groups = (values.size() + kGroup - 1) / kGroup;
    append_varint(uint64_t{groups} << 1 | 1, out);
    const size_t bytes = groups * static_cast<size_t>(bit_width);
    out.reserve(bytes + sizeof(uint64_t));
    uint8_t* to = out.data() + out.size();
    uint64_t bits = 0;
    int count = 0;
    for (const T value : values) {
        bits |= uint64_t{value} << count;
        count += bit_width;
        if (count >= 32) {
            std::memcpy(to, &bits, sizeof(uint32_t));
            to += sizeof(uint32_t);
            bits >>= 32;
            count -= 32;
        }
    }
    std::memcpy(to, &bits, sizeof bits);
    to += sizeof bits;
    const uint8_t* end = out.data() + out.size() + bytes;
    if (to < end) std::memset(to, 0, static_cast<size_t>(end - to));
    out.resize(out.size() + bytes);
}

template <typename T>
void append_hybrid(std::span<const T> values, int bit_width, BufferBuilder& out) {
    size_t packed_from = 0;
    size_t at = 0;
    while (at < values.size()) {
        const size_t run = run_length(values, at);
        if (run < kGroup) {
            at += kGroup;
            continue;
        }
        if (at > packed_from) append_packed(values.subspan(packed_from, at - packed_from), bit_width, out);
        append_run(values[at], run, bit_width, out);
        packed_from = at += run;
    }
    if (packed_from < values.size()) append_packed(values.subspan(packed_from), bit_width, out);
}

}  // namespace

void append_rle_hybrid(std::span<const uint32_t> values, int bit_width, BufferBuilder& out) {
    append_hybrid(values, bit_width, out);
}

void append_levels(std::span<const uint8_t> levels, int bit_width, BufferBuilder& out) {
    const size_t length_at = out.size();
    out.append_value(uint32_t{0});
    append_hybrid(levels, bit_width, out);
    const auto length = static_cast<uint32_t>(out.size() - length_at - sizeof(uint32_t));
    std::memcpy(out.data() + length_at, &length, sizeof length);
}

void append_packed_booleans(std::span<const uint8_t> values, BufferBuilder& out) {
    const size_t begin = out.size();
    out.append_zeros((values.size() + 7) / 8);
    for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] != 0) set_bit(out.data() + begin, i);
    }
}

}  // namespace shaduf
