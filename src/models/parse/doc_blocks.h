#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/context/services.h"
#include "models/parse/package_files.h"

namespace shaduf::models {

// {% docs name %} blocks by name and package.
class DocIndex {
public:
    explicit DocIndex(std::string root_package) : root_package_(std::move(root_package)) {}
    // Those of a package's .md files into the manifest and the index. Errors: no template, two of one name.
    void add(const PackageFiles& package, Manifest& manifest, Findings& findings);
    // As dbt finds it for a resource of `from_package`: the package that is named, else the root project, that of the
    // resource, any. nullptr: none.
    const DocBlock* find(std::string_view package, std::string_view name, std::string_view from_package) const;
    // For the nearest right name of an error.
    std::vector<std::string> names() const;
    const std::string& root_package() const { return root_package_; }

private:
    const std::string root_package_;
    std::unordered_multimap<std::string, const DocBlock*> by_name_;
};

// A description with its Jinja rendered, and the blocks that it is made of.
struct Description {
    std::string text;
    std::vector<std::string> doc_blocks;  // unique ids
};
// Descriptions see doc() and what properties see. Thread-safe. Errors name no place.
class Descriptions {
public:
    Descriptions(const ContextServices& services, const DocIndex& docs) : services_(services), docs_(docs) {}
    Result<Description> render(std::string_view text, const std::string& package, const std::string& file) const;

private:
    const ContextServices& services_;
    const DocIndex& docs_;
};

}  // namespace shaduf::models
