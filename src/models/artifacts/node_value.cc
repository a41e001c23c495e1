#include "models/artifacts/node_value.h"

#include <array>
#include <map>

#include "models/host_object.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Ref;
using jinja::Value;

// A dict that leaves values of none out, if it is told to.
class Keys {
public:
    explicit Keys(NoneValues nones) : nones_(nones) {}
    void set(std::string_view key, Value value) {
        if (nones_ == NoneValues::left_out && value.is_none()) return;
        dict_->set(key, std::move(value));
    }
    void set(std::string_view key, const std::optional<std::string>& text) { set(key, text_or_none(text)); }
    void set(std::string_view key, const std::vector<std::string>& texts) {
        set(key, Value::list(std::vector<Value>(texts.begin(), texts.end())));
    }
    // none stands for an empty dict
    void set_dict(std::string_view key, const Value& value) {
        set(key, value.is_none() || value.is_undefined() ? Value(jinja::make<Dict>()) : value);
    }
    void set_list(std::string_view key, const Value& value) {
        set(key, value.is_none() || value.is_undefined() ? Value::list({}) : value);
    }
    Value done() { return dict_; }

private:
    const NoneValues nones_;
    Ref<Dict> dict_ = jinja::make<Dict>();
};

Value column_value(const ColumnProperties& column, NoneValues nones) {
    Keys keys(nones);
    keys.set("name", Value(column.name));
    keys.set("description", Value(column.description));
    keys.set_dict("meta", column.meta);
    keys.set("data_type", column.data_type);
    keys.set_list("constraints", column.constraints);
    keys.set("quote", column.quote ? Value(*column.quote) : Value::none());
    Keys config(NoneValues::kept);
    config.set_dict("meta", column.meta);
    config.set("tags", column.tags);
    keys.set("config", config.done());
    keys.set("tags", column.tags);
    keys.set("granularity", column.granularity);
    keys.set("doc_blocks", column.doc_blocks);
    Value value = keys.done();
    if (column.extra.kind() == jinja::Kind::dict) {
        for (const auto& [key, extra] : column.extra.dict().entries()) value.dict().set(key, extra);
    }
    return value;
}

Value columns_value(const std::vector<ColumnProperties>& columns, NoneValues nones) {
    auto dict = jinja::make<Dict>();
    for (const ColumnProperties& column : columns) dict->set(column.name, column_value(column, nones));
    return dict;
}

Value checksum_value(const Checksum& checksum) {
    auto dict = jinja::make<Dict>();
    dict->set("name", checksum.name);
    dict->set("checksum", checksum.value);
    return dict;
}

Value refs_value(const std::vector<ModelRef>& refs) {
    std::vector<Value> list;
    for (const ModelRef& ref : refs) {
        auto dict = jinja::make<Dict>();
        dict->set("name", ref.name);
        dict->set("package", text_or_none(ref.package));
        dict->set("version", text_or_none(ref.version));
        list.emplace_back(dict);
    }
    return Value::list(std::move(list));
}

Value sources_value(const std::vector<SourceRef>& sources) {
    std::vector<Value> list;
    for (const SourceRef& source : sources) {
        list.push_back(Value::list({Value(source.source), Value(source.table)}));
    }
    return Value::list(std::move(list));
}

Value nested_value(const std::vector<std::vector<std::string>>& lists) {
    std::vector<Value> all;
    for (const auto& list : lists) all.push_back(Value::list(std::vector<Value>(list.begin(), list.end())));
    return Value::list(std::move(all));
}

Value depends_on_value(const std::vector<std::string>& macros, const std::vector<std::string>* nodes) {
    Keys keys(NoneValues::kept);
    keys.set("macros", macros);
    if (nodes != nullptr) keys.set("nodes", *nodes);
    return keys.done();
}

Value settings_value(const std::vector<std::pair<std::string, Value>>& settings) {
    auto dict = jinja::make<Dict>();
    for (const auto& [name, value] : settings) dict->set(name, value);
    return dict;
}

Value docs_value(const Node& node) {
    const Value docs = node.config.get("docs");
    return docs.is_undefined() || docs.is_none() ? NodeConfig().get("docs") : docs;
}

