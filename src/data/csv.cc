#include "data/csv.h"

#include <algorithm>
#include <cstring>

namespace shaduf {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kSniffBytes = 256 << 10;

const char* find_either(const char* at, const char* end, char a, char b) {
    while (at < end && *at != a && *at != b) ++at;
    return at;
}

// Whether the record is only blanks, so that it is no record.
bool is_blank(std::string_view record) { return record.find_first_not_of(" \t\r") == std::string_view::npos; }

// A field that begins with a quote, `at` behind it; returns what stands behind its closing quote, or nullptr.
const char* unquote(const char* at, const char* end, char quote, CsvField& field, std::vector<char>& unquoted) {
    const char* begin = at;
    const auto* stop = static_cast<const char*>(std::memchr(at, quote, static_cast<size_t>(end - at)));
    if (stop == nullptr) return nullptr;
    field.quoted = true;
    if (stop + 1 == end || stop[1] != quote) {
        field.text = {begin, static_cast<size_t>(stop - begin)};
        return stop + 1;
    }
    const size_t text_at = unquoted.size();
    while (at < end) {
        if (*at == quote) {
            if (at + 1 == end || at[1] != quote) break;
            ++at;
        }
        unquoted.push_back(*at++);
    }
    if (at == end) return nullptr;
    field.text = {unquoted.data() + text_at, unquoted.size() - text_at};
    return at + 1;
}

}  // namespace

bool split_csv_record(std::string_view record, char delimiter, char quote, std::vector<CsvField>& fields,
                      std::vector<char>& unquoted) {
    fields.clear();
    unquoted.clear();
    unquoted.reserve(record.size() + 64);  // never moves below, and is readable behind its end
    const char* at = record.data();
    const char* end = at + record.size();
    for (;;) {
        CsvField field;
        if (at < end && *at == quote) {
            at = unquote(at + 1, end, quote, field, unquoted);
            if (at == nullptr || (at < end && *at != delimiter)) return false;
        } else {
            const char* stop = find_either(at, end, delimiter, delimiter);
            field.text = {at, static_cast<size_t>(stop - at)};
            at = stop;
        }
        fields.push_back(field);
        if (at == end) return true;
        ++at;
    }
}

CsvSplitter::CsvSplitter(std::string place, CsvOptions options, size_t row_bytes_max)
    : place_(std::move(place)), options_(std::move(options)), row_bytes_max_(row_bytes_max) {}

void CsvSplitter::resume_at(int64_t line, uint64_t offset, std::shared_ptr<const CsvDialect> dialect) {
    record_line_ = scan_line_ = line;
    offset_ = offset;
    dialect_ = std::move(dialect);
}

RawRows CsvSplitter::take() { return cut(Ending::more_follows); }
RawRows CsvSplitter::finish() { return cut(Ending::end_of_stream); }

// Finds the dialect once there is a line to find it in.
bool CsvSplitter::detect(Ending ending) {
    if (dialect_ != nullptr) return true;
    const std::string_view text(reinterpret_cast<const char*>(input_.data()), input_.size());
    const bool enough =
        ending == Ending::end_of_stream || text.size() > row_bytes_max_ || text.find('\n') != std::string_view::npos;
    if (!enough) return false;
    const size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    CsvSniffed sniffed = sniff_csv(text.substr(mark, kSniffBytes), options_);
    dialect_ = std::make_shared<const CsvDialect>(std::move(sniffed.dialect));
    skip_header_ = sniffed.has_header;
    record_begin_ = scanned_ = mark;
    return true;
}

// From behind an opening quote to behind the next one.
const char* CsvSplitter::scan_quoted(const char* at, const char* end) {
    const auto* stop = static_cast<const char*>(std::memchr(at, dialect_->quote, static_cast<size_t>(end - at)));
    if (stop == nullptr) {
        scan_line_ += std::count(at, end, '\n');
        return end;
    }
    scan_line_ += std::count(at, stop, '\n');
    state_ = State::quote_seen;
    return stop + 1;
}

// Goes through what came since, and notes the records that end there.
void CsvSplitter::scan() {
    const auto* data = reinterpret_cast<const char*>(input_.data());
    const char* end = data + input_.size();
    const char delimiter = dialect_->delimiter;
    for (const char* at = data + scanned_; at < end;) {
        if (state_ == State::quoted) {
            at = scan_quoted(at, end);
            continue;
        }
        if (state_ == State::plain) {
            at = find_either(at, end, delimiter, '\n');
            if (at == end) break;
        }
        const char c = *at++;
        if (c == '\n') {
            end_record(static_cast<size_t>(at - data) - 1);
            record_begin_ = static_cast<size_t>(at - data);
            record_line_ = ++scan_line_;
            state_ = State::field_start;
        } else if (c == delimiter) {
            state_ = State::field_start;
        } else if (c == dialect_->quote && state_ != State::plain) {
            state_ = State::quoted;  // opens a field, or is doubled
        } else {
            state_ = State::plain;
        }
    }
    scanned_ = input_.size();
}

// The record at record_begin_ ends at `end`, its line end or the end of the stream.
void CsvSplitter::end_record(size_t end) {
    const auto* data = reinterpret_cast<const char*>(input_.data());
    if (end > record_begin_ && data[end - 1] == '\r') --end;
    if (dropped_ == 0 && is_blank({data + record_begin_, end - record_begin_})) return;
    if (skip_header_) {
        skip_header_ = false;
        return;
    }
    records_.push_back({record_begin_, end, record_line_});
}

void CsvSplitter::drop_rest_of_long_record() {
    if (record_begin_ > 0 || input_.size() <= row_bytes_max_) return;
    const size_t kept = std::min(row_bytes_max_, kBrokenRowBytesKept);
    dropped_ += input_.size() - kept;
    input_.resize(kept);
    scanned_ = kept;
}

void CsvSplitter::end_stream(RowCollector& rows) {
    const size_t size = input_.size();
    if (state_ == State::quoted && size > record_begin_) {
        const char* why = dropped_ > 0 ? "quoted field has no end, and the row is too long" : "quoted field has no end";
        rows.add_broken(record_begin_, size - record_begin_, record_line_, why);
    }
    record_begin_ = size;
    record_line_ = scan_line_;
}

RawRows CsvSplitter::cut(Ending ending) {
    RowCollector rows(RawFormat::csv, place_, record_line_);
    if (!detect(ending)) return rows.finish(BufferBuilder().finish());
    const bool was_dropped = dropped_ > 0;
    scan();
    if (ending == Ending::end_of_stream && state_ != State::quoted && scanned_ > record_begin_) end_record(scanned_);
    for (const auto& [begin, end, line] : records_) {
        if (end - begin > row_bytes_max_ || (was_dropped && begin == 0)) {
            rows.add_broken(begin, end - begin, line, oversized_row_reason(row_bytes_max_));
        } else {
            rows.add(begin, end - begin, line);
        }
    }
    records_.clear();
    if (ending == Ending::end_of_stream) end_stream(rows);
    BufferBuilder rest;
    rest.append(input_.data() + record_begin_, input_.size() - record_begin_);
    if (record_begin_ > 0) offset_ += record_begin_ + std::exchange(dropped_, 0);
    BufferBuilder text = std::exchange(input_, std::move(rest));
    text.resize(record_begin_);
    scanned_ = input_.size();
    record_begin_ = 0;
    drop_rest_of_long_record();
    RawRows result = rows.finish(text.finish());
    result.csv = dialect_;
    return result;
}

}  // namespace shaduf
