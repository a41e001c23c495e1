#include "models/parse/unit_tests.h"

#include <algorithm>
#include <chrono>

#include "base/run_context.h"
#include "base/text.h"
#include "io/crypto.h"
#include "models/parse/csv_rows.h"
#include "models/parse/patches.h"
#include "models/parse/static_reference.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

// A row without nulls goes first: some databases take the types of columns from it.
Value first_row_full(const Value& rows) {
    std::vector<Value> items = rows.items();
    const auto is_full = [](const Value& row) {
        if (row.kind() != Kind::dict) return false;
        const auto& entries = row.dict().entries();
        return std::none_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.value.is_none(); });
    };
    const auto full = std::find_if(items.begin(), items.end(), is_full);
    if (full != items.end()) std::iter_swap(items.begin(), full);
    return Value::list(std::move(items));
}

const Value* override_of(const UnitTest& test, std::string_view macro) {
    if (test.overrides.kind() != Kind::dict) return nullptr;
    const Value* macros = test.overrides.dict().find("macros");
    return macros == nullptr || macros->kind() != Kind::dict ? nullptr : macros->dict().find(macro);
}

Result<void> check_incremental(const UnitTest& test, const Node& model, const PropertyFile& file, const YamlNode& at) {
    const auto& macros = model.depends_on_macros;
    if (std::find(macros.begin(), macros.end(), "macro.dbt.is_incremental") == macros.end()) return {};
    const Value* is_incremental = override_of(test, "is_incremental");
    if (is_incremental == nullptr || is_incremental->kind() != Kind::boolean) {
        return wrong(file, at,
                     "Boolean override for 'is_incremental' must be provided for unit test '" + test.name +
                         "' in model '" + model.name + "': add overrides: {macros: {is_incremental: ...}}");
    }
    const bool has_this =
        std::any_of(test.given.begin(), test.given.end(), [](const auto& rows) { return trim(rows.input) == "this"; });
    if (is_incremental->boolean() && !has_this) {
        return wrong(
            file, at,
            "Unit test '" + test.name + "' for incremental model '" + model.name + "' must have a 'this' input");
    }
    return {};
}

// As Python prints the fields of dbt's fixtures: what dbt's checksum is made of.
std::string python_text(const UnitTestRows& rows) {
    const std::string upper = rows.format == "csv" ? "CSV" : rows.format == "sql" ? "SQL" : "Dict";
    return "rows=" + rows.rows.repr() + ", format=<UnitTestFormat." + upper + ": '" + rows.format +
           "'>, fixture=" + (rows.fixture.empty() ? "None" : Value(rows.fixture).repr()) + ")";
}

// With all of dbt's keys.
Value read_overrides(const YamlNode& overrides) {
    auto all = jinja::make<jinja::Dict>();
    for (const std::string_view key : {"macros", "vars", "env_vars"}) {
        const YamlNode& given = overrides[key];
        all->set(key, given.is_map() ? value_of_yaml(given) : Value(jinja::make<jinja::Dict>()));
    }
    return Value(all);
}

std::string checksum_of(const UnitTest& test) {
    std::string text = test.model + "-None-[";
    const char* before = "";
    for (const UnitTestRows& rows : test.given) {
        text += before + ("UnitTestInputFixture(input=" + Value(rows.input).repr() + ", " + python_text(rows));
        before = ", ";
    }
    text += "]-UnitTestOutputFixture(" + python_text(test.expect) + "-";
    if (test.overrides.kind() == Kind::dict) {
        text += "UnitTestOverrides(";
        before = "";
        for (const auto& [key, value] : test.overrides.dict().entries()) {
            text += before + key.text() + "=" + value.repr();
            before = ", ";
        }
        text += ")";
    } else {
        text += "None";
    }
    for (const UnitTestRows& rows : test.given) {
        if (!rows.fixture.empty()) text += "-" + rows.rows.repr();
    }
    return to_hex(sha256(text));
}

