// Ranges of versions with dbt's own rules, which differ from npm's and Cargo's in small ways: a pre-release counts as
// less than its release, but one of the upper bound itself is outside of "<1.0.0".
#include "models/project/version.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace shaduf::models {
namespace {

using Match = VersionBound::Match;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

std::string_view take_number(std::string_view& rest) {
    size_t length = 0;
    if (rest.starts_with('0')) {
        length = 1;
    } else {
        while (length < rest.size() && is_digit(rest[length])) ++length;
    }
    const auto number = rest.substr(0, length);
    rest.remove_prefix(length);
    return number;
}

bool is_prerelease(std::string_view text) {
    const auto parts = split(text, '.');
    return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
        if (part.empty() || !std::all_of(part.begin(), part.end(), is_word)) return false;
        return !all_digits(part) || part.size() == 1 || part.front() != '0';
    });
}

bool is_build(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.'; });
}

// What stands behind the three numbers: "-rc.1+x"; the dash may be missing.
bool read_rest(std::string_view rest, VersionBound& bound) {
    const auto plus = rest.find('+');
    if (plus != std::string_view::npos) {
        if (!is_build(rest.substr(plus + 1))) return false;
        bound.build = rest.substr(plus + 1);
        rest = rest.substr(0, plus);
    }
    if (rest.empty()) return true;
    const std::string_view without_dash = rest.substr(rest.front() == '-' ? 1 : 0);
    if (is_prerelease(without_dash)) {
        bound.prerelease = without_dash;
    } else if (is_prerelease(rest)) {
        bound.prerelease = rest;
    } else {
        return false;
    }
    return true;
}

