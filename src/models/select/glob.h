#pragma once

#include <string_view>

namespace shaduf::models {

// Whether a whole text matches a pattern of shells, as Python's fnmatch has it: * ? [a-z] [!x]; a slash is as any
// other character, and case counts.
bool matches_glob(std::string_view text, std::string_view pattern);
bool is_glob(std::string_view pattern);  // holds one of * ? [ ]
// The same of paths, as Python's Path.glob has it: part by part, and ** stands for any number of folders.
bool matches_path_glob(std::string_view path, std::string_view pattern);

}  // namespace shaduf::models
