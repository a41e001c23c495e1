#pragma once

#include <string>
#include <vector>

#include "models/project/project.h"
#include "models/project/source_files.h"

namespace shaduf::models {

// A package's files with what they hold. The project outlives it.
struct PackageFiles {
    const Project* project = nullptr;
    std::vector<SourceFile> files;
    FileBodies bodies;  // in the order of files
};

// "models/staging/customers.sql" of dbt's path, "" for a file without a folder: the parts between package and name.
std::vector<std::string> folders_of(std::string_view relative_path);
std::string_view name_of_file(std::string_view path);  // "staging/customers.sql" -> "customers"

}  // namespace shaduf::models
