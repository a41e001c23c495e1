#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shaduf::models {

// The patterns of a .dbtignore, which mean what they mean in a .gitignore of the project's folder: * and ? within a
// name,
// ** across folders, [a-z], a leading / or one within for the project's folder only, a trailing / for folders, ! to
// take back, # for comments. Immutable; thread-safe.
class IgnorePatterns {
public:
    IgnorePatterns() = default;  // ignores nothing
    // invalid_config with the line of a pattern that ends in a lone backslash.
    static Result<IgnorePatterns> parse(std::string_view text, const std::string& file);
    // Whether the file is ignored; `path` is relative to the project's folder.
    bool ignores(std::string_view path) const;
    bool empty() const { return patterns_.empty(); }

private:
    struct Pattern {
        std::vector<std::string> segments;  // "**" for any number of folders
        bool ignores = true;
        bool below_folders_only = false;  // "**/": all but what stands in the project's folder itself
    };
    std::vector<Pattern> patterns_;
};

}  // namespace shaduf::models
