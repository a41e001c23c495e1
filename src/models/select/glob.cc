#include "models/select/glob.h"

#include <optional>
#include <span>
#include <vector>

#include "base/text.h"

namespace shaduf::models {
namespace {

// The bytes of the character at the front.
size_t character_size(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    return size <= text.size() ? size : 1;
}

struct Bracket {
    std::string_view members;
    bool is_negated = false;
    size_t size = 0;  // of the pattern, with both brackets
};

// nullopt: it is never closed, and so stands for itself.
std::optional<Bracket> bracket_at(std::string_view pattern) {
    Bracket bracket;
    size_t at = 1;
    bracket.is_negated = at < pattern.size() && pattern[at] == '!';
    if (bracket.is_negated) ++at;
    const size_t begin = at;
    if (at < pattern.size() && pattern[at] == ']') ++at;
    const size_t end = pattern.find(']', at);
    if (end == std::string_view::npos) return std::nullopt;
    bracket.members = pattern.substr(begin, end - begin);
    bracket.size = end + 1;
    return bracket;
}

bool is_in(std::string_view character, std::string_view members) {
    while (!members.empty()) {
        const std::string_view low = members.substr(0, character_size(members));
        members.remove_prefix(low.size());
        std::string_view high = low;
        if (members.size() > 1 && members.front() == '-') {
            members.remove_prefix(1);
            high = members.substr(0, character_size(members));
            members.remove_prefix(high.size());
        }
        const bool is_longer = character.size() > low.size() || (character.size() == low.size() && character >= low);
        const bool is_shorter =
            character.size() < high.size() || (character.size() == high.size() && character <= high);
        if (is_longer && is_shorter) return true;
    }
    return false;
}

bool matches_parts(std::span<const std::string_view> path, std::span<const std::string_view> pattern) {
    if (pattern.empty()) return path.empty();
    if (pattern.front() == "**") {
        for (size_t skipped = 0; skipped <= path.size(); ++skipped) {
            if (matches_parts(path.subspan(skipped), pattern.subspan(1))) return true;
        }
        return false;
    }
    return !path.empty() && matches_glob(path.front(), pattern.front()) &&
           matches_parts(path.subspan(1), pattern.subspan(1));
}

std::vector<std::string_view> path_parts(std::string_view path) {
    std::vector<std::string_view> parts;
    for (const std::string_view part : split(path, '/')) {
        if (!part.empty() && part != ".") parts.push_back(part);
    }
    return parts;
}

}  // namespace

bool is_glob(std::string_view pattern) { return pattern.find_first_of("*?[]") != std::string_view::npos; }

// One star at a time is tried again; the last one is enough.
bool matches_glob(std::string_view text, std::string_view pattern) {
    std::optional<std::string_view> star_pattern;
    std::string_view star_text;
    for (;;) {
        size_t took = 0;  // of the pattern
        bool fits = false;
        if (!pattern.empty() && pattern.front() == '*') {
            pattern.remove_prefix(1);
            star_pattern = pattern;
            star_text = text;
            continue;
        }
        if (pattern.empty() && text.empty()) return true;
        if (!pattern.empty() && !text.empty()) {
            const std::string_view character = text.substr(0, character_size(text));
            const auto bracket = pattern.front() == '[' ? bracket_at(pattern) : std::nullopt;
            if (bracket) {
                fits = is_in(character, bracket->members) != bracket->is_negated;
                took = bracket->size;
            } else if (pattern.front() == '?') {
                fits = true;
                took = 1;
            } else {
                fits = pattern.starts_with(character);
                took = character.size();
            }
            if (fits) {
                text.remove_prefix(character.size());
                pattern.remove_prefix(took);
                continue;
            }
        }
        if (!star_pattern || star_text.empty()) return false;
        star_text.remove_prefix(character_size(star_text));
        text = star_text;
        pattern = *star_pattern;
    }
}

bool matches_path_glob(std::string_view path, std::string_view pattern) {
    return matches_parts(path_parts(path), path_parts(pattern));
}

}  // namespace shaduf::models
