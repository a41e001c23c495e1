#include "models/project/packages.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "io/crypto.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/yaml_scalar.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;
using Kind = PackageSpec::Kind;

constexpr std::pair<Kind, std::string_view> kKinds[] = {{Kind::local, "local"},
                                                        {Kind::tarball, "tarball"},
                                                        {Kind::git, "git"},
                                                        {Kind::hub, "package"},
                                                        {Kind::private_git, "private"}};

// One entry, rendered, and as it is written.
class EntryReader {
public:
    EntryReader(const YamlNode& node, const YamlNode& unrendered, const std::string& file, Findings& findings)
        : fields_(node, file, findings), unrendered_(unrendered) {}

    std::optional<PackageSpec> read() {
        const YamlNode& node = fields_.node();
        const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const auto& candidate) { return !node[candidate.second].is_null(); });
        if (!node.is_map() || kind == std::end(kKinds)) {
            fields_.error(node, "an entry of packages takes one of: package, git, local, tarball, private");
            return std::nullopt;
        }
        spec_.kind = kind->first;
        spec_.file = fields_.file();
        spec_.line = node.line();
        spec_.location = fields_.text(kind->second).value_or("");
        spec_.unrendered_location = unrendered_[kind->second].text();
        if (spec_.unrendered_location.empty()) spec_.unrendered_location = spec_.location;
        if (spec_.location.empty()) {
            fields_.error(fields_.place_of(kind->second),
                          "no value for " + std::string(kind->second) + "; say which package");
            return std::nullopt;
        }
        spec_.name = fields_.text("name");
        return read_kind() ? std::optional(std::move(spec_)) : std::nullopt;
    }

private:
    bool read_kind() {
        switch (spec_.kind) {
            case Kind::hub: return read_hub();
            case Kind::git:
            case Kind::private_git: return read_git();
            case Kind::local: return finish({"local", "name", "unrendered"}, {"local"});
            case Kind::tarball:
                if (!spec_.name) {
                    fields_.error(fields_.node(), "a tarball needs the name of its package; add `name:`");
                    return false;
                }
                return finish({"tarball", "name", "unrendered"}, {"tarball"});
        }
        return false;
    }

    bool read_hub() {
        const YamlNode& version = fields_.node()["version"];
        if (spec_.location.find('/') == std::string::npos) {
            fields_.error(fields_.place_of("package"), "a package of the hub has a namespace: " + spec_.location +
                                                           "; write it as dbt-labs/" + spec_.location);
            return false;
        }
        const auto add = [&](const YamlNode& node) {
            const std::string text = node.is_text() ? std::string(node.text()) : to_python_json(node);
            const auto bound = VersionBound::parse(text);
            if (!bound.ok()) fields_.error(node, bound.error().message());
            spec_.versions.push_back(text);
            return bound.ok();
        };
        bool valid = true;
        if (version.is_list()) {
            for (const YamlNode& item : version.items()) valid = add(item) && valid;
        } else if (!version.is_null()) {
            valid = add(version);
        }
        if (spec_.versions.empty()) {
            fields_.error(fields_.node(),
                          "no version for " + spec_.location + "; add `version: [\">=1.0.0\", \"<2.0.0\"]`");
            return false;
        }
        spec_.install_prerelease =
            fields_.boolean("install_prerelease").value_or(fields_.boolean("install-prerelease").value_or(false));
        return valid && finish({"package", "version", "install_prerelease", "name", "unrendered"},
                               {"package", "version", "install_prerelease"});
    }

    bool read_git() {
        spec_.revision = fields_.text_or_number("revision");
        spec_.warn_unpinned = fields_.boolean("warn-unpinned").value_or(true);
        spec_.subdirectory = fields_.text("subdirectory");
        if (spec_.kind == Kind::git) {
            return finish({"git", "revision", "warn-unpinned", "subdirectory", "name", "unrendered"},
                          {"git", "revision", "warn-unpinned", "subdirectory"});
        }
        return finish({"private", "provider", "revision", "warn-unpinned", "subdirectory", "name", "unrendered"},
                      {"private", "provider", "revision", "warn-unpinned", "subdirectory"});
    }

    // The object that dbt hashes has all fields of its class, `name` only when it is given, and the entry as written.
    bool finish(std::initializer_list<std::string_view> known, std::initializer_list<std::string_view> hashed) {
        fields_.warn_of_unknown(std::span(known.begin(), known.size()), "a package");
        YamlBuilder builder;
        builder.begin_map();
        for (const std::string_view key : hashed) {
            const YamlNode& value = fields_.node()[key];
            builder.key(key);
            if (key == "install_prerelease" && fields_.node().find(key) == nullptr) {
                builder.add_boolean(false);
            } else {
                builder.add(value);
            }
        }
        if (spec_.name) {
            builder.key("name");
            builder.add_text(*spec_.name);
        }
        builder.key("unrendered");
        builder.add(unrendered_);
        builder.end_map();
        spec_.hashed_json = to_python_json(builder.finish().root(), JsonKeys::sorted);
        return true;
    }

    YamlFields fields_;
    const YamlNode& unrendered_;
    PackageSpec spec_;
};

// A file of the project, or an empty map when it is not there or cannot be read.
std::optional<YamlTree> load_optional(const std::string& path, Findings& findings) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return std::nullopt;
    auto tree = load_yaml(path, path);
    if (!tree.ok()) {
        findings.errors.push_back(tree.error());
        return std::nullopt;
    }
    warn_of_duplicates(tree.value(), path, findings);
    return tree.release_value();
}