bool lists_version(const YamlNode& list, const std::string& version) {
    return std::any_of(list.items().begin(), list.items().end(),
                       [&](const YamlNode& item) { return version_text(item) == version; });
}

// The model, or those of its versions that `versions:` has.
Result<std::vector<const Node*>> tested_models(const PropertyFile& file, const YamlNode& entry,
                                               const Manifest& manifest) {
    const std::string name(entry["model"].text());
    const YamlNode& versions = entry["versions"];
    std::vector<const Node*> models;
    std::vector<std::string> names;
    for (const auto& node : manifest.nodes) {
        if (node->type != ResourceType::model) continue;
        names.push_back(node->name);
        if (node->name != name || node->package != file.project->name) continue;
        if (node->version && !versions["include"].is_null() && !lists_version(versions["include"], *node->version)) {
            continue;
        }
        if (node->version && lists_version(versions["exclude"], *node->version)) continue;
        models.push_back(node.get());
    }
    if (!models.empty()) return models;
    const bool is_disabled = std::any_of(manifest.disabled.begin(), manifest.disabled.end(),
                                         [&](const auto& node) { return node->name == name; });
    if (is_disabled) return models;
    return wrong(file, entry["model"],
                 "Unable to find model '" + file.project->name + "." + name + "' for unit test '" +
                     std::string(entry["name"].text()) + "'" + did_you_mean(name, names));
}

}  // namespace

UnitTestReader::UnitTestReader(const NodeParser& parser, std::span<const PackageFiles> packages) : parser_(parser) {
    for (const PackageFiles& package : packages) {
        roots_[package.project->name] = package.project->root;
        for (size_t i = 0; i < package.files.size(); ++i) {
            const SourceFile& file = package.files[i];
            if (file.type != FileType::fixture) continue;
            fixtures_[package.project->name + "." + std::string(name_of_file(file.path))] = {
                package.bodies[i].contents, file.extension() == ".sql"};
        }
    }
}

Result<Value> UnitTestReader::seed_rows(const std::string& input, const PropertyFile& file, const YamlNode& at,
                                        const Manifest& manifest) const {
    const auto reference = read_reference(input);
    const Node* seed = reference && reference->ref ? manifest.find_ref(*reference->ref, file.project->name) : nullptr;
    if (seed == nullptr || seed->type != ResourceType::seed) {
        return wrong(file, at, "no rows are given for " + input + ", and it is no seed: add rows");
    }
    const std::string& path = seed->place.original_path;
    const std::string text = TRY(read_text_file(roots_.at(seed->package) + "/" + path, path));
    return read_csv_rows(text, Value(""));
}

Result<UnitTestRows> UnitTestReader::read_rows(const PropertyFile& file, const YamlNode& given, const std::string& test,
                                               const Manifest& manifest) const {
    UnitTestRows rows;
    rows.input = std::string(given["input"].text());
    rows.format = given["format"].is_text() ? to_lower(given["format"].text()) : "dict";
    rows.fixture = std::string(given["fixture"].text());
    rows.rows = value_of_yaml(given["rows"]);
    const auto mismatch = [&] {
        return wrong(file, given,
                     "Unit test " + test + " has rows which do not match format " + rows.format + ": " +
                         shown_value(given["rows"]));
    };
    std::string_view text = given["rows"].text();
    if (!rows.fixture.empty()) {
        const auto fixture = fixtures_.find(file.project->name + "." + rows.fixture);
        if (fixture == fixtures_.end()) {
            std::vector<std::string> names;
            for (const auto& [name, body] : fixtures_) names.push_back(name.substr(name.find('.') + 1));
            return wrong(file, given,
                         "File not found for fixture '" + rows.fixture + "' of unit test " + test +
                             did_you_mean(rows.fixture, names));
        }
        text = fixture->second.contents;
    } else if (rows.format != "dict" && !given["rows"].is_text()) {
        return mismatch();
    }
    if (rows.format == "csv") {
        rows.rows = read_csv_rows(text, Value::none());
    } else if (rows.format == "sql") {
        rows.rows = Value(text);
        return rows;
    } else if (rows.format == "dict") {
        if (rows.rows.is_none() && rows.fixture.empty()) {
            rows.rows = TRY(seed_rows(rows.input, file, given, manifest));
        }
        if (rows.rows.kind() != Kind::list) return mismatch();
    } else {
        return wrong(file, given, "not a format of rows: " + rows.format + "; known: dict, csv, sql");
    }
    rows.rows = first_row_full(rows.rows);
    return rows;
}

