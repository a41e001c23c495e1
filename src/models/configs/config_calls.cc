// Several config() calls in one file: merged before they meet the config of the project, by rules that are nearly the
// same, but that know no resource, keep the + of grants and never fill anything in.
#include <algorithm>

#include "models/configs/config_merge.h"
#include "models/configs/config_values.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

YamlNode listed(const YamlNode& value, YamlBuilder& builder) {
    builder.begin_list();
    builder.end_list();
    return append_values(builder.pop(), value, builder);
}

// As merge_grants, but a key keeps its +, so that it still adds to what the project gives.
YamlNode call_grants(const YamlNode* before, const YamlNode& more, YamlBuilder& builder) {
    std::vector<YamlEntry> merged;
    if (before != nullptr) {
        for (const YamlEntry& entry : before->entries()) merged.push_back({entry.key, listed(entry.value, builder)});
    }
    for (const YamlEntry& entry : more.entries()) {
        const auto known =
            std::find_if(merged.begin(), merged.end(), [&](const auto& other) { return other.key == entry.key; });
        if (known == merged.end()) {
            merged.push_back({entry.key, listed(entry.value, builder)});
        } else if (entry.key.text().starts_with('+')) {
            known->value = append_values(known->value, entry.value, builder);
        } else {
            known->value = listed(entry.value, builder);
        }
    }
    builder.begin_map();
    for (const YamlEntry& entry : merged) {
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
    return builder.pop();
}

Result<YamlNode> merged_call(const YamlEntry& entry, const YamlNode* before, const std::string& file,
                             YamlBuilder& builder) {
    const std::string_view name = entry.key.text();
    if (is_one_of(name, {"pre-hook", "pre_hook", "post-hook", "post_hook", "tags", "packages"})) {
        return before == nullptr ? listed(entry.value, builder) : append_values(*before, entry.value, builder);
    }
    const bool is_update =
        is_one_of(name, {"quoting", "column_types", "meta", "docs", "contract", "snapshot_meta_column_names"});
    if (!is_update && name != "grants") return entry.value;
    if (!entry.value.is_map()) {
        return Error(ErrorKind::invalid_config, "config " + std::string(name) + " takes a map, not " +
                                                    std::string(to_string(entry.value.kind())) + ": " +
                                                    shown_value(entry.value))
            .at(Place::in_file(file, static_cast<int>(entry.value.line())));
    }
    if (name == "grants") return call_grants(before, entry.value, builder);
    return before != nullptr && before->is_map() ? update_map(*before, entry.value, builder) : entry.value;
}

}  // namespace

Result<YamlTree> merge_config_calls(std::span<const YamlTree> calls, const std::string& file) {
    YamlBuilder builder;
    std::vector<YamlEntry> merged;
    for (const YamlTree& call : calls) {
        builder.keep(call);
        const bool first = merged.empty();
        for (const YamlEntry& entry : call.root().entries()) {
            const auto known =
                std::find_if(merged.begin(), merged.end(), [&](const auto& other) { return other.key == entry.key; });
            const YamlNode* before = known == merged.end() ? nullptr : &known->value;
            const YamlNode value = first ? entry.value : TRY(merged_call(entry, before, file, builder));
            if (known == merged.end()) {
                merged.push_back({entry.key, value});
            } else {
                known->value = value;
            }
        }
    }
    builder.begin_map();
    for (const YamlEntry& entry : merged) {
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
    return builder.finish();
}

}  // namespace shaduf::models
