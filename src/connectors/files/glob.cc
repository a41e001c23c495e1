#include "connectors/files/glob.h"

#include <vector>

namespace shaduf::files {
namespace {

// Patterns without braces: "a{b,c}d" becomes "abd", "acd".
void expand_braces(std::string_view pattern, std::vector<std::string>& plain) {
    const auto open = pattern.find('{');
    const auto close = pattern.find('}', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
        plain.emplace_back(pattern);
        return;
    }
    std::string_view choices = pattern.substr(open + 1, close - open - 1);
    for (;;) {
        const auto comma = choices.find(',');
        expand_braces(std::string(pattern.substr(0, open)) + std::string(choices.substr(0, comma)) +
                          std::string(pattern.substr(close + 1)),
                      plain);
        if (comma == std::string_view::npos) return;
        choices.remove_prefix(comma + 1);
    }
}

// Whether the set that begins behind "[" holds `c`; moves `pattern` behind its "]". A set without end matches nothing.
bool take_set(std::string_view& pattern, char c) {
    const bool negated = !pattern.empty() && (pattern.front() == '!' || pattern.front() == '^');
    if (negated) pattern.remove_prefix(1);
    bool found = false;
    for (bool first = true;; first = false) {
        if (pattern.empty()) return false;
        if (pattern.front() == ']' && !first) break;
        const char low = pattern.front();
        const bool is_range = pattern.size() > 2 && pattern[1] == '-' && pattern[2] != ']';
        const char high = is_range ? pattern[2] : low;
        found = found || (c >= low && c <= high);
        pattern.remove_prefix(is_range ? 3 : 1);
    }
    pattern.remove_prefix(1);
    return found != negated;
}

bool matches_plain(std::string_view pattern, std::string_view key) {
    while (!pattern.empty()) {
        if (pattern.starts_with("**")) {
            std::string_view rest = pattern.substr(2);
            if (rest.starts_with('/') && matches_plain(rest.substr(1), key)) return true;
            for (size_t at = 0; at <= key.size(); ++at) {
                if (matches_plain(rest, key.substr(at))) return true;
            }
            return false;
        }
        if (pattern.front() == '*') {
            for (size_t at = 0; at <= key.size(); ++at) {
                if (matches_plain(pattern.substr(1), key.substr(at))) return true;
                if (at < key.size() && key[at] == '/') return false;
            }
            return false;
        }
        if (key.empty()) return false;
        if (pattern.front() == '[') {
            pattern.remove_prefix(1);
            if (key.front() == '/' || !take_set(pattern, key.front())) return false;
        } else {
            if (pattern.front() == '?' ? key.front() == '/' : pattern.front() != key.front()) return false;
            pattern.remove_prefix(1);
        }
        key.remove_prefix(1);
    }
    return key.empty();
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view key) {
    std::vector<std::string> plain;
    expand_braces(pattern, plain);
    for (const auto& one : plain) {
        if (matches_plain(one, key)) return true;
    }
    return false;
}

std::string fixed_prefix(std::string_view pattern) {
    return std::string(pattern.substr(0, pattern.find_first_of("*?[{")));
}

}  // namespace shaduf::files
