#include "models/select/yaml_selectors.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "models/artifacts/json_writer.h"
#include "models/yaml/value.h"

namespace shaduf::models {

using jinja::Dict;
using jinja::Value;

// Reads definitions: each gives what to select, and the same as the manifest has it.
class SelectorReader {
public:
    SelectorReader(std::string file, IndirectSelection indirect) : file_(std::move(file)), indirect_(indirect) {}

    Result<YamlSelectors> read(const YamlNode& list) {
        for (const YamlNode& item : list.items()) TRY(read_selector(item));
        return std::move(selectors_);
    }

private:
    struct Read {
        SelectionSpec spec;
        Value shown;
    };

    Error error(const YamlNode& at, std::string message) const {
        return Error(ErrorKind::invalid_config, std::move(message))
            .at(Place::in_file(file_, static_cast<int>(at.line())));
    }

    Result<void> read_selector(const YamlNode& item) {
        if (!item["name"].is_text()) return error(item, "a selector needs a name; add `name:`");
        const std::string name(item["name"].text());
        if (item.find("definition") == nullptr) {
            return error(item, "a selector needs a definition: " + name + "; add `definition:`");
        }
        const YamlNode& by_default = item["default"];
        if (by_default.is_boolean() && by_default.boolean()) {
            if (selectors_.default_) {
                return error(item, "two selectors have `default: true`: " + *selectors_.default_ + " and " + name);
            }
            selectors_.default_ = name;
        }
        Read read = TRY(read_definition(item["definition"], Level::root));
        auto shown = jinja::make<Dict>();
        for (const YamlEntry& entry : item.entries()) {
            const bool is_definition = entry.key.text() == "definition";
            shown->set(entry.key.text(), is_definition ? read.shown : value_of_yaml(entry.value));
        }
        shown_.emplace(name, read.shown);
        selectors_.all_.push_back({name, std::move(read.spec), json_of(shown)});
        return {};
    }

    enum class Level : uint8_t { root, inner };
    Result<Read> read_definition(const YamlNode& node, Level level) {
        if (node.is_text()) return read_text(node);
        if (!node.is_map()) {
            return error(node, "a definition of a selector is a text, a map, `union:` or `intersection:`");
        }
        for (const std::string_view key : {"union", "intersection"}) {
            if (node.find(key) == nullptr) continue;
            if (level == Level::root && node.entries().size() > 1) {
                return error(node, "only a single `union` or `intersection` may stand in a definition of a selector");
            }
            return read_set(node, key);
        }
        return read_map(node);
    }

    Result<Read> read_text(const YamlNode& node) {
        Read read;
        auto criterion = parse_criterion(node.text(), indirect_);
        if (!criterion.ok()) return criterion.error().at(Place::in_file(file_, static_cast<int>(node.line())));
        read.spec.criterion = criterion.release_value();
        read.spec.raw = node.text();
        const Criterion& parsed = read.spec.criterion;
        auto shown = jinja::make<Dict>();
        if (parsed.children_parents) shown->set("childrens_parents", true);
        if (parsed.parents) shown->set("parents", true);
        if (parsed.parents_depth) shown->set("parents_depth", std::to_string(*parsed.parents_depth));
        std::string method(to_string(parsed.method));
        for (const std::string& argument : parsed.arguments) method += "." + argument;
        shown->set("method", method);
        shown->set("value", parsed.value);
        if (parsed.children) shown->set("children", true);
        if (parsed.children_depth) shown->set("children_depth", std::to_string(*parsed.children_depth));
        read.shown = shown;
        return read;
    }

    static Read less(SelectionSpec from, SelectionSpec what, Value shown) {
        Read read;
        read.spec.kind = SelectionSpec::Kind::difference;
        read.spec.parts = {std::move(from), std::move(what)};
        read.shown = std::move(shown);
        return read;
    }

    // The definitions of an `exclude:`.
    Result<Read> read_exclusion(const YamlNode& list) {
        if (!list.is_list()) return error(list, "`exclude` of a selector takes a list of definitions");
        Read read;
        read.spec.kind = SelectionSpec::Kind::union_of;
        std::vector<Value> shown;
        for (const YamlNode& item : list.items()) {
            Read part = TRY(read_definition(item, Level::inner));
            read.spec.parts.push_back(std::move(part.spec));
            shown.push_back(part.shown);
        }
        read.shown = Value::list(std::move(shown));
        return read;
    }

    Result<Read> read_set(const YamlNode& node, std::string_view key) {
        const YamlNode& list = node[key];
        if (!list.is_list()) return error(node, "`" + std::string(key) + "` of a selector takes a list");
        SelectionSpec set;
        set.kind = key == "union" ? SelectionSpec::Kind::union_of : SelectionSpec::Kind::intersection;
        std::optional<SelectionSpec> excluded;
        std::vector<Value> shown_parts;
        for (const YamlNode& item : list.items()) {
            // As dbt has it, also where a method stands beside it.
            const bool is_exclusion = item.is_map() && item.find("exclude") != nullptr;
            if (!is_exclusion) {
                Read part = TRY(read_definition(item, Level::inner));
                set.parts.push_back(std::move(part.spec));
                shown_parts.push_back(part.shown);
                continue;
            }
            if (excluded) return error(item, "only one `exclude` may stand in a set of a selector");
            Read part = TRY(read_exclusion(item["exclude"]));
            excluded = std::move(part.spec);
            auto exclude = jinja::make<Dict>();
            exclude->set("exclude", part.shown);
            shown_parts.emplace_back(exclude);
        }
        auto shown = jinja::make<Dict>();
        shown->set(key, Value::list(std::move(shown_parts)));
        if (excluded) return less(std::move(set), std::move(*excluded), shown);
        return Read{std::move(set), shown};
    }

