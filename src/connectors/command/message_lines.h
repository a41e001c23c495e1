#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/held_rows.h"
#include "data/row_collector.h"

namespace shaduf {

// Walks the lines of a child, each one message, and gathers the rows that stand in them, and the position behind some.
// Not thread-safe.
class MessageLines {
public:
    explicit MessageLines(RawRows lines);

    // The next line; false behind the last.
    bool next();
    // Its text, "" for one that is too long to be read; and why it is no message then ("" for all others).
    std::string_view text() const { return text_; }
    const std::string& fault() const { return fault_; }

    // Exactly one of them, or none, for a line: what stands in it is a row (`row` is a part of the text); it is no
    // message, and goes to quarantine as it is; all rows so far stand before `position`.
    void add_row(std::string_view row);
    void add_broken(std::string why);
    void set_position(std::string position);

    RowsToPosition finish();

private:
    RawRows lines_;
    RowCollector rows_;
    RowsToPosition out_;
    size_t count_ = 0;
    size_t line_ = 0;  // the next one
    size_t broken_ = 0;
    int64_t number_ = 0;
    std::string_view text_;
    std::string fault_;
};

}  // namespace shaduf