bool read_numbers(std::string_view text, VersionBound& bound) {
    bound.major = take_number(text);
    if (bound.major.empty() || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    bound.minor = take_number(text);
    if (bound.minor.empty() || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    std::string_view rest = text;
    const size_t longest = take_number(rest).size();
    // A shorter patch leaves digits to the pre-release, whose dash may be missing: 1.2.10.1 is 1.2.1-0.1.
    for (size_t length = longest; length > 0; --length) {
        bound.patch = text.substr(0, length);
        if (read_rest(text.substr(length), bound)) return true;
    }
    return false;
}

int compare_numbers(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    return a.compare(b);
}

int sign(int value) { return (value > 0) - (value < 0); }

int compare_part(std::string_view a, std::string_view b) {
    const bool a_number = !a.empty() && all_digits(a);
    const bool b_number = !b.empty() && all_digits(b);
    if (a_number != b_number) return a_number ? -1 : 1;
    return sign(a_number ? compare_numbers(a, b) : a.compare(b));
}

int compare_prereleases(std::string_view a, std::string_view b) {
    const auto a_parts = split(a, '.');
    const auto b_parts = split(b, '.');
    for (size_t i = 0; i < std::min(a_parts.size(), b_parts.size()); ++i) {
        if (const int order = compare_part(a_parts[i], b_parts[i]); order != 0) return order;
    }
    return (a.size() > b.size()) - (a.size() < b.size());
}

bool is_lower(Match match) { return match == Match::above || match == Match::at_least; }
bool is_upper(Match match) { return match == Match::below || match == Match::at_most; }

int compare_matches(Match a, Match b) {
    if (a == Match::at_least && b == Match::at_most) return 0;
    if (a == Match::at_most && b == Match::at_least) return 0;
    const auto less = [](Match x, Match y) {
        return (x == Match::below && y == Match::at_most) || (y == Match::above && x == Match::at_least) ||
               (is_upper(x) && is_lower(y));
    };
    return less(a, b) ? -1 : less(b, a) ? 1 : 0;
}

std::string_view symbol(Match match) {
    switch (match) {
        case Match::exact: return "=";
        case Match::above: return ">";
        case Match::at_least: return ">=";
        case Match::below: return "<";
        case Match::at_most: return "<=";
    }
    return "";
}

// One side of a range while ranges are joined; nothing is open.
using Side = std::optional<VersionBound>;
struct Sides {
    Side start, end;
};

Sides sides_of(const VersionBound& bound) {
    if (bound.is_exact()) return {bound, bound};
    return is_lower(bound.match) ? Sides{bound, std::nullopt} : Sides{std::nullopt, bound};
}

// False when the two exclude each other. `toward`: 1 for starts, where the higher wins, -1 for ends.
bool join_side(const Side& a, const Side& b, int toward, Side& out) {
    if (!b || !a) {
        out = b ? b : a;
        return true;
    }
    if (!a->is_exact() && !b->is_exact()) {
        out = a->compare(*b) * toward < 0 ? b : a;
        return true;
    }
    const VersionBound& exact = a->is_exact() ? *a : *b;
    const VersionBound& open = a->is_exact() ? *b : *a;
    const int order = open.compare(exact) * toward;
    out = exact;
    return order < 0 || (order == 0 && open.match == (toward > 0 ? Match::at_least : Match::at_most));
}

bool join_sides(Sides& into, const Sides& other) {
    Sides joined;
    if (into.start && into.start->is_exact() && other.start && other.start->is_exact()) {
        if (into.start->compare(*other.start) != 0) return false;
        joined = {into.start, into.start};
    } else if (!join_side(into.start, other.start, 1, joined.start) ||
               !join_side(into.end, other.end, -1, joined.end)) {
        return false;
    }
    if (joined.start && joined.end && joined.start->compare(*joined.end) > 0) return false;
    into = joined;
    return true;
}

}  // namespace

Result<VersionBound> VersionBound::parse(std::string_view text) {
    VersionBound bound;
    std::string_view rest = trim(text);
    for (const Match match : {Match::at_least, Match::at_most, Match::above, Match::below, Match::exact}) {
        if (!rest.starts_with(symbol(match))) continue;
        bound.match = match;
        rest.remove_prefix(symbol(match).size());
        break;
    }
    rest = trim(rest);
    if (!read_numbers(rest, bound)) {
        return Error(ErrorKind::invalid_config,
                     "not a version: \"" + std::string(text) + "\"; write three numbers, as 1.2.0 or \">=1.2.0\"");
    }
    return bound;
}

std::string VersionBound::version() const {
    return major + "." + minor + "." + patch + (prerelease.empty() ? "" : "-" + prerelease) +
           (build.empty() ? "" : "+" + build);
}

std::string VersionBound::to_string() const { return std::string(symbol(match)) + version(); }

int VersionBound::compare(const VersionBound& other) const {
    for (const auto& [a, b] :
         {std::pair(&major, &other.major), std::pair(&minor, &other.minor), std::pair(&patch, &other.patch)}) {
        if (const int order = compare_numbers(*a, *b); order != 0) return sign(order);
    }
    if (prerelease.empty() != other.prerelease.empty()) {
        if (!prerelease.empty()) return -1;
        // "<1.0.0" does not let in 1.0.0-rc1.
        return match == Match::below ? -1 : 1;
    }
    if (const int order = compare_prereleases(prerelease, other.prerelease); order != 0) return order;
    return compare_matches(match, other.match);
}

std::string VersionRange::to_string() const {
    std::vector<std::string> parts;
    for (const auto& bound : start) parts.push_back(bound.to_string());
    for (const auto& bound : end) {
        if (!bound.is_exact()) parts.push_back(bound.to_string());
    }
    return parts.empty() ? "any" : shaduf::join(parts, ", ");
}

Result<VersionRange> VersionRange::all_of(std::span<const VersionBound> bounds) {
    VersionRange range;
    if (bounds.empty()) return range;
    Sides sides = sides_of(bounds.back());
    for (const VersionBound& bound : bounds.first(bounds.size() - 1)) {
        const Sides before = sides;
        if (join_sides(sides, sides_of(bound))) continue;
        VersionRange known;
        if (before.start) known.start.push_back(*before.start);
        if (before.end) known.end.push_back(*before.end);
        return Error(ErrorKind::conflict, "no version is both " + known.to_string() + " and " + bound.to_string());
    }
    if (sides.start) range.start.push_back(*sides.start);
    if (sides.end) range.end.push_back(*sides.end);
    return range;
}

bool VersionRange::contains(const VersionBound& exact) const {
    std::vector<VersionBound> bounds{exact};
    bounds.insert(bounds.end(), start.begin(), start.end());
    bounds.insert(bounds.end(), end.begin(), end.end());
    return all_of(bounds).ok();
}

Result<std::vector<VersionBound>> parse_versions(std::string_view text) {
    std::vector<VersionBound> bounds;
    for (const auto part : split(text, ',')) bounds.push_back(TRY(VersionBound::parse(part)));
    return bounds;
}

std::vector<std::string> installable_versions(std::span<const std::string> versions, Prereleases prereleases) {
    std::vector<std::pair<VersionBound, std::string>> found;
    for (const auto& text : versions) {
        auto version = VersionBound::parse(text);
        if (!version.ok()) continue;
        if (prereleases == Prereleases::left_out && !version.value().prerelease.empty()) continue;
        found.emplace_back(version.release_value(), text);
    }
    std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first.compare(b.first) < 0; });
    std::vector<std::string> sorted;
    for (auto& [version, text] : found) sorted.push_back(std::move(text));
    return sorted;
}

std::string highest_in(const VersionRange& range, std::span<const std::string> versions) {
    std::optional<VersionBound> highest;
    std::string text_of_highest;
    for (const auto& text : versions) {
        auto version = VersionBound::parse(text);
        if (!version.ok() || !range.contains(version.value())) continue;
        if (highest && highest->compare(version.value()) >= 0) continue;
        highest = version.release_value();
        text_of_highest = text;
    }
    return text_of_highest;
}

}  // namespace shaduf::models