Value contract_value(const Node& node) {
    Value contract = NodeConfig(ResourceType::model, {}).get("contract");
    const Value own = node.config.get("contract");
    if (own.kind() == jinja::Kind::dict) {
        for (const auto& [key, value] : own.dict().entries()) contract.dict().set(key, value);
    }
    contract.dict().set("checksum", Value::none());
    return contract;
}

void set_test(Keys& keys, const TestMetadata& test, NoneValues nones) {
    keys.set("column_name", test.column_name);
    keys.set("file_key_name", test.file_key_name.empty() ? Value::none() : Value(test.file_key_name));
    keys.set("attached_node", test.attached_node.empty() ? Value::none() : Value(test.attached_node));
    Keys metadata(nones);
    metadata.set("name", Value(test.name));
    metadata.set_dict("kwargs", test.arguments);
    metadata.set("namespace", test.macro_package);
    keys.set("test_metadata", metadata.done());
}

void set_model(Keys& keys, const Node& node) {
    keys.set("access", Value(node.access));
    keys.set_list("constraints", node.constraints);
    keys.set("version", node.version);
    keys.set("latest_version", node.latest_version);
    keys.set("deprecation_date", node.deprecation_date);
    keys.set("primary_key", node.primary_key);
    keys.set("time_spine", node.time_spine.is_undefined() ? Value::none() : node.time_spine);
}

void set_code(Keys& keys, const Node& node) {
    keys.set("language", Value(node.language));
    keys.set("refs", refs_value(node.refs));
    keys.set("sources", sources_value(node.sources));
    keys.set("metrics", nested_value(node.metrics));
    keys.set("functions", nested_value(node.functions));
    keys.set("depends_on", depends_on_value(node.depends_on_macros, &node.depends_on_nodes));
    keys.set("compiled_path", Value::none());
    keys.set("contract", contract_value(node));
}

}  // namespace

Value node_value(const Node& node, NoneValues nones) {
    Keys keys(nones);
    keys.set("database", node.database);
    keys.set("schema", Value(node.schema));
    keys.set("name", Value(node.name));
    keys.set("resource_type", Value(to_string(node.type)));
    keys.set("package_name", Value(node.package));
    keys.set("path", Value(node.place.path));
    keys.set("original_file_path", Value(node.place.original_path));
    keys.set("unique_id", Value(node.unique_id));
    keys.set("fqn", node.fqn);
    keys.set("alias", Value(node.alias));
    keys.set("checksum", checksum_value(node.checksum));
    keys.set("config", node.config.all());
    keys.set("tags", node.tags);
    keys.set("description", Value(node.description));
    keys.set("columns", columns_value(node.columns, nones));
    keys.set_dict("meta", node.meta);
    keys.set("group", node.group);
    keys.set("docs", docs_value(node));
    keys.set("patch_path", node.patch_path.empty() ? Value::none() : Value(node.patch_path));
    keys.set("build_path", Value::none());
    keys.set("unrendered_config", settings_value(node.unrendered_config));
    keys.set("created_at", Value(node.created_at));
    keys.set("relation_name", Value::none());
    keys.set("raw_code", Value(node.raw_code));
    keys.set("doc_blocks", node.doc_blocks);
    if (node.type == ResourceType::seed) {
        keys.set("root_path", Value(node.root_path));
        keys.set("depends_on", depends_on_value(node.depends_on_macros, nullptr));
        return keys.done();
    }
    set_code(keys, node);
    if (node.type == ResourceType::model) set_model(keys, node);
    if (node.test) set_test(keys, *node.test, nones);
    if (node.type == ResourceType::function) {
        keys.set_list("arguments", node.arguments);
        keys.set_dict("returns", node.returns);
    }
    if (node.type == ResourceType::operation) keys.set("index", Value(static_cast<int64_t>(node.hook_index)));
    return keys.done();
}

