#include "data/row_collector.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace shaduf {

RowCollector::RowCollector(RawFormat format, std::string place, int64_t first_row) {
    rows_.format = format;
    rows_.place = std::move(place);
    rows_.first_row = first_row;
}

void RowCollector::add(size_t offset, size_t length, int64_t number) {
    SHADUF_ASSERT(offset + length <= UINT32_MAX);
    const auto index = static_cast<int64_t>(rows_.rows.size());
    if (index == 0) rows_.first_row = number;
    if (rows_.row_numbers.empty() && number != rows_.first_row + index) {
        for (int64_t i = 0; i < index; ++i) rows_.row_numbers.push_back(rows_.first_row + i);
    }
    if (number != rows_.first_row + index || !rows_.row_numbers.empty()) rows_.row_numbers.push_back(number);
    rows_.rows.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(length)});
}

void RowCollector::add_broken(size_t offset, size_t length, int64_t number, std::string why) {
    rows_.broken.push_back({rows_.rows.size(), std::move(why)});
    add(offset, std::min(length, kBrokenRowBytesKept), number);
}

RawRows RowCollector::finish(BufferPtr text) {
    rows_.text = std::move(text);
    return std::move(rows_);
}

std::string oversized_row_reason(size_t bytes_max) {
    return "row is too long: more than " + format_bytes(bytes_max) + "; only its beginning is kept";
}

}  // namespace shaduf
