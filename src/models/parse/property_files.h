#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/context/services.h"
#include "models/parse/package_files.h"

namespace shaduf::models {

// One YAML file of properties, rendered as far as dbt does when it reads it: descriptions, arguments of tests, hooks
// and filters hold their Jinja still. Lines are those of the file.
struct PropertyFile {
    const Project* project = nullptr;
    std::string path;           // below the package
    std::string relative_path;  // below the folder that was searched
    std::string checksum;
    YamlTree tree;        // a map
    YamlTree unrendered;  // the same as it was written, of files that declare sources

    std::string id() const { return project->name + "://" + path; }
    // The entries of a section; each is a map with a name.
    std::vector<YamlNode> entries(std::string_view section) const;
};

// All of a package, read by so many threads. What is no YAML, no map of lists of named maps, or cannot be rendered, is
// an error in `findings`, in the order of the files.
std::vector<PropertyFile> read_property_files(const PackageFiles& package, const ContextServices& services,
                                              size_t threads, Findings& findings);

// Whether dbt renders what stands under these keys of a file when it reads it: the first is the section.
bool renders_in_properties(std::span<const YamlNode> keys);

}  // namespace shaduf::models
