#include "models/parse/template_reads.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/command/invocation.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

using Names = std::set<std::string, std::less<>>;

bool is_word(char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool mentions(std::string_view text, std::string_view key, std::span<const std::string_view> openings) {
    for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        const size_t end = at + key.size();
        if (end < text.size() && is_word(text[end])) continue;
        const std::string_view before = text.substr(0, at);
        const auto ends_before = [&](std::string_view opening) { return before.ends_with(opening); };
        if (std::any_of(openings.begin(), openings.end(), ends_before)) return true;
    }
    return false;
}

bool is_within_tag(std::string_view text, size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto last_of = [&](std::string_view one, std::string_view other) {
        const size_t a = before.rfind(one), b = before.rfind(other);
        if (a == std::string_view::npos || b == std::string_view::npos) return std::min(a, b) + 1;
        return std::max(a, b) + 1;
    };
    return last_of("{{", "{%") > last_of("}}", "%}");
}

size_t skip_blanks(std::string_view text, size_t at) {
    return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

// The first argument behind "(", if it is one literal.
std::optional<std::string> literal_argument(std::string_view text, size_t at) {
    at = skip_blanks(text, at);
    if (at == text.size() || (text[at] != '\'' && text[at] != '"')) return std::nullopt;
    const size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const size_t next = skip_blanks(text, end + 1);
    if (next == text.size() || (text[next] != ',' && text[next] != ')')) return std::nullopt;
    return std::string(text.substr(at + 1, end - at - 1));
}

struct Defined {
    std::string name;
    uint32_t line;
};

// Those of packages stand in a map under the package's name.
std::vector<Defined> defined_vars(const YamlNode& vars, const std::vector<Project>& packages) {
    std::vector<Defined> defined;
    for (const YamlEntry& entry : vars.entries()) {
        const std::string name(entry.key.text());
        const bool is_package = entry.value.is_map() && std::any_of(packages.begin(), packages.end(),
                                                                    [&](const auto& p) { return p.name == name; });
        if (!is_package) {
            defined.push_back({name, static_cast<uint32_t>(entry.key.line())});
            continue;
        }
        for (const YamlEntry& own : entry.value.entries()) {
            defined.push_back({std::string(own.key.text()), static_cast<uint32_t>(own.key.line())});
        }
    }
    return defined;
}

bool collect_all(const Invocation& invocation, std::span<const PackageFiles> packages, Names& names) {
    for (const PackageFiles& package : packages) {
        for (size_t i = 0; i < package.files.size(); ++i) {
            if (package.files[i].type == FileType::seed) continue;
            if (!collect_vars(package.bodies[i].contents, names)) return false;
        }
    }
    for (const Project& project : invocation.packages()) {
        for (const char* file : {"dbt_project.yml", "packages.yml", "dependencies.yml", "selectors.yml"}) {
            const auto text = read_text_file(project.root + "/" + file, file);
            if (text.ok() && !collect_vars(text.value(), names)) return false;
        }
    }
    return true;
}

}  // namespace

bool is_config_read(std::span<const PackageFiles> packages, std::string_view key) {
    constexpr std::array<std::string_view, 3> kInMacros = {"'", "\"", "."};
    constexpr std::array<std::string_view, 5> kElsewhere = {"get('", "get(\"", "require('", "require(\"", "config."};
    for (const PackageFiles& package : packages) {
        for (size_t i = 0; i < package.files.size(); ++i) {
            const FileType type = package.files[i].type;
            if (type == FileType::seed || type == FileType::schema || type == FileType::docs) continue;
            const bool is_macro = type == FileType::macro || type == FileType::generic_test;
            const std::span<const std::string_view> openings =
                is_macro ? std::span<const std::string_view>(kInMacros) : std::span<const std::string_view>(kElsewhere);
            if (mentions(package.bodies[i].contents, key, openings)) return true;
        }
    }
    return false;
}

bool collect_vars(std::string_view text, Names& names) {
    constexpr std::string_view kVar = "var";
    constexpr std::string_view kHasVar = ".has_var";
    for (size_t at = text.find(kVar); at != std::string_view::npos; at = text.find(kVar, at + 1)) {
        const char before = at == 0 ? ' ' : text[at - 1];
        if (is_word(before)) continue;
        if (before == '.' && !text.substr(0, at).ends_with("builtins.")) continue;
        size_t next = at + kVar.size();
        if (next < text.size() && is_word(text[next])) continue;
        if (text.substr(next).starts_with(kHasVar)) next += kHasVar.size();
        next = skip_blanks(text, next);
        const bool is_call = next < text.size() && text[next] == '(';
        if (!is_call && !is_within_tag(text, at)) continue;
        auto name = is_call ? literal_argument(text, next + 1) : std::nullopt;
        if (!name && !is_within_tag(text, at)) continue;  // of another language
        if (!name) return false;
        names.insert(std::move(*name));
    }
    return true;
}

void warn_of_unused_vars(const Invocation& invocation, std::span<const PackageFiles> packages, Findings& findings) {
    const auto defined = defined_vars(invocation.root().vars(), invocation.packages());
    Names read;
    if (defined.empty() || !collect_all(invocation, packages, read)) return;
    std::vector<std::string> undefined;
    for (const std::string& name : read) {
        const bool is_defined =
            std::any_of(defined.begin(), defined.end(), [&](const auto& v) { return v.name == name; });
        if (!is_defined) undefined.push_back(name);
    }
    for (const Defined& var : defined) {
        if (read.contains(var.name)) continue;
        const auto near = nearest(var.name, undefined);
        findings.warnings.push_back(
            Error(ErrorKind::invalid_config,
                  "nothing reads the var " + var.name + (near ? "; did you mean " + *near + "?" : "; take it out"))
                .at(Place::in_file("dbt_project.yml", static_cast<int>(var.line))));
    }
}

}  // namespace shaduf::models
