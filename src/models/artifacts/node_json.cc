#include "models/artifacts/node_json.h"

#include <algorithm>

#include "io/crypto.h"
#include "models/context/relations.h"
#include "models/context/services.h"
#include "models/parse/static_reference.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

bool is_empty(const Value& value) { return value.is_none() || value.is_undefined(); }

void write_dict(std::string_view key, const Value& value, JsonWriter& out) {
    out.key(key);
    is_empty(value) ? out.raw("{}") : out.value(value);
}

void write_list(std::string_view key, const Value& value, JsonWriter& out) {
    out.key(key);
    is_empty(value) ? out.raw("[]") : out.value(value);
}

void write_unless_empty(std::string_view key, const std::string& text, JsonWriter& out) {
    text.empty() ? out.none_field(key) : out.field(key, text);
}

void write_docs(const Value& docs, JsonWriter& out) {
    out.key("docs");
    is_empty(docs) ? out.raw(R"({"show": true, "node_color": null})") : out.value(docs);
}

// As dbt writes it of a function that no properties speak of.
void write_returns(const Value& returns, JsonWriter& out) {
    out.key("returns");
    is_empty(returns) ? out.raw(R"({"data_type": "INVALID_TYPE", "description": null})") : out.value(returns);
}

bool is_stored(const Node& node, const ContextServices& services) {
    switch (node.type) {
        case ResourceType::model: return node.config.text("materialized") != "ephemeral";
        case ResourceType::seed:
        case ResourceType::snapshot: return true;
        case ResourceType::test: {
            const Value* flag = services.flags ? services.flags->find("STORE_FAILURES") : nullptr;
            return node.config.flag("store_failures") || (flag != nullptr && flag->truth());
        }
        default: return false;
    }
}

// Constraints as Python prints the list of dbt's own objects, of which its checksum is made.
std::string python_text(std::string_view type_name, const Value& constraints) {
    std::string text = "[";
    if (constraints.kind() != Kind::list) return "[]";
    for (const Value& constraint : constraints.items()) {
        if (text.size() > 1) text += ", ";
        text.append(type_name).append("(");
        const char* before = "";
        for (const auto& [key, value] : constraint.dict().entries()) {
            const std::string shown =
                key.text() == "type" ? "<ConstraintType." + value.text() + ": " + value.repr() + ">" : value.repr();
            text += before + key.text() + "=" + shown;
            before = ", ";
        }
        text += ")";
    }
    return text + "]";
}

// What a contract promises, as dbt hashes it; "": none is enforced.
std::string contract_checksum(const Node& node) {
    const Value contract = node.config.get("contract");
    const Value* enforced = contract.kind() == Kind::dict ? contract.dict().find("enforced") : nullptr;
    if (enforced == nullptr || !enforced->truth() || node.type != ResourceType::model) return "";
    std::vector<const ColumnProperties*> columns;
    for (const ColumnProperties& column : node.columns) columns.push_back(&column);
    std::stable_sort(columns.begin(), columns.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    std::string promise;
    for (const ColumnProperties* column : columns) {
        promise += "|" + column->name + column->data_type.value_or("None") +
                   python_text("ColumnLevelConstraint", column->constraints);
    }
    const std::string materialized = node.config.text("materialized");
    if (materialized == "table" || materialized == "incremental")
        promise += materialized + python_text("ModelLevelConstraint", node.constraints);
    return to_hex(sha256(promise));
}

}  // namespace

void write_version(std::string_view key, const std::optional<std::string>& version, JsonWriter& out) {
    const bool is_number = version && !version->empty() && version->front() != '.' && version->back() != '.' &&
                           (version->size() == 1 || version->front() != '0' || (*version)[1] == '.') &&
                           version->find_first_not_of("0123456789.") == std::string::npos &&
                           std::count(version->begin(), version->end(), '.') <= 1;
    if (!is_number) return out.field(key, version);
    out.key(key);
    out.raw(*version);
}

