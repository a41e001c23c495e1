#include <algorithm>
#include <span>

#include "models/artifacts/node_json.h"

// Resources that are declared in YAML alone: exposures, metrics, semantic models, saved queries, unit tests.
namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

constexpr std::string_view kExposureKeys[] = {"type",    "owner",   "description",       "label", "maturity",   "meta",
                                              "tags",    "config",  "unrendered_config", "url",   "depends_on", "refs",
                                              "sources", "metrics", "created_at"};
constexpr std::string_view kMetricKeys[] = {
    "description", "label",      "type",   "type_params",       "filter",  "metadata",   "time_granularity",
    "meta",        "tags",       "config", "unrendered_config", "sources", "depends_on", "refs",
    "metrics",     "created_at", "group"};
constexpr std::string_view kSemanticModelKeys[] = {"model",    "node_relation",     "description",    "label",
                                                   "defaults", "entities",          "measures",       "dimensions",
                                                   "metadata", "depends_on",        "refs",           "created_at",
                                                   "config",   "unrendered_config", "primary_entity", "group"};
constexpr std::string_view kSavedQueryKeys[] = {
    "query_params",      "exports", "description", "label",      "metadata", "config",
    "unrendered_config", "group",   "depends_on",  "created_at", "refs",     "tags"};

std::span<const std::string_view> keys_of(ResourceType type) {
    switch (type) {
        case ResourceType::exposure: return kExposureKeys;
        case ResourceType::metric: return kMetricKeys;
        case ResourceType::semantic_model: return kSemanticModelKeys;
        default: return kSavedQueryKeys;
    }
}

// What a key is that nobody wrote.
std::string_view absent(ResourceType type, std::string_view key) {
    if (key == "meta" || key == "unrendered_config") return "{}";
    if (key == "entities" || key == "measures" || key == "dimensions" || key == "exports") return "[]";
    const bool has_text = type == ResourceType::exposure || type == ResourceType::metric;
    return key == "description" && has_text ? "\"\"" : "null";
}

bool is_structural(std::string_view key) {
    constexpr std::string_view kOwn[] = {
        "name",      "resource_type", "package_name", "path",      "original_file_path",
        "unique_id", "fqn",           "tags",         "config",    "depends_on",
        "refs",      "sources",       "metrics",      "created_at"};
    return std::find(std::begin(kOwn), std::end(kOwn), key) != std::end(kOwn);
}

}  // namespace

void ResourceWriter::write_key(const Declaration& declaration, std::string_view key) {
    if (key == "tags") return out_.field(key, declaration.tags);
    if (key == "config") return write_config(declaration.config);
    if (key == "depends_on") return write_depends_on(declaration.depends_on_macros, &declaration.depends_on_nodes);
    if (key == "refs") return write_refs(declaration.refs);
    if (key == "sources") return write_sources(declaration.sources);
    if (key == "metrics") return write_lists(key, declaration.metrics);
    if (key == "created_at") return out_.real_field(key, declaration.created_at);
    const Value& all = declaration.properties;
    const Value* value = all.kind() == Kind::dict ? all.dict().find(key) : nullptr;
    if (value != nullptr) return out_.field(key, *value);
    out_.key(key);
    out_.raw(absent(declaration.type, key));
}

void ResourceWriter::write(const Declaration& declaration) {
    const auto keys = keys_of(declaration.type);
    out_.begin_object();
    out_.field("name", declaration.name);
    write_place(to_string(declaration.type), declaration.package, declaration.place, declaration.unique_id);
    out_.field("fqn", declaration.fqn);
    for (const std::string_view key : keys) write_key(declaration, key);
    if (declaration.properties.kind() == Kind::dict) {
        for (const auto& [key, value] : declaration.properties.dict().entries()) {
            const std::string name = key.text();
            if (is_structural(name) || std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
            out_.field(name, value);
        }
    }
    out_.end_object();
}

void ResourceWriter::write_rows(const UnitTestRows& rows) {
    out_.begin_object();
    if (!rows.input.empty()) out_.field("input", rows.input);
    out_.field("rows", rows.rows);
    out_.field("format", rows.format);
    rows.fixture.empty() ? out_.none_field("fixture") : out_.field("fixture", rows.fixture);
    out_.end_object();
}

void ResourceWriter::write(const UnitTest& test) {
    out_.begin_object();
    out_.field("model", test.model);
    out_.key("given");
    out_.begin_list();
    for (const UnitTestRows& rows : test.given) write_rows(rows);
    out_.end_list();
    out_.key("expect");
    write_rows(test.expect);
    out_.field("name", test.name);
    write_place("unit_test", test.package, test.place, test.unique_id);
    out_.field("fqn", test.fqn);
    out_.field("description", test.description);
    out_.field("overrides", test.overrides);
    write_depends_on(test.depends_on_macros, &test.depends_on_nodes);
    out_.key("config");
    out_.begin_object();
    const auto setting = [&](std::string_view name, std::string_view fallback) {
        const Value value = test.config.get(name);
        out_.key(name);
        value.is_undefined() || value.is_none() ? out_.raw(fallback) : out_.value(value);
    };
    setting("tags", "[]");
    setting("meta", "{}");
    setting("enabled", "true");
    setting("static_analysis", "null");
    out_.end_object();
    test.checksum.empty() ? out_.none_field("checksum") : out_.field("checksum", test.checksum);
    out_.field("schema", test.schema);
    out_.real_field("created_at", test.created_at);
    out_.none_field("versions");
    write_version("version", test.version, out_);
    out_.end_object();
}

}  // namespace shaduf::models
