#include "models/parse/doc_blocks.h"

#include <algorithm>

#include "base/text.h"
#include "models/context/native.h"
#include "models/parse/macro_files.h"
#include "models/parse/schema_scope.h"
#include "models/yaml/render_tree.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Value;
using jinja::Vm;

Error missing_doc(const DocIndex& docs, const std::string& name) {
    return {ErrorKind::invalid_config, "Documentation for '" + name + "' was not found: no {% docs " + name +
                                           " %} block has that name" + did_you_mean(name, docs.names())};
}

class DocScope final : public SchemaScope {
public:
    DocScope(const ContextServices& services, const DocIndex& docs, const std::string& package,
             std::vector<std::string>& used)
        : SchemaScope(services, services.root_package), docs_(docs), package_(package), used_(used) {}

    Result<std::optional<Value>> find(Vm& vm, std::string_view name) const override {
        if (name != "doc") return SchemaScope::find(vm, name);
        return std::optional(jinja::make_function(
            "doc", [this](Vm&, const Arguments& arguments) -> Result<Value> { return doc(arguments); }));
    }

private:
    Result<Value> doc(const Arguments& arguments) const {
        const auto& given = arguments.positional;
        if (given.empty() || given.size() > 2) {
            return Error(ErrorKind::invalid_config, "doc() takes at most two arguments (" +
                                                        std::to_string(given.size()) +
                                                        " given): doc('name') or doc('package', 'name')");
        }
        const std::string name = given.back().text();
        const DocBlock* block = docs_.find(given.size() == 2 ? given[0].text() : "", name, package_);
        if (block == nullptr) return missing_doc(docs_, name);
        used_.push_back(block->unique_id);
        return Value(block->contents);
    }

    const DocIndex& docs_;
    const std::string& package_;
    std::vector<std::string>& used_;
};

// "{{ doc('name') }}" and nothing else, which most are.
std::optional<std::string_view> lone_doc(std::string_view text) {
    text = trim(text);
    if (!text.starts_with("{{") || !text.ends_with("}}")) return std::nullopt;
    text = trim(text.substr(2, text.size() - 4));
    if (!text.starts_with("doc(") || !text.ends_with(')')) return std::nullopt;
    text = trim(text.substr(4, text.size() - 5));
    if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.back() != text.front()) {
        return std::nullopt;
    }
    const std::string_view name = text.substr(1, text.size() - 2);
    return name.find_first_of("'\"\\") == std::string_view::npos ? std::optional(name) : std::nullopt;
}

// dbt renders a block by itself, with nothing to see: only what hides tags from Jinja matters.
Result<std::string> block_contents(std::string_view body, const std::string& file) {
    if (!jinja::has_tags(body)) return std::string(trim(body));
    class Nothing final : public jinja::Scope {
    public:
        Result<std::optional<Value>> find(Vm&, std::string_view) const override { return std::optional<Value>(); }
    };
    const auto code = TRY(jinja::Template::compile(std::string(body), file, {}));
    Vm vm(vm_options(RenderMode::text));
    return std::string(trim(TRY(vm.render(*code, Nothing()))));
}

}  // namespace

void DocIndex::add(const PackageFiles& package, Manifest& manifest, Findings& findings) {
    for (size_t i = 0; i < package.files.size(); ++i) {
        const SourceFile& file = package.files[i];
        if (file.type != FileType::docs) continue;
        const std::string_view body = package.bodies[i].contents;
        if (body.find("docs") == std::string_view::npos) continue;
        const auto code = jinja::Template::compile(std::string(body), file.path, docs_syntax());
        if (!code.ok()) {
            findings.errors.push_back(code.error());
            continue;
        }
        for (const jinja::Definition& definition : code.value()->definitions()) {
            if (definition.tag != "docs") continue;
            const std::string_view text =
                std::string_view(code.value()->source())
                    .substr(definition.body.begin, definition.body.end - definition.body.begin);
            auto contents = block_contents(text, file.path);
            const uint32_t line = package.bodies[i].lines_before + definition.span.line;
            const auto place = Place::in_file(file.path, static_cast<int>(line));
            if (!contents.ok()) {
                findings.errors.push_back(contents.error().at(place));
                continue;
            }
            const DocBlock* same = find(package.project->name, definition.name, package.project->name);
            if (same != nullptr && same->package == package.project->name) {
                findings.errors.push_back(
                    Error(ErrorKind::invalid_config, "dbt found two docs blocks with the name \"" + definition.name +
                                                         "\": the other is in " + same->place.original_path +
                                                         "; rename one of them")
                        .at(place));
                continue;
            }
            auto block = std::make_unique<DocBlock>();
            block->name = definition.name;
            block->package = package.project->name;
            block->unique_id = "doc." + block->package + "." + block->name;
            block->place = {std::string(file.relative_path()), file.path, line};
            block->contents = contents.release_value();
            by_name_.emplace(block->name, block.get());
            manifest.docs.push_back(std::move(block));
        }
    }
}

const DocBlock* DocIndex::find(std::string_view package, std::string_view name, std::string_view from_package) const {
    const auto [begin, end] = by_name_.equal_range(std::string(name));
    const auto in = [&](std::string_view wanted) -> const DocBlock* {
        for (auto at = begin; at != end; ++at) {
            if (wanted.empty() || at->second->package == wanted) return at->second;
        }
        return nullptr;
    };
    if (!package.empty()) return in(package);
    if (const DocBlock* block = in(root_package_)) return block;
    if (const DocBlock* block = in(from_package)) return block;
    return in("");
}

std::vector<std::string> DocIndex::names() const {
    std::vector<std::string> names;
    for (const auto& [name, block] : by_name_) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

Result<Description> Descriptions::render(std::string_view text, const std::string& package,
                                         const std::string& file) const {
    Description description;
    // Without any of Jinja's brackets it is not rendered at all, and keeps its last newline.
    if (!has_jinja(text)) {
        description.text = text;
        return description;
    }
    if (const auto name = lone_doc(text)) {
        const DocBlock* block = docs_.find("", *name, package);
        if (block == nullptr) return missing_doc(docs_, std::string(*name));
        description.text = block->contents;
        description.doc_blocks.push_back(block->unique_id);
        return description;
    }
    const auto code = TRY(jinja::Template::compile(std::string(text), file, {}));
    const DocScope scope(services_, docs_, package, description.doc_blocks);
    Vm vm(vm_options(RenderMode::text));
    description.text = TRY(vm.render(*code, scope));
    return description;
}

}  // namespace shaduf::models