void ResourceWriter::write_place(std::string_view type, std::string_view package, const FilePlace& place,
                                 const std::string& unique_id) {
    out_.field("resource_type", type);
    out_.field("package_name", package);
    out_.field("path", place.path);
    out_.field("original_file_path", place.original_path);
    out_.field("unique_id", unique_id);
}

void ResourceWriter::write_config(const NodeConfig& config) {
    out_.key("config");
    const jinja::Dict* settings = config.settings().get();
    const auto known = settings == nullptr ? configs_.end() : configs_.find(settings);
    if (known != configs_.end()) return out_.raw(known->second);
    std::string json = json_of(config.all());
    out_.raw(json);
    if (settings != nullptr && config.settings().is_shared()) configs_.emplace(settings, std::move(json));
}

void ResourceWriter::write_constraints(const Value& constraints, const Node* compiled) {
    if (compiled == nullptr || constraints.kind() != Kind::list) return write_list("constraints", constraints, out_);
    std::vector<Value> resolved;
    for (const Value& constraint : constraints.items()) {
        const Value* to = constraint.kind() == Kind::dict ? constraint.dict().find("to") : nullptr;
        const auto reference = to != nullptr && to->is_string() ? read_reference(to->string()) : std::nullopt;
        const bool is_ref = reference && reference->ref;
        const Manifest& manifest = services_.manifest;
        const Node* node = is_ref ? manifest.find_ref(*reference->ref, compiled->package) : nullptr;
        if (node == nullptr) {
            resolved.push_back(constraint);
            continue;
        }
        auto copy = jinja::make<jinja::Dict>();
        for (const auto& [key, value] : constraint.dict().entries()) copy->set(key, value);
        copy->set("to", relation_name(services_, *node));
        resolved.emplace_back(copy);
    }
    write_list("constraints", Value::list(std::move(resolved)), out_);
}

void ResourceWriter::write_columns(const std::vector<ColumnProperties>& columns, const Node* compiled) {
    out_.key("columns");
    out_.begin_object();
    for (const ColumnProperties& column : columns) {
        out_.key(column.name);
        out_.begin_object();
        out_.field("name", column.name);
        out_.field("description", column.description);
        write_dict("meta", column.meta, out_);
        out_.field("data_type", column.data_type);
        write_constraints(column.constraints, compiled);
        column.quote ? out_.flag_field("quote", *column.quote) : out_.none_field("quote");
        out_.key("config");
        out_.begin_object();
        write_dict("meta", column.meta, out_);
        out_.field("tags", column.tags);
        out_.end_object();
        out_.field("tags", column.tags);
        out_.field("granularity", column.granularity);
        out_.field("doc_blocks", column.doc_blocks);
        if (column.extra.kind() == Kind::dict) {
            for (const auto& [key, extra] : column.extra.dict().entries()) out_.field(key.text(), extra);
        }
        out_.end_object();
    }
    out_.end_object();
}

void ResourceWriter::write_refs(const std::vector<ModelRef>& refs) {
    out_.key("refs");
    out_.begin_list();
    for (const ModelRef& ref : refs) {
        out_.begin_object();
        out_.field("name", ref.name);
        out_.field("package", ref.package);
        write_version("version", ref.version, out_);
        out_.end_object();
    }
    out_.end_list();
}

void ResourceWriter::write_sources(const std::vector<SourceRef>& sources) {
    out_.key("sources");
    out_.begin_list();
    for (const SourceRef& source : sources) out_.texts({source.source, source.table});
    out_.end_list();
}

void ResourceWriter::write_lists(std::string_view key, const std::vector<std::vector<std::string>>& lists) {
    out_.key(key);
    out_.begin_list();
    for (const auto& list : lists) out_.texts(list);
    out_.end_list();
}

void ResourceWriter::write_depends_on(const std::vector<std::string>& macros, const std::vector<std::string>* nodes) {
    out_.key("depends_on");
    out_.begin_object();
    out_.field("macros", macros);
    if (nodes != nullptr) out_.field("nodes", *nodes);
    out_.end_object();
}

void ResourceWriter::write_settings(const std::vector<std::pair<std::string, Value>>& settings) {
    out_.key("unrendered_config");
    out_.begin_object();
    for (const auto& [name, value] : settings) out_.field(name, value);
    out_.end_object();
}

