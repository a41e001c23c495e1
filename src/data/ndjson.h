#pragma once

#include <cstdint>
#include <string>

#include "data/raw_rows.h"
#include "data/row_collector.h"

namespace shaduf {

// Cuts a stream of newline-delimited JSON into rows. Put bytes into `input()` as they come (blocks of some MB), then
// `take` the lines that are whole; `finish` at the end of the stream. Blank lines are passed over but counted, \r\n
// ends a line too, a byte order mark at the very beginning is no text. Memory: what was put in and not yet taken, and
// at most `row_bytes_max` of a line. Not thread-safe.
class NdjsonSplitter {
public:
    explicit NdjsonSplitter(std::string place, size_t row_bytes_max = kRowBytesMax);
    // Goes on in the middle of a stream: the next byte is the first of line `line` and the `offset`-th of the stream.
    void resume_at(int64_t line, uint64_t offset);

    BufferBuilder& input() { return input_; }
    // All whole lines so far; may have no row.
    RawRows take();
    // The rest, when the stream has ended: the last line needs no line end.
    RawRows finish();

    // Of the first byte that was not returned in a row yet: where to resume.
    uint64_t offset() const { return offset_; }
    int64_t line() const { return line_; }

private:
    RawRows cut(size_t end);

    std::string place_;
    size_t row_bytes_max_;
    BufferBuilder input_;
    size_t searched_ = 0;  // bytes at the front of input_ without a line end
    size_t dropped_ = 0;   // bytes of the line at the front that were too many
    uint64_t offset_ = 0;
    int64_t line_ = 1;
};

}  // namespace shaduf
