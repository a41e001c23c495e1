#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace shaduf::models {

// All that is wrong with a project's files, each with its place: errors stop the run, warnings do not.
struct Findings {
    std::vector<Error> errors;
    std::vector<Error> warnings;
    bool ok() const { return errors.empty(); }
    void add(const Findings& more) {
        errors.insert(errors.end(), more.errors.begin(), more.errors.end());
        warnings.insert(warnings.end(), more.warnings.begin(), more.warnings.end());
    }
};

}  // namespace shaduf::models