Value source_value(const SourceTable& source, NoneValues nones) {
    Keys keys(nones);
    keys.set("database", source.database);
    keys.set("schema", Value(source.schema));
    keys.set("name", Value(source.name));
    keys.set("resource_type", Value("source"));
    keys.set("package_name", Value(source.package));
    keys.set("path", Value(source.place.path));
    keys.set("original_file_path", Value(source.place.original_path));
    keys.set("unique_id", Value(source.unique_id));
    keys.set("fqn", source.fqn);
    keys.set("source_name", Value(source.source_name));
    keys.set("source_description", Value(source.source_description));
    keys.set("loader", Value(source.loader));
    keys.set("identifier", Value(source.identifier));
    keys.set_dict("quoting", source.quoting);
    keys.set("loaded_at_field", source.loaded_at_field);
    keys.set("loaded_at_query", source.loaded_at_query);
    keys.set("freshness", source.freshness.is_undefined() ? Value::none() : source.freshness);
    keys.set("external", source.external.is_undefined() ? Value::none() : source.external);
    keys.set("description", Value(source.description));
    keys.set("columns", columns_value(source.columns, nones));
    keys.set_dict("meta", source.meta);
    keys.set_dict("source_meta", source.source_meta);
    keys.set("tags", source.tags);
    keys.set("config", source.config.all());
    keys.set("patch_path", source.patch_path.empty() ? Value::none() : Value(source.patch_path));
    keys.set("unrendered_config", settings_value(source.unrendered_config));
    keys.set("relation_name", Value::none());
    keys.set("created_at", Value(source.created_at));
    keys.set("doc_blocks", source.doc_blocks);
    return keys.done();
}

Value declaration_value(const Declaration& declaration, NoneValues nones) {
    Keys keys(nones);
    keys.set("name", Value(declaration.name));
    keys.set("resource_type", Value(to_string(declaration.type)));
    keys.set("package_name", Value(declaration.package));
    keys.set("path", Value(declaration.place.path));
    keys.set("original_file_path", Value(declaration.place.original_path));
    keys.set("unique_id", Value(declaration.unique_id));
    keys.set("fqn", declaration.fqn);
    if (declaration.properties.kind() == jinja::Kind::dict) {
        for (const auto& [key, value] : declaration.properties.dict().entries()) keys.set(key.text(), value);
    }
    keys.set("tags", declaration.tags);
    keys.set("config", declaration.config.all());
    keys.set("depends_on", depends_on_value(declaration.depends_on_macros, &declaration.depends_on_nodes));
    keys.set("refs", refs_value(declaration.refs));
    keys.set("sources", sources_value(declaration.sources));
    keys.set("metrics", nested_value(declaration.metrics));
    keys.set("created_at", Value(declaration.created_at));
    return keys.done();
}

namespace {

// Resources of one kind by unique id, as a dict that templates only read. The values are made at each look: a graph of
// ten thousand nodes is asked for a few of them.
class ResourceMap final : public HostObject<ResourceMap> {
public:
    using Make = Value (*)(const Manifest& manifest, size_t place);
    struct Entry {
        std::string_view id;
        size_t place;  // in the manifest's own list
    };
    ResourceMap(const Manifest& manifest, std::vector<Entry> entries, Make make)
        : manifest_(manifest), entries_(std::move(entries)), make_(make) {
        for (size_t i = 0; i < entries_.size(); ++i) by_id_.emplace(entries_[i].id, i);
    }
    std::string_view type_name() const override { return "dict"; }
    Shape shape() const override { return Shape::mapping; }
    std::optional<size_t> length() const override { return entries_.size(); }
    Result<std::optional<Value>> item(jinja::Vm&, const Value& key) const override {
        const auto found = key.is_string() ? by_id_.find(key.string()) : by_id_.end();
        return found == by_id_.end() ? std::nullopt : std::optional(value_at(What::values, found->second));
    }
    Result<std::unique_ptr<jinja::Iterator>> iterate(jinja::Vm&) const override { return iterator(What::keys); }
    Result<std::optional<bool>> contains(jinja::Vm&, const Value& value) const override {
        return std::optional(value.is_string() && by_id_.contains(value.string()));
    }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 4> kMethods = {{{"values", &ResourceMap::call_values},
                                                            {"keys", &ResourceMap::call_keys},
                                                            {"items", &ResourceMap::call_items},
                                                            {"get", &ResourceMap::call_get}}};
        return kMethods;
    }

private:
    enum class What : uint8_t { keys, values, items };
    Value value_at(What what, size_t index) const {
        const Entry& entry = entries_[index];
        if (what == What::keys) return Value(entry.id);
        if (what == What::values) return make_(manifest_, entry.place);
        return Value::tuple({Value(entry.id), make_(manifest_, entry.place)});
    }
    class Walk final : public jinja::Iterator {
    public:
        Walk(Ref<ResourceMap> map, What what) : map_(std::move(map)), what_(what) {}
        Result<std::optional<Value>> next(jinja::Vm&) override {
            if (at_ == map_->entries_.size()) return std::optional<Value>();
            return std::optional(map_->value_at(what_, at_++));
        }

