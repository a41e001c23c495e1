#include "models/project/yaml_fields.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::models {
namespace {

Error finding(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

}  // namespace

std::string shown_value(const YamlNode& node) {
    constexpr size_t kShownMax = 60;
    std::string text = node.is_text() ? std::string(node.text()) : to_python_json(node);
    if (text.size() > kShownMax) text = make_valid_utf8(text.substr(0, kShownMax)) + "...";
    return text;
}

void warn_of_duplicates(const YamlTree& tree, const std::string& file, Findings& findings) {
    for (const YamlDuplicate& duplicate : tree.duplicates()) {
        const auto place = Place::in_file(file, static_cast<int>(duplicate.line));
        findings.warnings.push_back(Error(ErrorKind::invalid_config, "key given twice: " + duplicate.key +
                                                                         ", first in line " +
                                                                         std::to_string(duplicate.first_line) +
                                                                         "; the last one counts, remove one")
                                        .at(place));
    }
}

void YamlFields::error(const YamlNode& at, std::string message) {
    findings_.errors.push_back(finding(file_, at, std::move(message)));
}

void YamlFields::warn(const YamlNode& at, std::string message) {
    findings_.warnings.push_back(finding(file_, at, std::move(message)));
}

const YamlNode& YamlFields::place_of(std::string_view key) const {
    const YamlNode* found = map_.find_key(key);
    return found == nullptr ? map_ : *found;
}

const YamlNode* YamlFields::find(std::string_view key, std::initializer_list<YamlKind> kinds, std::string_view wanted) {
    const YamlNode* value = map_.find(key);
    if (value == nullptr || value->is_null()) return nullptr;
    if (std::find(kinds.begin(), kinds.end(), value->kind()) != kinds.end()) return value;
    error(place_of(key), std::string(key) + " takes " + std::string(wanted) + ", not " +
                             std::string(to_string(value->kind())) + ": " + shown_value(*value));
    return nullptr;
}

std::optional<std::string> YamlFields::text(std::string_view key) {
    const YamlNode* value = find(key, {YamlKind::text}, "a text");
    return value == nullptr ? std::nullopt : std::optional(std::string(value->text()));
}

std::optional<std::string> YamlFields::text_or_number(std::string_view key) {
    const YamlNode* value =
        find(key, {YamlKind::text, YamlKind::integer, YamlKind::big_integer, YamlKind::real}, "a text or a number");
    return value == nullptr ? std::nullopt
                            : std::optional(value->is_text() ? std::string(value->text()) : to_python_json(*value));
}

std::optional<bool> YamlFields::boolean(std::string_view key) {
    const YamlNode* value = find(key, {YamlKind::boolean}, "true or false");
    return value == nullptr ? std::nullopt : std::optional(value->boolean());
}

std::optional<int64_t> YamlFields::integer(std::string_view key) {
    const YamlNode* value = find(key, {YamlKind::integer}, "a whole number");
    return value == nullptr ? std::nullopt : std::optional(value->integer());
}

std::optional<std::vector<std::string>> YamlFields::items(std::string_view key, const YamlNode& list) {
    std::vector<std::string> texts;
    for (const YamlNode& item : list.items()) {
        if (!item.is_text()) {
            error(item, std::string(key) + " takes a list of texts; one of them is " +
                            std::string(to_string(item.kind())) + ": " + shown_value(item));
            return std::nullopt;
        }
        texts.emplace_back(item.text());
    }
    return texts;
}

std::optional<std::vector<std::string>> YamlFields::texts(std::string_view key) {
    const YamlNode* value = find(key, {YamlKind::list}, "a list of texts");
    return value == nullptr ? std::nullopt : items(key, *value);
}

std::optional<std::vector<std::string>> YamlFields::text_or_texts(std::string_view key) {
    const YamlNode* value = find(key, {YamlKind::list, YamlKind::text}, "a text or a list of texts");
    if (value == nullptr) return std::nullopt;
    if (value->is_text()) return std::vector{std::string(value->text())};
    return items(key, *value);
}

const YamlNode& YamlFields::map(std::string_view key) {
    static const YamlNode kNone{};
    const YamlNode* value = find(key, {YamlKind::map}, "a map");
    return value == nullptr ? kNone : *value;
}

const YamlNode& YamlFields::list(std::string_view key) {
    static const YamlNode kNone{};
    const YamlNode* value = find(key, {YamlKind::list}, "a list");
    return value == nullptr ? kNone : *value;
}

void YamlFields::warn_of_unknown(std::span<const std::string_view> known, std::string_view what) {
    for (const YamlEntry& entry : map_.entries()) {
        const std::string_view key = entry.key.text();
        if (entry.key.is_text() && std::find(known.begin(), known.end(), key) != known.end()) continue;
        const std::vector<std::string> names(known.begin(), known.end());
        const auto near = nearest(key, names);
        warn(entry.key, "unknown key of " + std::string(what) + ": " + shown_value(entry.key) +
                            (near ? "; did you mean " + *near + "?" : "; it is ignored, remove it"));
    }
}

}  // namespace shaduf::models
