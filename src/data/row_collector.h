#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "data/raw_rows.h"

namespace shaduf {

// How much text a row may be; a longer one is rejected, and only its beginning is kept.
inline constexpr size_t kRowBytesMax = 16 << 20;
inline constexpr size_t kBrokenRowBytesKept = 1024;

// Gathers where the rows of a text stand, for the splitters. Rows get consecutive numbers until one is left out.
class RowCollector {
public:
    RowCollector(RawFormat format, std::string place, int64_t first_row);

    bool empty() const { return rows_.rows.empty(); }
    // A row of the text that `finish` gets, at line `number`.
    void add(size_t offset, size_t length, int64_t number);
    // A row that is too long, or has no end: only its beginning stands in the text.
    void add_broken(size_t offset, size_t length, int64_t number, std::string why);
    RawRows finish(BufferPtr text);

private:
    RawRows rows_;
};

std::string oversized_row_reason(size_t bytes_max);

}  // namespace shaduf