    private:
        Ref<ResourceMap> map_;
        const What what_;
        size_t at_ = 0;
    };
    std::unique_ptr<jinja::Iterator> iterator(What what) const {
        auto self = Ref<ResourceMap>(const_cast<ResourceMap*>(this));  // NOLINT: only counted
        return std::make_unique<Walk>(std::move(self), what);
    }
    // As a list: a template may go over it more than once, and filters take it.
    Value all(What what) const {
        std::vector<Value> values;
        values.reserve(entries_.size());
        for (size_t i = 0; i < entries_.size(); ++i) values.push_back(value_at(what, i));
        return Value::list(std::move(values));
    }
    Result<Value> call_values(jinja::Vm&, const jinja::Arguments&) const { return all(What::values); }
    Result<Value> call_keys(jinja::Vm&, const jinja::Arguments&) const { return all(What::keys); }
    Result<Value> call_items(jinja::Vm&, const jinja::Arguments&) const { return all(What::items); }
    Result<Value> call_get(jinja::Vm& vm, const jinja::Arguments& arguments) const {
        const std::array<jinja::Parameter, 2> parameters = {{{"key"}, {"default", Value::none()}}};
        const auto bound = TRY(jinja::bind_arguments("get", parameters, arguments));
        return TRY(item(vm, bound[0])).value_or(bound[1]);
    }
    Result<std::optional<Value>> property(jinja::Vm& vm, std::string_view name) const override {
        return item(vm, Value(name));
    }

    const Manifest& manifest_;
    const std::vector<Entry> entries_;
    const Make make_;
    std::map<std::string_view, size_t, std::less<>> by_id_;
};

// Those of `all` that `is_meant` takes.
template <typename Resources, typename IsMeant>
Value resources(const Manifest& manifest, const Resources& all, ResourceMap::Make make, IsMeant is_meant) {
    std::vector<ResourceMap::Entry> entries;
    for (size_t i = 0; i < all.size(); ++i) {
        if (is_meant(*all[i])) entries.push_back({all[i]->unique_id, i});
    }
    return {Ref<jinja::Object>(new ResourceMap(manifest, std::move(entries), make))};
}

template <typename Resources>
Value resources(const Manifest& manifest, const Resources& all, ResourceMap::Make make) {
    return resources(manifest, all, make, [](const auto&) { return true; });
}

Value declarations(const Manifest& manifest, ResourceType type) {
    const ResourceMap::Make make = [](const Manifest& of, size_t place) {
        return declaration_value(*of.declarations[place], NoneValues::kept);
    };
    return resources(manifest, manifest.declarations, make,
                     [type](const Declaration& declaration) { return declaration.type == type; });
}

enum class Which : uint8_t { functions, all_else };
Value nodes(const Manifest& manifest, Which which) {
    const ResourceMap::Make make = [](const Manifest& of, size_t place) {
        return node_value(*of.nodes[place], NoneValues::kept);
    };
    return resources(manifest, manifest.nodes, make, [which](const Node& node) {
        return (node.type == ResourceType::function) == (which == Which::functions);
    });
}

}  // namespace

Value graph_value(const Manifest& manifest) {
    auto graph = jinja::make<Dict>();
    graph->set("exposures", declarations(manifest, ResourceType::exposure));
    graph->set("groups", resources(manifest, manifest.groups, [](const Manifest& of, size_t index) {
                   const Group& group = *of.groups[index];
                   Keys keys(NoneValues::kept);
                   keys.set("name", Value(group.name));
                   keys.set("unique_id", Value(group.unique_id));
                   keys.set_dict("owner", group.owner);
                   return keys.done();
               }));
    graph->set("metrics", declarations(manifest, ResourceType::metric));
    graph->set("functions", nodes(manifest, Which::functions));
    graph->set("nodes", nodes(manifest, Which::all_else));
    graph->set("sources", resources(manifest, manifest.sources, [](const Manifest& of, size_t index) {
                   return source_value(*of.sources[index], NoneValues::kept);
               }));
    graph->set("semantic_models", declarations(manifest, ResourceType::semantic_model));
    graph->set("saved_queries", declarations(manifest, ResourceType::saved_query));
    return graph;
}

}  // namespace shaduf::models
