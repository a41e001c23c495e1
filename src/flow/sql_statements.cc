#include "flow/sql_statements.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf {
namespace {

// Behind what begins at `at`: the end of a text or name in quotes, whose quotes are doubled inside.
size_t behind_quotes(std::string_view script, size_t at) {
    const char quote = script[at];
    for (size_t i = at + 1; i < script.size(); ++i) {
        if (script[i] != quote) continue;
        if (i + 1 < script.size() && script[i + 1] == quote) {
            ++i;
            continue;
        }
        return i + 1;
    }
    return script.size();
}

size_t behind_comment(std::string_view script, size_t at) {
    if (script.substr(at, 2) == "--") return std::min(script.find('\n', at), script.size());
    size_t depth = 0;
    for (size_t i = at; i + 1 < script.size(); ++i) {
        const std::string_view two = script.substr(i, 2);
        if (two == "/*") ++depth, ++i;
        if (two == "*/") --depth, ++i;
        if (depth == 0) return i + 1;
    }
    return script.size();
}

// $tag$ ... $tag$; `at` itself where no such quote begins.
size_t behind_dollar_quote(std::string_view script, size_t at) {
    size_t end = at + 1;
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (end < script.size() && is_word(script[end])) ++end;
    const bool is_tag = end < script.size() && script[end] == '$' &&
                        (end == at + 1 || script[at + 1] < '0' || script[at + 1] > '9') &&
                        (at == 0 || !is_word(script[at - 1]));
    if (!is_tag) return at;
    const std::string_view tag = script.substr(at, end - at + 1);
    const size_t close = script.find(tag, end + 1);
    return close == std::string_view::npos ? script.size() : close + tag.size();
}

}  // namespace

std::vector<std::string> split_statements(std::string_view script) {
    std::vector<std::string> statements;
    size_t begin = 0;
    bool has_words = false;
    const auto end_statement = [&](size_t end) {
        if (has_words) statements.emplace_back(trim(script.substr(begin, end - begin)));
        has_words = false;
        begin = end + 1;
    };
    for (size_t at = 0; at < script.size();) {
        const char c = script[at];
        const std::string_view two = script.substr(at, 2);
        size_t next = at + 1;
        if (two == "--" || two == "/*") {
            at = behind_comment(script, at);
            continue;
        }
        if (c == '\'' || c == '"') next = behind_quotes(script, at);
        if (c == '$') next = std::max(behind_dollar_quote(script, at), at + 1);
        if (c == ';') {
            end_statement(at);
        } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            has_words = true;
        }
        at = next;
    }
    end_statement(script.size());
    return statements;
}

}  // namespace shaduf
