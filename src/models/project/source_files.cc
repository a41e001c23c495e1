#include "models/project/source_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "models/project/dbtignore.h"
#include "models/project/folder_walk.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTypeNames[] = {"macro", "model", "snapshot", "analysis", "singular_test", "generic_test",
                                           "seed",  "docs",  "schema",   "fixture",  "function"};

// What files of a type are called and where they are.
struct TypeRule {
    FileType type;
    std::vector<std::string> paths;
    std::vector<std::string_view> extensions;
};

std::vector<std::string> below(const std::vector<std::string>& paths, std::string_view folder) {
    std::vector<std::string> folders;
    for (const auto& path : paths) folders.push_back((fs::path(path) / folder).string());
    return folders;
}

std::vector<TypeRule> rules_of(const Project& project) {
    return {
        {FileType::macro, project.macro_paths, {".sql"}},
        {FileType::model, project.model_paths, {".sql", ".py"}},
        {FileType::snapshot, project.snapshot_paths, {".sql"}},
        {FileType::analysis, project.analysis_paths, {".sql"}},
        {FileType::singular_test, project.test_paths, {".sql"}},
        {FileType::generic_test, below(project.test_paths, "generic"), {".sql"}},
        {FileType::seed, project.seed_paths, {".csv"}},
        {FileType::docs, project.docs_paths, {".md"}},
        {FileType::schema, project.all_source_paths(), {".yml", ".yaml"}},
        {FileType::fixture, below(project.test_paths, "fixtures"), {".csv", ".sql"}},
        {FileType::function, project.function_paths, {".sql", ".py"}},
    };
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// dbt's own pattern: a first character that is none of these, whatever, and the ending in any case.
bool has_extension(std::string_view path, std::string_view extension) {
    const std::string_view name = name_of(path);
    if (name.size() <= extension.size() || name[0] == '.' || name[0] == '#' || name[0] == '~') return false;
    return equals_ignoring_case(name.substr(name.size() - extension.size()), extension);
}

bool is_singular_test(std::string_view relative) {
    return !relative.starts_with("generic/") && !relative.starts_with("fixtures/");
}

std::string searched_prefix(const std::string& searched) {
    return searched.empty() || searched.ends_with('/') ? searched : searched + "/";
}

// The folders of a project, each walked once; one within another is looked up in that.
class Folders {
public:
    Folders(const Project& project, const std::vector<TypeRule>& rules, Findings& findings) : root_(project.root) {
        std::set<std::string> wanted;
        for (const TypeRule& rule : rules) {
            for (const auto& path : rule.paths) wanted.insert(absolute(path));
        }
        for (const auto& folder : wanted) {  // outer ones come first
            if (holder_of(folder) == walked_.end()) walked_.emplace(folder, walk_folder(folder, findings));
        }
    }

    // Calls `take` with each file below a folder: the path below it, and the file.
    template <typename Take>
    void for_each(const std::string& path, Take take) const {
        const std::string folder = absolute(path);
        const auto holder = holder_of(folder);
        if (holder == walked_.end()) return;
        const std::string prefix = folder == holder->first ? "" : folder.substr(holder->first.size() + 1) + "/";
        const auto& files = holder->second;
        auto file =
            std::lower_bound(files.begin(), files.end(), prefix,
                             [](const WalkedFile& walked, const std::string& start) { return walked.path < start; });
        for (; file != files.end() && std::string_view(file->path).starts_with(prefix); ++file) {
            take(std::string_view(file->path).substr(prefix.size()), *file);
        }
    }

private:
    using Walked = std::map<std::string, std::vector<WalkedFile>>;

    std::string absolute(const std::string& path) const {
        std::string folder = (fs::path(root_) / path).lexically_normal().string();
        while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
        return folder;
    }
    Walked::const_iterator holder_of(const std::string& folder) const {
        return std::find_if(walked_.begin(), walked_.end(), [&](const auto& known) {
            return folder == known.first || folder.starts_with(known.first + "/");
        });
    }

    const std::string& root_;
    Walked walked_;
};

IgnorePatterns load_ignored(const std::string& root, Findings& findings) {
    const std::string path = root + "/.dbtignore";
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return {};
    auto text = read_text_file(path, path);
    auto patterns = text.ok() ? IgnorePatterns::parse(text.value(), path) : Result<IgnorePatterns>(text.error());
    if (patterns.ok()) return patterns.release_value();
    findings.errors.push_back(patterns.error());
    return {};
}

}  // namespace

std::string_view to_string(FileType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::string_view SourceFile::relative_path() const {
    std::string_view rest = std::string_view(path).substr(searched_size);
    while (rest.starts_with('/')) rest.remove_prefix(1);
    return rest;
}

std::string_view SourceFile::extension() const {
    const std::string_view name = name_of(path);
    const size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot);
}

std::vector<SourceFile> find_source_files(const Project& project, Findings& findings) {
    const auto rules = rules_of(project);
    const Folders folders(project, rules, findings);
    const IgnorePatterns ignored = load_ignored(project.root, findings);
    std::vector<SourceFile> found;
    for (const TypeRule& rule : rules) {
        for (const std::string_view extension : rule.extensions) {
            std::set<std::string_view> seen;
            for (const auto& searched : rule.paths) {
                if (!seen.insert(searched).second) continue;
                const std::string prefix = searched_prefix(searched);
                folders.for_each(searched, [&](std::string_view relative, const WalkedFile& walked) {
                    if (!has_extension(relative, extension)) return;
                    if (rule.type == FileType::singular_test && !is_singular_test(relative)) return;
                    std::string path = prefix + std::string(relative);
                    if (!ignored.empty() && ignored.ignores(path)) return;
                    found.push_back({rule.type, std::move(path), static_cast<uint32_t>(searched.size()), walked.bytes,
                                     walked.modified_ns, walked.changed_ns, walked.inode});
                });
            }
        }
    }
    return found;
}

}  // namespace shaduf::models
