#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace shaduf::models {

// deps --add-package: NAME@VERSION of a source, hub, git or local.
struct NewPackage {
    std::string name;
    std::string version;  // several with commas; "": none
    std::string source = "hub";
};
// invalid_config: a package of the hub without a version, an unknown source.
Result<NewPackage> read_new_package(const std::string& text, const std::string& source);

struct AddedPackage {
    std::string text;                  // of the file as it is to be
    std::vector<std::string> removed;  // entries that stood for the same package: their names
};
// The list of packages in `text`, a packages.yml ("": none yet), with one more behind it; of the same package, however
// it was got, no other stays. All other lines stay as they are. invalid_config: entries are not on lines of their own.
Result<AddedPackage> add_package(const std::string& text, const NewPackage& package, const std::string& file);

}  // namespace shaduf::models