std::vector<PackageSpec> render_entries(const YamlTree& tree, const std::string& path, const RenderText& render,
                                        Findings& findings) {
    auto rendered = render_tree(tree, render);
    if (!rendered.ok()) {
        findings.errors.push_back(rendered.error().at(Place::in_file(path, 0)));
        return {};
    }
    return read_package_entries(rendered.value().root(), tree.root(), path, findings);
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
    const bool plain_start =
        !text.empty() && std::string_view("-?:,[]{}#&*!|>'\"%@`= \t").find(text[0]) == std::string::npos;
    const bool plain_rest = text.find(": ") == std::string::npos && text.find(" #") == std::string::npos &&
                            !text.ends_with(':') && !text.ends_with(' ') && text.find('\n') == std::string::npos;
    if (plain_start && plain_rest && implicit_tag(text) == YamlTag::text) return std::string(text);
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
}

std::string_view to_string(Kind kind) {
    return std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& known) { return known.first == kind; })
        ->second;
}

std::string PackageList::sha1() const {
    std::vector<std::string> texts;
    for (const PackageSpec& spec : packages) texts.push_back(spec.hashed_json);
    std::sort(texts.begin(), texts.end());
    return to_hex(shaduf::sha1(join(texts, "\n")));
}

std::vector<PackageSpec> read_package_entries(const YamlNode& rendered, const YamlNode& raw, const std::string& file,
                                              Findings& findings) {
    YamlFields fields(rendered, file, findings);
    std::vector<PackageSpec> specs;
    const YamlNode& list = fields.list("packages");
    const auto raw_items = raw["packages"].items();
    for (size_t i = 0; i < list.items().size(); ++i) {
        const YamlNode& unrendered = i < raw_items.size() ? raw_items[i] : list.items()[i];
        if (auto spec = EntryReader(list.items()[i], unrendered, file, findings).read())
            specs.push_back(std::move(*spec));
    }
    return specs;
}

PackageList read_packages(const std::string& root, const RenderText& render, Findings& findings) {
    const std::string packages_path = root + "/packages.yml";
    const std::string dependencies_path = root + "/dependencies.yml";
    const auto packages = load_optional(packages_path, findings);
    const auto dependencies = load_optional(dependencies_path, findings);
    const YamlNode* in_packages = packages ? packages->root().find("packages") : nullptr;
    const YamlNode* in_dependencies = dependencies ? dependencies->root().find("packages") : nullptr;
    const auto refuse = [&](const std::string& path, const YamlNode& at, std::string message) {
        findings.errors.push_back(
            Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(path, static_cast<int>(at.line()))));
    };
    if (packages && packages->root().find("projects") != nullptr) {
        refuse(packages_path, *packages->root().find_key("projects"),
               "packages.yml has the key projects; move it to dependencies.yml");
    }
    if (in_packages != nullptr && in_dependencies != nullptr) {
        refuse(dependencies_path, *dependencies->root().find_key("packages"),
               "packages.yml and dependencies.yml both have packages; keep them in one of the two");
        return {};
    }
    PackageList list;
    if (in_dependencies != nullptr) {
        list.file_name = "dependencies.yml";
        list.packages = read_package_entries(dependencies->root(), dependencies->root(), dependencies_path, findings);
    } else if (packages && !packages->root().is_null()) {
        if (in_packages == nullptr) {
            refuse(packages_path, packages->root(), "packages.yml has no key packages; add it with a list");
        }
        list.packages = render_entries(*packages, packages_path, render, findings);
    }
    return list;
}

std::optional<PackageLock> read_package_lock(const std::string& root, const RenderText& render, Findings& findings) {
    const std::string path = root + "/package-lock.yml";
    const auto tree = load_optional(path, findings);
    if (!tree) return std::nullopt;
    PackageLock lock;
    lock.packages = render_entries(*tree, path, render, findings);
    lock.sha1 = tree->root()["sha1_hash"].text();
    return lock;
}

std::string package_lock_text(std::vector<LockEntry> entries, const std::string& sha1) {
    std::string text = entries.empty() ? "packages: []\n" : "packages:\n";
    for (LockEntry& entry : entries) {
        std::sort(entry.begin(), entry.end());
        std::string_view before = "  - ";
        for (const auto& [key, value] : entry) {
            text += std::string(before) + key + ": " + yaml_scalar(value) + "\n";
            before = "    ";
        }
    }
    return text + "sha1_hash: " + yaml_scalar(sha1) + "\n";
}

// Those that lie in the project need not be installed: they are read where they are.
static void add_local_packages(const Project& project, const PackageList& wanted, std::vector<std::string>& found) {
    std::error_code ignored;
    std::set<fs::path> known;
    for (const std::string& folder : found) known.insert(fs::weakly_canonical(folder, ignored));
    for (const PackageSpec& package : wanted.packages) {
        if (package.kind != PackageSpec::Kind::local) continue;
        const fs::path folder = fs::weakly_canonical(fs::path(project.root) / package.location, ignored);
        if (fs::is_directory(folder, ignored) && known.insert(folder).second) found.push_back(folder.string());
    }
}

Result<std::vector<std::string>> installed_packages(const Project& project, const PackageList& wanted) {
    const fs::path folder = fs::path(project.root) / project.packages_install_path;
    std::vector<std::string> found;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
        std::error_code ignored;
        if (entry->is_directory(ignored) && !entry->path().filename().string().starts_with("__")) {
            found.push_back(entry->path().string());
        }
    }
    if (found.size() < wanted.packages.size()) add_local_packages(project, wanted, found);
    if (found.size() < wanted.packages.size()) {
        return Error(ErrorKind::invalid_config, wanted.file_name + " asks for " +
                                                    std::to_string(wanted.packages.size()) + " packages, " +
                                                    std::to_string(found.size()) + " are installed in " +
                                                    folder.string() + "; run `shaduf dbt deps`")
            .at(Place::in_file(project.root + "/" + wanted.file_name, 0));
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace shaduf::models
