#include "models/project/dbtignore.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "models/python_text.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kAnyFolders = "**";

size_t character_length(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return std::min(length, text.size());
}

std::string_view take_character(std::string_view& text) {
    const auto character = text.substr(0, character_length(text));
    text.remove_prefix(character.size());
    return character;
}

// The end of a [...], behind its "["; npos when there is none.
size_t bracket_end(std::string_view rest) {
    size_t at = 0;
    if (at < rest.size() && (rest[at] == '!' || rest[at] == '^')) ++at;
    if (at < rest.size() && rest[at] == ']') ++at;
    return rest.find(']', at);
}

bool bracket_matches(std::string_view inside, std::string_view character) {
    const bool negated = inside.starts_with('!') || inside.starts_with('^');
    if (negated) inside.remove_prefix(1);
    bool found = false;
    while (!inside.empty()) {
        const auto low = take_character(inside);
        auto high = low;
        if (inside.size() > 1 && inside.front() == '-') {
            inside.remove_prefix(1);
            high = take_character(inside);
        }
        // UTF-8 sorts as its code points do.
        found = found || (low <= character && character <= high);
    }
    return found != negated;
}

// One step of a pattern that is not "*": takes a character of the name, and the step itself. False: it does not fit.
bool take_step(std::string_view& pattern, std::string_view& name) {
    if (name.empty()) return false;
    const auto wanted = take_character(pattern);
    if (wanted == "[") {
        if (const size_t end = bracket_end(pattern); end != std::string_view::npos) {
            const auto inside = pattern.substr(0, end);
            pattern.remove_prefix(end + 1);
            return bracket_matches(inside, take_character(name));
        }
    }
    if (wanted == "?") return !take_character(name).empty();
    if (wanted == "\\" && !pattern.empty()) return take_character(pattern) == take_character(name);
    return wanted == take_character(name);
}

// A pattern for one name. Going back to the last "*" is enough: an earlier one could only take what it may, too.
bool name_matches(std::string_view pattern, std::string_view name) {
    std::optional<std::pair<std::string_view, std::string_view>> star;
    while (!pattern.empty() || !name.empty()) {
        if (pattern.starts_with('*')) {
            pattern.remove_prefix(1);
            star = {pattern, name};
            continue;
        }
        if (!pattern.empty() && take_step(pattern, name)) continue;
        if (!star || star->second.empty()) return false;
        take_character(star->second);
        pattern = star->first;
        name = star->second;
    }
    return true;
}

bool segment_matches(std::string_view pattern, std::string_view name) {
    return pattern == "*" ? !name.empty() : name_matches(pattern, name);
}

// A pattern fits a path when it fits its beginning: what fits a folder fits all below.
bool path_matches(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
    size_t at = 0;
    size_t step = 0;
    std::optional<std::pair<size_t, size_t>> any;  // behind the last "**": the step, and where it may begin next
    for (;;) {
        if (step == pattern.size()) return true;
        if (pattern[step] == kAnyFolders) {
            if (step + 1 == pattern.size()) return at < path.size();
            any = {step + 1, at};
            ++step;
            continue;
        }
        if (at < path.size() && segment_matches(pattern[step], path[at])) {
            ++step;
            ++at;
            continue;
        }
        if (!any || any->second >= path.size()) return false;
        at = ++any->second;
        step = any->first;
    }
}

bool ends_in_lone_backslash(std::string_view segment) {
    const auto last = segment.find_last_not_of('\\');
    const size_t count = segment.size() - (last == std::string_view::npos ? 0 : last + 1);
    return count % 2 == 1;
}

}  // namespace

Result<IgnorePatterns> IgnorePatterns::parse(std::string_view text, const std::string& file) {
    IgnorePatterns patterns;
    int line = 0;
    for (std::string_view given : split(text, '\n')) {
        ++line;
        std::string_view part = python_strip(given);
        if (given.ends_with("\\ ")) part = given.substr(given.find_first_not_of(" \t"));
        if (part.empty() || part.front() == '#' || part == "/") continue;
        Pattern pattern;
        if (part.front() == '!') {
            pattern.ignores = false;
            part.remove_prefix(1);
        }
        auto& segments = pattern.segments;
        for (const auto segment : split(part, '/')) {
            if (!segments.empty() && segment == kAnyFolders && segments.back() == kAnyFolders) continue;
            if (ends_in_lone_backslash(segment)) {
                return Error(ErrorKind::invalid_config,
                             "a pattern ends in a backslash: " + std::string(part) + "; remove it")
                    .at(Place::in_file(file, line));
            }
            segments.emplace_back(segment);
        }
        if (segments.size() == 2 && segments[0] == kAnyFolders && segments[1].empty()) {
            pattern.below_folders_only = true;
        } else if (segments[0].empty()) {
            segments.erase(segments.begin());
        } else if ((segments.size() == 1 || (segments.size() == 2 && segments[1].empty())) &&
                   segments[0] != kAnyFolders) {
            segments.insert(segments.begin(), std::string(kAnyFolders));
        }
        if (segments.empty()) continue;
        if (segments.back().empty() && segments.size() > 1) segments.back() = kAnyFolders;
        patterns.patterns_.push_back(std::move(pattern));
    }
    return patterns;
}

bool IgnorePatterns::ignores(std::string_view path) const {
    while (path.starts_with("./")) path.remove_prefix(2);
    while (path.starts_with('/')) path.remove_prefix(1);
    const auto parts = split(path, '/');
    for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
        const bool matches = pattern->below_folders_only ? parts.size() > 1 : path_matches(pattern->segments, parts);
        if (matches) return pattern->ignores;  // the last that fits decides
    }
    return false;
}

}  // namespace shaduf::models
