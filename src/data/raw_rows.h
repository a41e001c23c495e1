#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "data/buffer.h"

namespace shaduf {

enum class RawFormat : uint8_t { json, csv };

// How the text of a CSV file is to be read; a file's rows all share one.
struct CsvDialect {
    std::vector<std::string> header;  // one name a field
    char delimiter = ',';
    char quote = '"';
    std::string null_text;  // an unquoted field of this text is null
};

// Rows as a source got them, not yet typed: whole JSON documents or CSV records one behind the other in one buffer. The
// contract stage decodes them, in parallel, along the shape that it keeps; so a source of text never deals with types.
// Immutable; thread-safe.
struct RawRows {
    // Where a row stands in `text`, without its line end.
    struct Span {
        uint32_t offset;
        uint32_t length;
    };

    RawFormat format = RawFormat::json;
    BufferPtr text;  // below 4 GiB, padded (made by a BufferBuilder); may be null when there are no rows
    std::vector<Span> rows;
    std::shared_ptr<const CsvDialect> csv;  // csv only
    // Rows that the source could not take whole; the text of such a row is its beginning. A decoder rejects it for
    // `why`.
    struct Broken {
        size_t row;
        std::string why;
    };
    std::vector<Broken> broken;  // ascending
    // Row i stands at "<place>:<first_row + i>": a file and a line, a URL and an index. `row_numbers`, when not empty,
    // gives each row's own number instead (records that span lines, blank lines between).
    std::string place;
    int64_t first_row = 1;
    std::vector<int64_t> row_numbers;
    // Of rows from a few places in turn (partitions of a topic): each stretch begins at a row and goes to the next one.
    // Then row i stands at "<place of its stretch>:<row_numbers[i]>".
    struct Stretch {
        size_t row;
        std::string place;
    };
    std::vector<Stretch> stretches;  // ascending, the first at row 0; empty: all are from `place`
    // Or the whole position of each row, when they come from different places.
    std::vector<std::string> positions;

    std::string_view row(size_t i) const { return text->view().substr(rows[i].offset, rows[i].length); }
    std::string position(size_t i) const {
        if (!positions.empty()) return positions[i];
        const int64_t number = row_numbers.empty() ? first_row + static_cast<int64_t>(i) : row_numbers[i];
        return place_of(i) + ":" + std::to_string(number);
    }
    const std::string& place_of(size_t i) const {
        if (stretches.empty()) return place;
        const auto behind = std::upper_bound(stretches.begin(), stretches.end(), i,
                                             [](size_t row, const Stretch& stretch) { return row < stretch.row; });
        return std::prev(behind)->place;
    }
    size_t byte_size() const {
        return (text == nullptr ? 0 : text->size()) + rows.size() * sizeof(Span) + row_numbers.size() * sizeof(int64_t);
    }
};

}  // namespace shaduf
