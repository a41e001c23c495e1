#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/project/findings.h"

namespace shaduf::models {

struct WalkedFile {
    std::string path;  // below the folder that was walked
    uint64_t bytes = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;  // of the inode: no program can set it
    uint64_t inode = 0;
};

// Every file below a folder, by path. Hidden folders too; links to files are followed, links to folders are not. What
// cannot be looked at is a warning; a folder that is not there has no files.
std::vector<WalkedFile> walk_folder(const std::string& folder, Findings& findings);

}  // namespace shaduf::models