    // {tag: nightly}, or {method: tag, value: nightly, parents: true, ...}.
    Result<Read> read_map(const YamlNode& node) {
        if (node["method"].is_text() && node["method"].text() == "selector") return read_reference(node);
        const bool is_short = node.entries().size() == 1;
        if (!is_short && (node.find("method") == nullptr || node.find("value") == nullptr)) {
            return error(node, "a definition of a selector has one key, the method, or the keys `method` and `value`");
        }
        Read read;
        Criterion& criterion = read.spec.criterion;
        const std::string_view method = is_short ? node.entries()[0].key.text() : node["method"].text();
        const YamlNode& value = is_short ? node.entries()[0].value : node["value"];
        auto parsed = parse_method(method);
        if (!parsed.ok()) return parsed.error().at(Place::in_file(file_, static_cast<int>(node.line())));
        std::tie(criterion.method, criterion.arguments) = parsed.release_value();
        criterion.typed = value_of_yaml(value);
        criterion.value = criterion.typed.text();
        criterion.raw = std::string(method) + ":" + criterion.value;
        criterion.indirect = indirect_;
        TRY(read_operators(node, criterion));
        read.spec.raw = criterion.raw;
        auto shown = jinja::make<Dict>();
        if (is_short) {
            shown->set("method", method);
            shown->set("value", criterion.typed);
        }
        std::optional<SelectionSpec> excluded;
        for (const YamlEntry& entry : node.entries()) {
            if (is_short) break;
            if (entry.key.text() == "exclude") excluded = TRY(read_exclusion(entry.value)).spec;
            shown->set(entry.key.text(), value_of_yaml(entry.value));
        }
        read.shown = shown;
        if (excluded) return less(std::move(read.spec), std::move(*excluded), shown);
        return read;
    }

    Result<void> read_operators(const YamlNode& node, Criterion& criterion) const {
        const auto flag = [&](std::string_view key) { return value_of_yaml(node[key]).truth(); };
        criterion.children_parents = flag("childrens_parents");
        criterion.parents = flag("parents");
        criterion.children = flag("children");
        criterion.parents_depth = TRY(depth(node["parents_depth"]));
        criterion.children_depth = TRY(depth(node["children_depth"]));
        if (const YamlNode* indirect = node.find("indirect_selection")) {
            auto how = parse_indirect_selection(indirect->text());
            if (!how.ok()) return how.error().at(Place::in_file(file_, static_cast<int>(indirect->line())));
            criterion.indirect = how.value();
        }
        if (!criterion.children || !criterion.children_parents) return {};
        return error(node, "`childrens_parents` and `children` are incompatible; give one of the two");
    }

    Result<std::optional<uint32_t>> depth(const YamlNode& node) const {
        if (node.is_null()) return std::optional<uint32_t>();
        const std::string text = value_of_yaml(node).text();
        uint32_t depth = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), depth);
        if (failure != std::errc() || end != text.data() + text.size()) {
            return error(node, "the depth of a selector takes a whole number, found: " + text);
        }
        return depth == 0 ? std::optional<uint32_t>() : std::optional(depth);
    }

    // Selectors may name those before them.
    Result<Read> read_reference(const YamlNode& node) {
        const std::string name(node["value"].text());
        for (const auto& known : selectors_.all_) {
            if (known.name == name) return Read{known.spec, shown_.at(name)};
        }
        return error(node, "Existing selector definition for " + name + " not found" +
                               did_you_mean(name, selectors_.names()) + "; it must stand before this one");
    }

    const std::string file_;
    const IndirectSelection indirect_;
    YamlSelectors selectors_;
    std::map<std::string, Value> shown_;
};

Result<YamlSelectors> YamlSelectors::read(const YamlTree& tree, const std::string& file, IndirectSelection indirect) {
    return SelectorReader(file, indirect).read(tree.root()["selectors"]);
}

std::vector<std::string> YamlSelectors::names() const {
    std::vector<std::string> names;
    for (const Named& selector : all_) names.push_back(selector.name);
    return names;
}

Result<const SelectionSpec*> YamlSelectors::find(std::string_view name) const {
    for (const Named& selector : all_) {
        if (selector.name == name) return &selector.spec;
    }
    return Error(ErrorKind::invalid_config,
                 "Could not find selector named " + std::string(name) +
                     (all_.empty() ? "; selectors.yml defines none" : did_you_mean(name, names())));
}

std::string YamlSelectors::json() const {
    std::string json = "{";
    for (const Named& selector : all_) {
        if (json.size() > 1) json += ", ";
        json += json_of(Value(selector.name)) + ": " + selector.json;
    }
    return json + "}";
}

}  // namespace shaduf::models
