#include "models/parse/csv_rows.h"

#include <string>
#include <vector>

namespace shaduf::models {
namespace {

using jinja::Value;

// The values of the line at `at`; moves behind it.
std::vector<std::string> take_line(std::string_view text, size_t& at) {
    std::vector<std::string> values(1);
    bool in_quotes = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (in_quotes) {
            if (c != '"') {
                values.back() += c;
            } else if (at + 1 < text.size() && text[at + 1] == '"') {
                values.back() += '"';
                ++at;
            } else {
                in_quotes = false;
            }
        } else if (c == '"' && values.back().empty()) {
            in_quotes = true;
        } else if (c == ',') {
            values.emplace_back();
        } else if (c == '\n' || c == '\r') {
            if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
            ++at;
            return values;
        } else {
            values.back() += c;
        }
    }
    return values;
}

bool is_blank(const std::vector<std::string>& values) { return values.size() == 1 && values.front().empty(); }

}  // namespace

Value read_csv_rows(std::string_view text, const Value& empty) {
    size_t at = 0;
    std::vector<std::string> header(1);
    while (at < text.size() && is_blank(header)) header = take_line(text, at);
    std::vector<Value> rows;
    while (at < text.size()) {
        const std::vector<std::string> values = take_line(text, at);
        if (is_blank(values)) continue;
        auto row = jinja::make<jinja::Dict>();
        for (size_t i = 0; i < header.size(); ++i) {
            if (i >= values.size())
                row->set(header[i], Value::none());
            else
                row->set(header[i], values[i].empty() ? empty : Value(values[i]));
        }
        rows.emplace_back(row);
    }
    return Value::list(std::move(rows));
}

}  // namespace shaduf::models
