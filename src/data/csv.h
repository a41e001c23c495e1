#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/raw_rows.h"
#include "data/row_collector.h"

namespace shaduf {

enum class CsvHeader : uint8_t { detect, present, absent };

// What is known of a CSV file before it is read; the rest is found in its first records.
struct CsvOptions {
    std::optional<char> delimiter;  // nullopt: the one of , ; tab | that cuts the first records most evenly
    char quote = '"';
    CsvHeader header = CsvHeader::detect;
    std::vector<std::string> names;  // instead of the header's; a header that is there is passed over
    std::string null_text;
};

// The fields of one record, without quotes; `record` has no line end. A quote counts at the beginning of a field only.
struct CsvField {
    std::string_view text;  // into the record, or into `unquoted`
    bool quoted = false;
};
// Fields with doubled quotes are put together in `unquoted` (kept between calls to save memory). False: a quoted field
// has no end, or text behind it. All texts are readable for 15 bytes behind their end if the record is.
bool split_csv_record(std::string_view record, char delimiter, char quote, std::vector<CsvField>& fields,
                      std::vector<char>& unquoted);

// What `sample`, the beginning of a file, says: delimiter, and the names of the fields. A first record is the header
// when its fields are texts of their own: none empty, a number, a date or true/false, none twice. Without one the names
// are column1, column2 ...; names that come twice get "_2", "_3" ..., empty ones are columnN.
struct CsvSniffed {
    CsvDialect dialect;
    bool has_header = false;
};
CsvSniffed sniff_csv(std::string_view sample, const CsvOptions& options);

// Cuts a stream of CSV into records, as NdjsonSplitter does lines: put bytes into `input()`, `take` what is whole,
// `finish` at the end. Records may span lines (in quotes); blank lines are passed over. The dialect is found at the
// first take that has a whole record. A record over the limit, or open at the end of the stream, becomes one broken
// row. Positions are lines of the file. Not thread-safe.
class CsvSplitter {
public:
    CsvSplitter(std::string place, CsvOptions options, size_t row_bytes_max = kRowBytesMax);
    // Goes on in the middle of a stream with the dialect found at its beginning.
    void resume_at(int64_t line, uint64_t offset, std::shared_ptr<const CsvDialect> dialect);

    BufferBuilder& input() { return input_; }
    RawRows take();
    RawRows finish();

    // nullptr until the first record was seen.
    const std::shared_ptr<const CsvDialect>& dialect() const { return dialect_; }
    // Of the first byte that was not returned in a row yet, and its line.
    uint64_t offset() const { return offset_; }
    int64_t line() const { return record_line_; }

private:
    enum class Ending : uint8_t { more_follows, end_of_stream };
    enum class State : uint8_t { field_start, plain, quoted, quote_seen };
    struct Record {
        size_t begin;
        size_t end;  // without the line end
        int64_t line;
    };

    RawRows cut(Ending ending);
    bool detect(Ending ending);
    void scan();
    const char* scan_quoted(const char* at, const char* end);
    void end_record(size_t end);
    void end_stream(RowCollector& rows);
    void drop_rest_of_long_record();

    std::string place_;
    CsvOptions options_;
    size_t row_bytes_max_;
    std::shared_ptr<const CsvDialect> dialect_;
    bool skip_header_ = false;
    BufferBuilder input_;
    // Of the record at the front of what was not scanned yet.
    State state_ = State::field_start;
    size_t scanned_ = 0;
    size_t record_begin_ = 0;
    int64_t record_line_ = 1;
    size_t dropped_ = 0;  // bytes of the record at the front that were too many
    std::vector<Record> records_;
    uint64_t offset_ = 0;
    int64_t scan_line_ = 1;  // of the byte at scanned_
};

}  // namespace shaduf
