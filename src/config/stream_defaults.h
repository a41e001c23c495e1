#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/modes.h"

namespace shaduf {

// How a source's stream is read and written when the pipeline does not say.
struct StreamDefaults {
    std::optional<ReadMode> mode;
    std::optional<WriteMode> write;  // holds for the mode above only
    std::vector<std::string> key;
    std::string day_column;  // of reports: which day a row is about
};

}  // namespace shaduf
