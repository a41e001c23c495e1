#include "models/parse/sources.h"

#include <algorithm>
#include <array>

#include "base/run_context.h"
#include "base/text.h"
#include "models/parse/columns.h"
#include "models/parse/source_freshness.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr std::array<std::string_view, 20> kSourceKeys = {
    "name",   "description", "meta",      "database",        "schema",
    "loader", "quoting",     "freshness", "loaded_at_field", "loaded_at_query",
    "tables", "tags",        "config",    "overrides",       "data_tests",
    "tests",  "docs",        "catalog",   "project",         "dataset"};
constexpr std::array<std::string_view, 19> kTableKeys = {
    "name",         "description", "meta",  "data_type",  "constraints",     "docs",
    "config",       "columns",     "tests", "data_tests", "identifier",      "quoting",
    "freshness",    "external",    "tags",  "loader",     "loaded_at_field", "loaded_at_query",
    "quote_columns"};

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

// A source or a table with the keys of an override in place of its own. These reset what they say nothing of, as
// dbt's do.
YamlNode overridden(const YamlNode& own, const YamlNode& over, std::initializer_list<std::string_view> kept,
                    std::initializer_list<std::string_view> reset, YamlBuilder& builder) {
    const auto holds = [](const auto& names, std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    builder.begin_map();
    for (const YamlEntry& entry : own.entries()) {
        const std::string_view key = entry.key.text();
        const bool is_replaced = !over[key].is_null() && !holds(kept, key);
        if (is_replaced || (holds(reset, key) && !holds(kept, key))) continue;
        builder.add(entry.key);
        builder.add(entry.value);
    }
    for (const YamlEntry& entry : over.entries()) {
        if (holds(kept, entry.key.text())) continue;
        if (entry.value.is_null() && entry.key.text() != "freshness") continue;
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
    return builder.pop();
}

Value merged_quoting(const YamlNode& source, const YamlNode& table) {
    auto quoting = jinja::make<Dict>();
    for (const std::string_view key : {"database", "schema", "identifier", "column"}) {
        const YamlNode& own = table["quoting"][key];
        quoting->set(Value(key), value_of_yaml(own.is_null() ? source["quoting"][key] : own));
    }
    return Value(quoting);
}

Value external_value(const YamlNode& external) {
    if (!external.is_map()) return Value::none();
    auto dict = jinja::make<Dict>();
    for (const std::string_view key : {"location", "file_format", "row_format", "tbl_properties", "partitions"}) {
        dict->set(Value(key), Value::none());
    }
    for (const YamlEntry& entry : external.entries()) dict->set(value_of_yaml(entry.key), value_of_yaml(entry.value));
    return Value(dict);
}

std::string text_or(const YamlNode& node, std::string fallback) {
    if (node.is_text() && !node.text().empty()) return std::string(node.text());
    return node.is_null() || node.is_text() ? std::move(fallback) : value_of_yaml(node).text();
}

void describe(const YamlNode& entry, const PropertyFile& file, const Descriptions& descriptions, std::string& text,
              std::vector<std::string>* doc_blocks, Findings& findings) {
    const YamlNode& written = entry["description"];
    if (!written.is_text()) return;
    auto description = descriptions.render(written.text(), file.project->name, file.path);
    if (!description.ok()) {
        findings.errors.push_back(wrong(file, written, description.error().message()));
        return;
    }
    text = std::move(description.value().text);
    if (doc_blocks != nullptr) *doc_blocks = std::move(description.value().doc_blocks);
}

}  // namespace

void SourceReader::add_overrides(const PropertyFile& file, Findings& findings) {
    for (const YamlNode& entry : file.entries("sources")) {
        if (!entry["overrides"].is_text()) continue;
        const auto key = std::pair(std::string(entry["overrides"].text()), std::string(entry["name"].text()));
        const auto [known, is_new] = overrides_.emplace(key, Override{&file, entry, false, {}});
        if (is_new) continue;
        const auto first = Place::in_file(known->second.file->path, static_cast<int>(known->second.entry.line()));
        findings.errors.push_back(wrong(file, entry,
                                        "dbt found two overrides of source " + key.second + " of package " + key.first +
                                            ": the other is at " + first.to_string() + "; keep one of them"));
    }
}

SourceReader::Table SourceReader::table_of(const PropertyFile& file, const YamlNode& source, const YamlNode& table) {
    Table made{file, source, table, nullptr, {}};
    const auto found = overrides_.find({file.project->name, std::string(source["name"].text())});
    if (found == overrides_.end()) return made;
    Override& over = found->second;
    over.is_used = true;
    made.patch = over.file;
    YamlBuilder builder;
    builder.keep(file.tree);
    builder.keep(over.file->tree);
    builder.begin_list();
    made.source = overridden(source, over.entry, {"name", "overrides", "tables"}, {"config", "freshness"}, builder);
    builder.add(made.source);
    for (const YamlNode& patched : over.entry["tables"].items()) {
        if (patched["name"].text() != table["name"].text()) continue;
        over.used_tables.emplace_back(table["name"].text());
        made.table = overridden(table, patched, {"name"}, {"quoting", "freshness"}, builder);
        builder.add(made.table);
        break;
    }
    builder.end_list();
    made.merged = builder.finish();
    return made;
}

void SourceReader::add_sources(const PropertyFile& file, Manifest& manifest, Findings& findings) {
    for (const YamlNode& source : file.entries("sources")) {
        YamlFields fields(source, file.path, findings);
        fields.warn_of_unknown(kSourceKeys, "a source");
        if (source["overrides"].is_text()) continue;
        for (const YamlNode& entry : source["tables"].items()) {
            if (!entry["name"].is_text()) {
                findings.errors.push_back(
                    wrong(file, entry, "a table of source " + std::string(source["name"].text()) + " has no name"));
                continue;
            }
            YamlFields(entry, file.path, findings).warn_of_unknown(kTableKeys, "a table of a source");
            const Table table = table_of(file, source, entry);
            auto made = make(table, findings);
            if (!made.ok()) {
                findings.errors.push_back(made.release_error());
                continue;
            }
            add_tests(table, *made.value(), findings);
            const bool is_enabled = made.value()->config.flag("enabled");
            (is_enabled ? manifest.sources : manifest.disabled_sources).push_back(made.release_value());
        }
    }
}

Result<std::unique_ptr<SourceTable>> SourceReader::make(const Table& table, Findings& findings) const {
    const ContextServices& services = parser_.invocation().services();
    auto made = std::make_unique<SourceTable>();
    made->package = table.file.project->name;
    made->source_name = std::string(table.source["name"].text());
    made->name = std::string(table.table["name"].text());
    made->unique_id = "source." + made->package + "." + made->source_name + "." + made->name;
    made->place = {table.file.path, table.file.path, table.table.line()};
    made->fqn = {made->package};
    for (std::string& folder : folders_of(table.file.relative_path)) made->fqn.push_back(std::move(folder));
    made->fqn.push_back(made->source_name);
    made->fqn.push_back(made->name);
    made->identifier = text_or(table.table["identifier"], made->name);
    made->database = text_or(table.source["database"], services.target->find("database")->text());
    made->schema = text_or(table.source["schema"], made->source_name);
    for (const YamlNode& raw : table.file.unrendered.root()["sources"].items()) {
        if (raw.line() != table.source.line()) continue;
        if (raw["database"].is_text()) made->unrendered_database = std::string(raw["database"].text());
        if (raw["schema"].is_text()) made->unrendered_schema = std::string(raw["schema"].text());
    }
    made->loader = text_or(table.source["loader"], "");
    made->quoting = merged_quoting(table.source, table.table);
    made->external = external_value(table.table["external"]);
    made->source_meta = own_meta(table.source);
    made->columns = read_columns(columns_of(table.table, {}), table.file, descriptions_, findings);
    describe(table.table, table.file, descriptions_, made->description, &made->doc_blocks, findings);
    describe(table.source, table.file, descriptions_, made->source_description, nullptr, findings);
    made->created_at = std::chrono::duration<double>(parser_.invocation().run().clock.now().time_since_epoch()).count();
    TRY(configure(table, *made));
    return made;
}

Result<void> SourceReader::configure(const Table& table, SourceTable& made) const {
    YamlTree own = TRY(source_config(table.source, table.table, table.file));
    YamlBuilder builder;
    builder.keep(own);
    builder.keep(table.merged);
    builder.add(own.root());
    const ConfigSource properties{builder.finish(), table.file.path};
    parser_.note_config_keys(ResourceType::source, *table.file.project, properties, {}, table.table.line());
    const std::vector<std::string_view> fqn(made.fqn.begin(), made.fqn.end());
    const YamlTree merged =
        TRY(parser_.configs(ResourceType::source, *table.file.project).merge(fqn, &properties, nullptr));
    const auto place = Place::in_file(table.file.path, static_cast<int>(table.table.line()));
    const auto errors = check_config(ConfigResource::source, merged.root(), place);
    if (!errors.empty()) return errors.front();
    made.config = node_config(ResourceType::source, merged);
    made.unrendered_config =
        parser_.unrendered(ResourceType::source, *table.file.project).of(fqn, &properties, nullptr);
    if (const Value meta = made.config.get("meta"); meta.kind() == jinja::Kind::dict) made.meta = meta;
    const Value tags = made.config.get("tags");
    if (tags.kind() == jinja::Kind::list) {
        for (const Value& tag : tags.items()) made.tags.push_back(tag.text());
    }
    made.freshness = made.config.get("freshness");
    const auto text = [&](std::string_view key) -> std::optional<std::string> {
        const Value value = made.config.get(key);
        if (value.is_none() || value.is_undefined()) return std::nullopt;
        return value.text();
    };
    made.loaded_at_field = text("loaded_at_field");
    made.loaded_at_query = text("loaded_at_query");
    return {};
}

void SourceReader::add_tests(const Table& table, const SourceTable& made, Findings& findings) {
    TestTarget target;
    target.file = &table.file;
    target.section = "sources";
    target.name = made.source_name + "_" + made.name;
    target.listed = made.source_name;
    target.source = SourceRef{made.source_name, made.name};
    target.quotes_columns = made.quoting.dict().find("column")->truth();
    std::vector<std::string> tags;
    for (const YamlNode* level : {&table.source, &table.table}) {
        for (const YamlNode& tag : (*level)["tags"].items()) tags.emplace_back(tag.text());
    }
    tests_.add(target, tests_of(table.table, table.file, findings), columns_of(table.table, {}), tags, findings);
    tests_.keep(table.merged);
}

void SourceReader::warn_of_unused(Findings& findings) const {
    for (const auto& [key, over] : overrides_) {
        if (!over.is_used) {
            findings.warnings.push_back(wrong(*over.file, over.entry,
                                              "During parsing, dbt encountered source overrides "
                                              "that had no target: source " +
                                                  key.second + " of package " + key.first));
            continue;
        }
        for (const YamlNode& table : over.entry["tables"].items()) {
            const std::string name(table["name"].text());
            if (std::find(over.used_tables.begin(), over.used_tables.end(), name) != over.used_tables.end()) continue;
            findings.warnings.push_back(wrong(*over.file, table,
                                              "During parsing, dbt encountered source overrides "
                                              "that had no target: table " +
                                                  key.first + "." + key.second + "." + name));
        }
    }
}

}  // namespace shaduf::models