std::string ResourceWriter::folder_path(std::string_view folder, const Node& node) const {
    return services_.target_path + "/" + std::string(folder) + "/" + written_path(node);
}

void ResourceWriter::write_compiled(const NodeResult& result) {
    out_.flag_field("compiled", true);
    out_.field("compiled_code", result.compiled_code);
    out_.flag_field("extra_ctes_injected", true);
    out_.key("extra_ctes");
    out_.begin_list();
    for (const auto& [id, sql] : result.extra_ctes) {
        out_.begin_object();
        out_.field("id", id);
        out_.field("sql", sql);
        out_.end_object();
    }
    out_.end_list();
}

void ResourceWriter::write_contract(const Node& node) {
    const Value own = node.config.get("contract");
    const auto flag = [&](std::string_view name, bool fallback) {
        const Value* value = own.kind() == Kind::dict ? own.dict().find(name) : nullptr;
        return value == nullptr || value->is_none() ? fallback : value->truth();
    };
    out_.key("contract");
    out_.begin_object();
    out_.flag_field("enforced", flag("enforced", false));
    out_.flag_field("alias_types", flag("alias_types", true));
    write_unless_empty("checksum", contract_checksum(node), out_);
    out_.end_object();
}

void ResourceWriter::write_code(const Node& node, const NodeResult* result) {
    const bool is_compiled = result != nullptr && result->compiled_code;
    out_.field("language", node.language);
    write_refs(node.refs);
    write_sources(node.sources);
    write_lists("metrics", node.metrics);
    write_lists("functions", node.functions);
    write_depends_on(node.depends_on_macros, &node.depends_on_nodes);
    is_compiled ? out_.field("compiled_path", folder_path("compiled", node)) : out_.none_field("compiled_path");
    if (is_compiled) write_compiled(*result);
    write_contract(node);
}

void ResourceWriter::write_test(const TestMetadata& test) {
    out_.field("column_name", test.column_name);
    write_unless_empty("file_key_name", test.file_key_name, out_);
    write_unless_empty("attached_node", test.attached_node, out_);
    out_.key("test_metadata");
    out_.begin_object();
    out_.field("name", test.name);
    write_dict("kwargs", test.arguments, out_);
    out_.field("namespace", test.macro_package);
    out_.end_object();
}

void ResourceWriter::write(const Node& node, const NodeResult* result) {
    out_.begin_object();
    if (node.type == ResourceType::function) write_returns(node.returns, out_);
    out_.field("database", node.database);
    out_.field("schema", node.schema);
    out_.field("name", node.name);
    write_place(to_string(node.type), node.package, node.place, node.unique_id);
    out_.field("fqn", node.fqn);
    out_.field("alias", node.alias);
    out_.key("checksum");
    out_.begin_object();
    out_.field("name", node.checksum.name);
    out_.field("checksum", node.checksum.value);
    out_.end_object();
    write_config(node.config);
    out_.field("tags", node.tags);
    out_.field("description", node.description);
    const bool is_compiled = result != nullptr && result->compiled_code && node.type == ResourceType::model;
    write_columns(node.columns, is_compiled ? &node : nullptr);
    write_dict("meta", node.meta, out_);
    out_.field("group", node.group);
    write_docs(node.config.get("docs"), out_);
    write_unless_empty("patch_path", node.patch_path, out_);
    const bool is_written = result != nullptr && !result->build_path.empty();
    is_written ? out_.field("build_path", folder_path("run", node)) : out_.none_field("build_path");
    write_settings(node.unrendered_config);
    out_.real_field("created_at", node.created_at);
    is_stored(node, services_) ? out_.field("relation_name", relation_name(services_, node))
                               : out_.none_field("relation_name");
    out_.field("raw_code", node.raw_code);
    out_.field("doc_blocks", node.doc_blocks);
    if (node.type == ResourceType::seed) {
        out_.field("root_path", node.root_path);
        write_depends_on(node.depends_on_macros, nullptr);
    } else {
        write_code(node, result);
    }
    if (node.type == ResourceType::model) {
        out_.field("access", node.access);
        write_constraints(node.constraints, is_compiled ? &node : nullptr);
        write_version("version", node.version, out_);
        write_version("latest_version", node.latest_version, out_);
        out_.field("deprecation_date", node.deprecation_date);
        out_.field("primary_key", node.primary_key);
        out_.field("time_spine", node.time_spine);
    }
    if (node.test) write_test(*node.test);
    if (node.type == ResourceType::function) write_list("arguments", node.arguments, out_);
    if (node.type == ResourceType::operation) {
        // Counted from 1 once it runs, as dbt does.
        out_.integer_field("index", static_cast<int64_t>(node.hook_index + (result != nullptr ? 1 : 0)));
    }
    out_.end_object();
}

