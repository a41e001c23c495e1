#include "models/configs/config_values.h"

#include <vector>

#include "models/yaml/json_tree.h"

namespace shaduf::models {
namespace {

void add_listed(const YamlNode& value, YamlBuilder& builder) {
    if (!value.is_list()) return builder.add(value);
    for (const YamlNode& item : value.items()) builder.add(item);
}

// A hook that is a map in JSON, as after_commit() makes it.
bool add_json_hook(std::string_view text, YamlBuilder& builder) {
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos || text[start] != '{') return false;
    const auto json = parse_json(text);
    if (!json.ok() || !json.value().root().is_map()) return false;
    builder.keep(json.value());
    builder.add(json.value().root());
    return true;
}

YamlNode hook_map(const YamlNode& hook, YamlBuilder& builder) {
    if (hook.is_map()) return hook;
    if (hook.is_text() && add_json_hook(hook.text(), builder)) return builder.pop();
    builder.begin_map();
    builder.key("sql");
    builder.add(hook);
    builder.end_map();
    return builder.pop();
}

}  // namespace

YamlNode append_values(const YamlNode& before, const YamlNode& more, YamlBuilder& builder) {
    builder.at({more.line(), more.column()});
    builder.begin_list();
    add_listed(before, builder);
    add_listed(more, builder);
    builder.end_list();
    return builder.pop();
}

YamlNode update_map(const YamlNode& before, const YamlNode& more, YamlBuilder& builder) {
    builder.at({more.line(), more.column()});
    builder.begin_map();
    for (const YamlNode* map : {&before, &more}) {
        for (const YamlEntry& entry : map->entries()) {
            builder.add(entry.key);
            builder.add(entry.value);
        }
    }
    builder.end_map();
    return builder.pop();
}

YamlNode merge_grants(const YamlNode& before, const YamlNode& more, YamlBuilder& builder) {
    builder.at({more.line(), more.column()});
    const YamlNode nothing = [&] {
        builder.begin_list();
        builder.end_list();
        return builder.pop();
    }();
    std::vector<YamlEntry> merged;
    for (const YamlEntry& entry : before.entries()) {
        merged.push_back({entry.key, append_values(nothing, entry.value, builder)});
    }
    for (const YamlEntry& entry : more.entries()) {
        std::string_view name = entry.key.text();
        const bool extends = name.starts_with('+');
        while (name.starts_with('+')) name.remove_prefix(1);
        YamlEntry* known = nullptr;
        for (YamlEntry& candidate : merged) {
            if (candidate.key.is_text() && candidate.key.text() == name) known = &candidate;
        }
        if (known != nullptr) {
            known->value = append_values(extends ? known->value : nothing, entry.value, builder);
            continue;
        }
        builder.key(name);
        merged.push_back({builder.pop(), append_values(nothing, entry.value, builder)});
    }
    builder.begin_map();
    for (const YamlEntry& entry : merged) {
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
    return builder.pop();
}

YamlNode normal_hooks(const YamlNode& hooks, YamlBuilder& builder) {
    std::vector<YamlNode> normal;
    for (const YamlNode& hook : hooks.items()) {
        const YamlNode map = hook_map(hook, builder);
        builder.at({hook.line(), hook.column()});
        builder.begin_map();
        builder.key("sql");
        builder.add(map["sql"]);
        builder.key("transaction");
        if (map.find("transaction") == nullptr) {
            builder.add_boolean(true);
        } else {
            builder.add(map["transaction"]);
        }
        builder.key("index");
        builder.add(map["index"]);
        builder.end_map();
        normal.push_back(builder.pop());
    }
    builder.begin_list();
    for (const YamlNode& hook : normal) builder.add(hook);
    builder.end_list();
    return builder.pop();
}

YamlNode fill_object(const YamlNode& value, const YamlNode& pattern, YamlBuilder& builder) {
    if (!value.is_map()) return value;
    std::vector<YamlNode> filled;
    for (const YamlEntry& entry : pattern.entries()) {
        const YamlNode* given = value.find(entry.key.text());
        filled.push_back(given == nullptr       ? entry.value
                         : entry.value.is_map() ? fill_object(*given, entry.value, builder)
                                                : *given);
    }
    builder.at({value.line(), value.column()});
    builder.begin_map();
    for (size_t i = 0; i < filled.size(); ++i) {
        builder.add(pattern.entries()[i].key);
        builder.add(filled[i]);
    }
    builder.end_map();
    return builder.pop();
}

}  // namespace shaduf::models
