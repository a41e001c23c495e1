#include "models/run/sql_words.h"

#include "base/text.h"

namespace shaduf::models {
namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (static_cast<unsigned char>(c) & 0x80U) != 0;
}

size_t end_of_line(std::string_view sql, size_t at) {
    const size_t end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end;
}

size_t behind(std::string_view sql, std::string_view closing, size_t from) {
    const size_t end = sql.find(closing, from);
    return end == std::string_view::npos ? sql.size() : end + closing.size();
}

// The end of the comment or quotes that begin at `at`; `at` itself where none do.
size_t skip_opaque(std::string_view sql, size_t at) {
    const std::string_view rest = sql.substr(at);
    if (rest.starts_with("--")) return end_of_line(sql, at);
    if (rest.starts_with("/*")) return behind(sql, "*/", at + 2);
    if (rest.front() == '\'' || rest.front() == '"' || rest.front() == '`') {
        return behind(sql, rest.substr(0, 1), at + 1);
    }
    return at;
}

}  // namespace

std::optional<size_t> end_of_with(std::string_view sql) {
    int depth = 0;
    std::optional<size_t> found;
    for (size_t at = 0; at < sql.size();) {
        if (const size_t next = skip_opaque(sql, at); next > at) {
            if (found) return found;
            at = next;
            continue;
        }
        if (is_word(sql[at])) {
            const size_t begin = at;
            while (at < sql.size() && is_word(sql[at])) ++at;
            const std::string_view word = sql.substr(begin, at - begin);
            if (found) return equals_ignoring_case(word, "recursive") ? std::optional(at) : found;
            if (depth == 0 && equals_ignoring_case(word, "with")) found = at;
            continue;
        }
        if (found && sql[at] != ' ' && sql[at] != '\n' && sql[at] != '\t' && sql[at] != '\r') return found;
        if (sql[at] == '(') ++depth;
        if (sql[at] == ')') --depth;
        ++at;
    }
    return found;
}

}  // namespace shaduf::models
