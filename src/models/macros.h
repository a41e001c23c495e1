#pragma once

#include <span>

#include "base/embedded_file.h"

namespace shaduf::models {

// The built-in macro library, src/models/macros: "<package>/<path>.sql".
std::span<const EmbeddedFile> macro_files();

}  // namespace shaduf::models
