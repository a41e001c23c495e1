#include <algorithm>
#include <array>

#include "base/text.h"
#include "data/csv.h"
#include "data/value_append.h"

namespace shaduf {
namespace {

constexpr std::array<char, 4> kDelimiters{',', ';', '\t', '|'};
constexpr size_t kSniffRecordsMax = 100;

// The first records of `sample`, cut with `delimiter`. The last one counts only when it is whole, or the only one.
std::vector<std::vector<std::string>> first_records(std::string_view sample, char delimiter, char quote) {
    auto dialect = std::make_shared<CsvDialect>();
    dialect->delimiter = delimiter;
    dialect->quote = quote;
    CsvSplitter splitter("", {});
    splitter.resume_at(1, 0, dialect);
    splitter.input().append(sample);
    RawRows raw = splitter.take();
    if (raw.rows.empty()) raw = splitter.finish();
    std::vector<std::vector<std::string>> records;
    std::vector<CsvField> fields;
    std::vector<char> unquoted;
    for (size_t row = 0; row < std::min(raw.rows.size(), kSniffRecordsMax); ++row) {
        if (!split_csv_record(raw.row(row), delimiter, quote, fields, unquoted)) continue;
        records.emplace_back();
        for (const auto& field : fields) records.back().emplace_back(field.text);
    }
    return records;
}

// How many of the records have as many fields as most of them do; 0 when that is one.
size_t evenness(const std::vector<std::vector<std::string>>& records, size_t& fields) {
    size_t best = 0;
    for (const auto& candidate : records) {
        const auto same = static_cast<size_t>(std::count_if(
            records.begin(), records.end(), [&](const auto& record) { return record.size() == candidate.size(); }));
        if (candidate.size() == 1 || same < best || (same == best && candidate.size() <= fields)) continue;
        best = same;
        fields = candidate.size();
    }
    return best;
}

char find_delimiter(std::string_view sample, char quote) {
    char best = ',';
    size_t best_even = 0;
    size_t best_fields = 1;
    for (const char delimiter : kDelimiters) {
        size_t fields = 1;
        const size_t even = evenness(first_records(sample, delimiter, quote), fields);
        if (even < best_even || (even == best_even && fields <= best_fields)) continue;
        best = delimiter;
        best_even = even;
        best_fields = fields;
    }
    return best;
}

bool looks_like_header(const std::vector<std::string>& record) {
    for (size_t i = 0; i < record.size(); ++i) {
        std::string padded = record[i];
        padded.reserve(padded.size() + 64);
        if (trim(padded).empty() || natural_text_type(padded).kind() != TypeKind::string) return false;
        for (size_t j = 0; j < i; ++j) {
            if (equals_ignoring_case(record[i], record[j])) return false;
        }
    }
    return !record.empty();
}

// Each name once, none empty.
std::vector<std::string> make_names(const std::vector<std::string>& given, size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::max(given.size(), count); ++i) {
        const std::string wanted(i < given.size() ? trim(given[i]) : "");
        const std::string base = wanted.empty() ? "column" + std::to_string(i + 1) : wanted;
        std::string name = base;
        for (int number = 2; std::find(names.begin(), names.end(), name) != names.end(); ++number) {
            name = base + "_" + std::to_string(number);
        }
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace

CsvSniffed sniff_csv(std::string_view sample, const CsvOptions& options) {
    CsvSniffed result;
    result.dialect.quote = options.quote;
    result.dialect.null_text = options.null_text;
    result.dialect.delimiter = options.delimiter ? *options.delimiter : find_delimiter(sample, options.quote);
    const auto records = first_records(sample, result.dialect.delimiter, options.quote);
    if (records.empty()) {
        result.dialect.header = make_names(options.names, 0);
        return result;
    }
    result.has_header =
        options.header == CsvHeader::present || (options.header == CsvHeader::detect && looks_like_header(records[0]));
    const bool use_first = result.has_header && options.names.empty();
    result.dialect.header = make_names(use_first ? records[0] : options.names, records[0].size());
    return result;
}

}  // namespace shaduf
