#include "models/seed_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "base/time.h"
#include "models/python/values.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Cell {
    std::string text;
    int line = 1;
};
using Record = std::vector<Cell>;

// Records as Python's csv module reads them: a quote counts at the beginning of a field, is doubled inside; line ends
// within quotes are part of the text; blank lines are no records.
class CsvReader {
public:
    CsvReader(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {}

    bool next(Record& record) {
        record.clear();
        while (at_ < text_.size() && take_line_end()) {
        }
        if (at_ >= text_.size()) return false;
        for (;;) {
            record.push_back(take_cell());
            if (at_ >= text_.size() || take_line_end()) return true;
            ++at_;  // the delimiter
        }
    }

private:
    bool take_line_end() {
        if (text_[at_] != '\n' && text_[at_] != '\r') return false;
        if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
        ++at_;
        ++line_;
        return true;
    }

    Cell take_cell() {
        Cell cell{{}, line_};
        if (at_ < text_.size() && text_[at_] == '"') take_quoted(cell.text);
        while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r') {
            cell.text += text_[at_++];
        }
        return cell;
    }

    void take_quoted(std::string& out) {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] != '"') {
                out += text_[at_];
            } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
                out += text_[at_++];
            } else {
                ++at_;
                return;
            }
        }
    }

    std::string_view text_;
    const char delimiter_;
    size_t at_ = 0;
    int line_ = 1;
};

bool is_null(std::string_view text) {
    text = trim(text);
    return text.empty() || equals_ignoring_case(text, "null");
}

// "1,000", "$5", "10%", "-1.5e3" as agate takes numbers; "" for what is none.
std::string number_text(std::string_view text) {
    text = trim(text);
    std::string number;
    if (!text.empty() && text.back() == '%') text.remove_suffix(1);
    for (const char c : text) {
        if (c != ',' && c != '$') number += c;
    }
    double value = 0;
    const char* begin = number.data() + (number.starts_with('+') ? 1 : 0);
    const auto end = std::from_chars(begin, number.data() + number.size(), value);
    const bool is_number = !number.empty() && end.ec == std::errc() && end.ptr == number.data() + number.size();
    const bool has_digit = number.find_first_of("0123456789") != std::string::npos;
    return is_number && has_digit ? number : std::string();
}

bool is_whole(const std::string& number) { return number.find_first_of(".eE") == std::string::npos; }

std::optional<int32_t> date_of(std::string_view text) { return parse_date(trim(text)); }

std::optional<ParsedTimestamp> moment_of(std::string_view text) {
    text = trim(text);
    const bool has_time = text.find_first_of("T ") != std::string_view::npos;
    return has_time ? parse_timestamp(text) : std::nullopt;
}

bool is_boolean(std::string_view text) {
    text = trim(text);
    return equals_ignoring_case(text, "true") || equals_ignoring_case(text, "false");
}

bool fits(TableType type, const std::string& text) {
    switch (type) {
        case TableType::number: return !number_text(text).empty();
        case TableType::date: return date_of(text).has_value();
        case TableType::timestamp: return moment_of(text) || date_of(text);
        case TableType::boolean: return is_boolean(text);
        default: return type == TableType::text;
    }
}

TableType infer(const std::vector<Record>& records, size_t column) {
    constexpr std::array kTypes = {TableType::number, TableType::date, TableType::timestamp, TableType::boolean,
                                   TableType::text};
    bool has_values = false;
    bool all_whole = true;
    std::vector<TableType> left(kTypes.begin(), kTypes.end());
    for (const Record& record : records) {
        const std::string& text = record[column].text;
        if (is_null(text)) continue;
        has_values = true;
        std::erase_if(left, [&](TableType type) { return !fits(type, text); });
        if (left.front() == TableType::number) all_whole = all_whole && is_whole(number_text(text));
    }
    if (!has_values) return TableType::integer;
    return left.front() == TableType::number && all_whole ? TableType::integer : left.front();
}

Value value_of(const std::string& text, TableType type) {
    if (is_null(text)) return Value::none();
    switch (type) {
        case TableType::integer: {
            const std::string number = number_text(text);
            int64_t value = 0;
            const char* begin = number.data() + (number.starts_with('+') ? 1 : 0);
            const auto end = std::from_chars(begin, number.data() + number.size(), value);
            return end.ec == std::errc() ? Value(value) : decimal_value(number);
        }
        case TableType::number: return decimal_value(number_text(text));
        case TableType::boolean: return Value(equals_ignoring_case(trim(text), "true"));
        case TableType::date: return date_value(*date_of(text));
        case TableType::timestamp: {
            if (const auto moment = moment_of(text)) {
                return datetime_value(moment->microseconds,
                                      moment->has_zone ? std::optional<int32_t>(0) : std::optional<int32_t>());
            }
            return datetime_value(static_cast<int64_t>(*date_of(text)) * 86'400'000'000, std::nullopt);
        }
        default: return Value(text);
    }
}

Error wrong(const std::string& file, int line, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, line));
}

Result<std::vector<std::string>> read_names(CsvReader& reader, const std::string& file) {
    Record header;
    if (!reader.next(header)) return wrong(file, 1, "a seed needs a first line of column names; the file is empty");
    std::vector<std::string> names;
    for (const Cell& cell : header) {
        if (std::find(names.begin(), names.end(), cell.text) != names.end()) {
            return wrong(file, 1, "a column is named twice: " + cell.text + "; rename one of them");
        }
        names.push_back(cell.text);
    }
    return names;
}

}  // namespace

Result<jinja::Ref<Table>> read_seed(const std::string& path, const std::string& shown_as, const SeedOptions& options) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return wrong(shown_as, 0, "cannot read the seed's file: " + path);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
    if (!is_valid_utf8(text)) return wrong(shown_as, 1, "a seed must be UTF-8 text; this file is not");
    CsvReader reader(text, options.delimiter);
    std::vector<std::string> names = TRY(read_names(reader, shown_as));
    std::vector<Record> records;
    for (Record record; reader.next(record);) {
        if (record.size() > names.size()) {
            return wrong(shown_as, record[0].line,
                         "a row has " + std::to_string(record.size()) + " values where there are " +
                             std::to_string(names.size()) + " columns; quote what holds the delimiter");
        }
        while (record.size() < names.size()) record.push_back({{}, record[0].line});
        records.push_back(std::move(record));
    }
    std::vector<TableType> types;
    for (size_t i = 0; i < names.size(); ++i) {
        types.push_back(options.text_columns.contains(names[i]) ? TableType::text : infer(records, i));
    }
    std::vector<Table::Row> rows;
    for (const Record& record : records) {
        auto& row = rows.emplace_back();
        for (size_t i = 0; i < names.size(); ++i) row.push_back(value_of(record[i].text, types[i]));
    }
    return jinja::make<Table>(std::move(names), std::move(types), std::move(rows));
}

}  // namespace shaduf::models