Result<NodeConfig> UnitTestReader::configure(const PropertyFile& file, const YamlNode& entry,
                                             const std::vector<std::string>& fqn) const {
    YamlBuilder builder;
    builder.keep(file.tree);
    builder.add(entry["config"]);
    const ConfigSource properties{builder.finish(), file.path};
    parser_.note_config_keys(ResourceType::unit_test, *file.project, properties, {}, entry.line());
    const std::vector<std::string_view> names(fqn.begin(), fqn.end());
    const YamlTree merged =
        TRY(parser_.configs(ResourceType::unit_test, *file.project).merge(names, &properties, nullptr));
    const auto errors = check_config(ConfigResource::unit_test, merged.root(),
                                     Place::in_file(file.path, static_cast<int>(entry.line())));
    if (!errors.empty()) return errors.front();
    return node_config(ResourceType::unit_test, merged);
}

Result<void> UnitTestReader::add_one(const PropertyFile& file, const YamlNode& entry, Manifest& manifest) const {
    UnitTest test;
    test.name = std::string(entry["name"].text());
    test.model = std::string(entry["model"].text());
    test.package = file.project->name;
    test.place = {file.relative_path, file.path, entry.line()};
    test.description = std::string(entry["description"].text());
    test.fqn = {test.package};
    const size_t slash = file.path.find('/');
    for (std::string& folder : folders_of(file.path.substr(slash == std::string::npos ? 0 : slash + 1))) {
        test.fqn.push_back(std::move(folder));
    }
    test.fqn.push_back(test.model);
    test.fqn.push_back(test.name);
    test.config = TRY(configure(file, entry, test.fqn));
    if (!test.config.flag("enabled")) return {};
    const std::vector<const Node*> models = TRY(tested_models(file, entry, manifest));
    if (models.empty()) return {};
    for (const YamlNode& given : entry["given"].items()) {
        test.given.push_back(TRY(read_rows(file, given, test.name, manifest)));
    }
    if (!entry["expect"].is_map()) return wrong(file, entry, "unit test " + test.name + " has no expect");
    test.expect = TRY(read_rows(file, entry["expect"], test.name, manifest));
    if (entry["overrides"].is_map()) test.overrides = read_overrides(entry["overrides"]);
    test.checksum = checksum_of(test);
    test.created_at = std::chrono::duration<double>(parser_.invocation().run().clock.now().time_since_epoch()).count();
    for (const Node* model : models) {
        auto made = std::make_unique<UnitTest>(test);
        made->version = model->version;
        made->schema = model->schema;
        made->depends_on_nodes = {model->unique_id};
        made->unique_id = "unit_test." + test.package + "." + test.model + "." + test.name +
                          (model->version ? "_v" + *model->version : "");
        TRY(check_incremental(*made, *model, file, entry));
        manifest.unit_tests.push_back(std::move(made));
    }
    return {};
}

void UnitTestReader::add(const PropertyFile& file, Manifest& manifest, Findings& findings) const {
    constexpr std::string_view kKeys[] = {"name",      "model",  "given",       "expect",
                                          "overrides", "config", "description", "versions"};
    for (const YamlNode& entry : file.entries("unit_tests")) {
        YamlFields(entry, file.path, findings).warn_of_unknown(kKeys, "a unit test");
        if (auto added = add_one(file, entry, manifest); !added.ok()) findings.errors.push_back(added.release_error());
    }
}

}  // namespace shaduf::models
