#include "models/select/spec.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 22> kMethods = {
    "fqn",           "tag",       "group",          "access",        "source",    "path",     "file",   "package",
    "config",        "test_name", "test_type",      "resource_type", "state",     "exposure", "metric", "result",
    "source_status", "version",   "semantic_model", "saved_query",   "unit_test", "selector"};

constexpr std::array<std::string_view, 4> kIndirect = {"eager", "cautious", "buildable", "empty"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           static_cast<unsigned char>(c) >= 0x80;
}

Result<std::optional<uint32_t>> parse_depth(std::string_view digits, std::string_view raw) {
    if (digits.empty()) return std::optional<uint32_t>();
    uint32_t depth = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
    if (failure == std::errc() && end == digits.data() + digits.size()) return std::optional(depth);
    return Error(ErrorKind::invalid_config,
                 "the depth of a selector is no number that fits: " + std::string(raw) + "; write n+model or model+n");
}

// "2+" or "+" at the front, which is taken away.
Result<void> take_parents(std::string_view& rest, Criterion& criterion) {
    size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    if (digits == rest.size() || rest[digits] != '+') return {};
    criterion.parents = true;
    criterion.parents_depth = TRY(parse_depth(rest.substr(0, digits), criterion.raw));
    rest.remove_prefix(digits + 1);
    return {};
}

Result<void> take_children(std::string_view& rest, Criterion& criterion) {
    size_t begin = rest.size();
    while (begin > 0 && is_digit(rest[begin - 1])) --begin;
    if (begin == 0 || rest[begin - 1] != '+') return {};
    criterion.children = true;
    criterion.children_depth = TRY(parse_depth(rest.substr(begin), criterion.raw));
    rest = rest.substr(0, begin - 1);
    return {};
}

Result<SelectionSpec> parse_union(const std::vector<std::string>& texts, bool warns, IndirectSelection indirect) {
    SelectionSpec all;
    all.kind = SelectionSpec::Kind::union_of;
    all.indirect = indirect;
    for (const std::string& text : texts) {
        for (const std::string_view word : split(text, ' ')) {
            SelectionSpec& part = all.parts.emplace_back();
            part.kind = SelectionSpec::Kind::intersection;
            part.indirect = indirect;
            part.warns_when_empty = warns;
            part.raw = word;
            for (const std::string_view criterion : split(word, ',')) {
                part.parts.emplace_back().criterion = TRY(parse_criterion(criterion, indirect));
            }
        }
    }
    return all;
}

}  // namespace

std::string_view to_string(SelectMethod method) { return kMethods.at(static_cast<size_t>(method)); }

Result<IndirectSelection> parse_indirect_selection(std::string_view text) {
    const auto found = std::find(kIndirect.begin(), kIndirect.end(), text);
    if (found != kIndirect.end()) return static_cast<IndirectSelection>(found - kIndirect.begin());
    const std::vector<std::string> names(kIndirect.begin(), kIndirect.end());
    return Error(ErrorKind::invalid_config,
                 "no way of indirect selection: " + std::string(text) + did_you_mean(text, names));
}

Result<std::pair<SelectMethod, std::vector<std::string>>> parse_method(std::string_view text) {
    const auto parts = split(text, '.');
    const auto found = std::find(kMethods.begin(), kMethods.end(), parts.front());
    if (found == kMethods.end()) {
        const std::vector<std::string> names(kMethods.begin(), kMethods.end());
        return Error(ErrorKind::invalid_config, "'" + std::string(parts.front()) + "' is not a valid method name" +
                                                    did_you_mean(parts.front(), names));
    }
    return std::pair(static_cast<SelectMethod>(found - kMethods.begin()),
                     std::vector<std::string>(parts.begin() + 1, parts.end()));
}

SelectMethod default_method(std::string_view value) {
    if (value.find('/') != std::string_view::npos) return SelectMethod::path;
    const std::string lower = to_lower(value);
    for (const std::string_view ending : {".sql", ".py", ".csv"}) {
        if (lower.ends_with(ending)) return SelectMethod::file;
    }
    return SelectMethod::fqn;
}

Result<Criterion> parse_criterion(std::string_view text, IndirectSelection indirect) {
    Criterion criterion;
    criterion.raw = text;
    criterion.indirect = indirect;
    std::string_view rest = text;
    if (rest.starts_with('@')) {
        criterion.children_parents = true;
        rest.remove_prefix(1);
    }
    TRY(take_parents(rest, criterion));
    size_t word = 0;
    while (word < rest.size() && is_word(rest[word])) ++word;
    const bool has_method = word > 0 && word < rest.size() && rest[word] == ':';
    if (has_method) {
        std::tie(criterion.method, criterion.arguments) = TRY(parse_method(rest.substr(0, word)));
        rest.remove_prefix(word + 1);
    }
    TRY(take_children(rest, criterion));
    criterion.value = rest;
    if (!has_method) criterion.method = default_method(rest);
    if (criterion.children && criterion.children_parents) {
        return Error(ErrorKind::invalid_config,
                     "Invalid node spec " + criterion.raw +
                         " - \"@\" prefix and \"+\" suffix are incompatible; write one of the two");
    }
    return criterion;
}

Result<SelectionSpec> parse_selection(const std::optional<std::vector<std::string>>& select,
                                      const std::vector<std::string>& exclude, IndirectSelection indirect) {
    static const std::vector<std::string> kAll = {"fqn:*", "source:*", "exposure:*", "metric:*", "semantic_model:*"};
    SelectionSpec spec;
    spec.kind = SelectionSpec::Kind::difference;
    spec.parts.push_back(TRY(parse_union(select ? *select : kAll, select.has_value(), indirect)));
    spec.parts.push_back(TRY(parse_union(exclude, true, indirect)));
    return spec;
}

}  // namespace shaduf::models
