#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/project/findings.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// Reads the fields of one map as typed values. What has the wrong type becomes an error in `findings`, with its line,
// and reads as if it were not there; null reads so too. For one thread; the map and the findings outlive it.
class YamlFields {
public:
    YamlFields(const YamlNode& map, std::string file, Findings& findings)
        : map_(map), file_(std::move(file)), findings_(findings) {}

    std::optional<std::string> text(std::string_view key);
    // Also a number, as it is written: `version: 1.0`.
    std::optional<std::string> text_or_number(std::string_view key);
    std::optional<bool> boolean(std::string_view key);
    std::optional<int64_t> integer(std::string_view key);
    std::optional<std::vector<std::string>> texts(std::string_view key);
    // Also a single text.
    std::optional<std::vector<std::string>> text_or_texts(std::string_view key);
    // A map or a list, or the null node.
    const YamlNode& map(std::string_view key);
    const YamlNode& list(std::string_view key);

    // A warning for each key that is none of these, with the nearest that is.
    void warn_of_unknown(std::span<const std::string_view> known, std::string_view what);
    void error(const YamlNode& at, std::string message);
    void warn(const YamlNode& at, std::string message);
    // The key's own place, or that of the map.
    const YamlNode& place_of(std::string_view key) const;
    const YamlNode& node() const { return map_; }
    const std::string& file() const { return file_; }

private:
    const YamlNode* find(std::string_view key, std::initializer_list<YamlKind> kinds, std::string_view wanted);
    std::optional<std::vector<std::string>> items(std::string_view key, const YamlNode& list);

    const YamlNode& map_;
    const std::string file_;
    Findings& findings_;
};

// A value as a person wrote it, cut short: for messages.
std::string shown_value(const YamlNode& node);

// Warnings for keys that stand twice.
void warn_of_duplicates(const YamlTree& tree, const std::string& file, Findings& findings);

}  // namespace shaduf::models
