#include "models/parse/macro_files.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "models/macros.h"

namespace shaduf::models {
namespace {

using jinja::Definition;
using Form = jinja::DefinitionTag::Form;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// materialization_<name>_<adapter or default>
std::string materialization_name(const Definition& definition) {
    std::string adapter = "default";
    for (const Definition::Option& option : definition.options) {
        if (option.name == "adapter" && option.value && option.value->is_string()) adapter = option.value->string();
    }
    return "materialization_" + definition.name + "_" + adapter;
}

std::vector<std::string> languages_of(const Definition& definition) {
    std::vector<std::string> languages;
    for (const Definition::Option& option : definition.options) {
        if (option.name != "supported_languages" || !option.value) continue;
        if (option.value->kind() != jinja::Kind::list && option.value->kind() != jinja::Kind::tuple) continue;
        for (const jinja::Value& language : option.value->items()) languages.push_back(language.text());
    }
    if (languages.empty()) languages.emplace_back("sql");
    return languages;
}

std::string macro_name(const Definition& definition) {
    if (definition.tag == "materialization") return materialization_name(definition);
    if (definition.tag == "test" || definition.tag == "data_test") return "test_" + definition.name;
    return definition.name;
}

void add_definitions(const jinja::TemplatePtr& file, const std::string& package, const FilePlace& place,
                     Manifest& manifest) {
    for (size_t i = 0; i < file->definitions().size(); ++i) {
        const Definition& definition = file->definitions()[i];
        if (definition.tag == "docs" || definition.tag == "snapshot") continue;
        auto macro = std::make_unique<Macro>();
        macro->name = macro_name(definition);
        macro->package = package;
        macro->unique_id = "macro." + package + "." + macro->name;
        macro->place = place;
        macro->place.line = definition.span.line;
        macro->file = file;
        macro->definition = i;
        macro->created_at = now();
        if (definition.tag == "materialization") macro->supported_languages = languages_of(definition);
        manifest.macro_index.add(*macro);
        manifest.macros.push_back(std::move(macro));
    }
}

// dispatch('x', 'package') and plain calls, as names of macros.
void note_calls(const Manifest& manifest, Macro& macro, const std::vector<const jinja::CallSite*>& calls) {
    const auto note = [&](std::string_view package, std::string_view name) {
        const Macro* called = manifest.macro_index.in_package(package, name);
        if (called == nullptr) return false;
        auto& known = macro.depends_on_macros;
        if (std::find(known.begin(), known.end(), called->unique_id) == known.end()) known.push_back(called->unique_id);
        return true;
    };
    const auto note_name = [&](std::string_view name) {
        if (note(macro.package, name) || note(manifest.root_package, name)) return;
        for (const std::string& package : manifest.macro_index.packages()) {
            if (package.starts_with("dbt_") && package != macro.package && note(package, name)) return;
        }
        note("dbt", name);
    };
    for (const jinja::CallSite* call : calls) {
        const size_t dot = call->path.find('.');
        if (call->path == "adapter.dispatch" && !call->positional.empty() && call->positional[0] &&
            call->positional[0]->is_string()) {
            for (const std::string_view prefix : {"default", "duckdb", "postgres"}) {
                note_name(std::string(prefix) + "__" + call->positional[0]->string());
            }
        } else if (dot == std::string::npos) {
            note_name(call->path);
        } else {
            note(std::string_view(call->path).substr(0, dot), std::string_view(call->path).substr(dot + 1));
        }
    }
}

}  // namespace

const jinja::Syntax& macro_syntax() {
    static const jinja::Syntax kSyntax = {.definition_tags = {{"test", Form::macro},
                                                              {"data_test", Form::macro},
                                                              {"materialization", Form::options},
                                                              {"snapshot", Form::text},
                                                              {"docs", Form::text}},
                                          .definition_names = jinja::DefinitionNames::of_host};
    return kSyntax;
}

const jinja::Syntax& docs_syntax() {
    static const jinja::Syntax kSyntax = {.definition_tags = {{"docs", Form::text}},
                                          .definition_names = jinja::DefinitionNames::of_host};
    return kSyntax;
}

Result<void> add_builtin_macros(const std::vector<std::string>& lineage, Manifest& manifest) {
    for (const EmbeddedFile& file : macro_files()) {
        const size_t slash = file.path.find('/');
        const std::string package(file.path.substr(0, slash));
        const bool is_wanted = package == "dbt" || std::any_of(lineage.begin(), lineage.end(), [&](const auto& type) {
                                   return package == "dbt_" + type;
                               });
        if (!is_wanted) continue;
        const std::string path = "macros/" + std::string(file.path.substr(slash + 1));
        const auto code = TRY(jinja::Template::compile(std::string(file.content), path, macro_syntax()));
        add_definitions(code, package, {.path = path, .original_path = path}, manifest);
    }
    return {};
}

void add_macros(const PackageFiles& package, Manifest& manifest, Findings& findings) {
    for (size_t i = 0; i < package.files.size(); ++i) {
        const SourceFile& file = package.files[i];
        if (file.type != FileType::macro && file.type != FileType::generic_test) continue;
        const FileBody& body = package.bodies[i];
        auto code = jinja::Template::compile(std::string(body.contents), file.path, macro_syntax());
        if (!code.ok()) {
            findings.errors.push_back(code.release_error());
            continue;
        }
        add_definitions(code.value(), package.project->name, {.path = file.path, .original_path = file.path}, manifest);
    }
}

void resolve_macro_calls(Manifest& manifest) {
    for (auto& macro : manifest.macros) {
        std::vector<const jinja::CallSite*> calls;
        for (const jinja::CallSite& call : macro->file->calls()) {
            if (call.definition == macro->definition) calls.push_back(&call);
        }
        note_calls(manifest, *macro, calls);
    }
}

}  // namespace shaduf::models