void ResourceWriter::write(const SourceTable& source) {
    out_.begin_object();
    out_.field("database", source.database);
    out_.field("schema", source.schema);
    out_.field("name", source.name);
    write_place("source", source.package, source.place, source.unique_id);
    out_.field("fqn", source.fqn);
    out_.field("source_name", source.source_name);
    out_.field("source_description", source.source_description);
    out_.field("loader", source.loader);
    out_.field("identifier", source.identifier);
    out_.key("quoting");
    out_.begin_object();
    for (const std::string_view part : {"database", "schema", "identifier", "column"}) {
        const Value* value = source.quoting.kind() == Kind::dict ? source.quoting.dict().find(part) : nullptr;
        out_.field(part, value == nullptr ? Value::none() : *value);
    }
    out_.end_object();
    out_.field("loaded_at_field", source.loaded_at_field);
    out_.field("loaded_at_query", source.loaded_at_query);
    out_.field("freshness", source.freshness);
    out_.field("external", source.external);
    out_.field("description", source.description);
    write_columns(source.columns);
    write_dict("meta", source.meta, out_);
    write_dict("source_meta", source.source_meta, out_);
    out_.field("tags", source.tags);
    write_config(source.config);
    write_unless_empty("patch_path", source.patch_path, out_);
    write_settings(source.unrendered_config);
    out_.field("relation_name", relation_name(services_, source));
    out_.real_field("created_at", source.created_at);
    out_.field("unrendered_database", source.unrendered_database);
    out_.field("unrendered_schema", source.unrendered_schema);
    out_.field("doc_blocks", source.doc_blocks);
    out_.end_object();
}

void ResourceWriter::write(const Macro& macro) {
    out_.begin_object();
    out_.field("name", macro.name);
    write_place("macro", macro.package, macro.place, macro.unique_id);
    out_.field("macro_sql", macro.text());
    write_depends_on(macro.depends_on_macros, nullptr);
    out_.field("description", macro.description);
    write_dict("meta", macro.meta, out_);
    write_docs(macro.docs, out_);
    out_.key("config");
    out_.begin_object();
    write_dict("meta", macro.meta, out_);
    write_docs(macro.docs, out_);
    out_.end_object();
    write_unless_empty("patch_path", macro.patch_path, out_);
    write_list("arguments", macro.arguments, out_);
    out_.real_field("created_at", macro.created_at);
    macro.supported_languages.empty() ? out_.none_field("supported_languages")
                                      : out_.field("supported_languages", macro.supported_languages);
    out_.end_object();
}

void ResourceWriter::write(const DocBlock& doc) {
    out_.begin_object();
    out_.field("name", doc.name);
    write_place("doc", doc.package, doc.place, doc.unique_id);
    out_.field("block_contents", doc.contents);
    out_.end_object();
}

void ResourceWriter::write(const Group& group) {
    out_.begin_object();
    out_.field("name", group.name);
    write_place("group", group.package, group.place, group.unique_id);
    write_dict("owner", group.owner, out_);
    write_unless_empty("description", group.description, out_);
    out_.key("config");
    out_.begin_object();
    write_dict("meta", group.config.get("meta"), out_);
    out_.end_object();
    out_.end_object();
}

}  // namespace shaduf::models
