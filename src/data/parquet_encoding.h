#pragma once

#include <cstdint>
#include <span>

#include "data/buffer.h"

// The encodings of Parquet's data pages (parquet.apache.org, "Encodings").
namespace shaduf {

// Bits that hold every value up to `max`.
inline int bits_for(uint32_t max) { return max == 0 ? 0 : 32 - __builtin_clz(max); }

// The RLE / bit-packing hybrid: runs of eight or more equal values as one, all else packed in groups of eight.
void append_rle_hybrid(std::span<const uint32_t> values, int bit_width, BufferBuilder& out);
// Levels of a data page of version 1: the hybrid behind its length.
void append_levels(std::span<const uint8_t> levels, int bit_width, BufferBuilder& out);
// One bit a value, as PLAIN has booleans.
void append_packed_booleans(std::span<const uint8_t> values, BufferBuilder& out);

}  // namespace shaduf
