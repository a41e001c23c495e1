#pragma once

#include <span>

#include "base/embedded_file.h"

namespace shaduf {

// The files of templates/: "<template>/<path in the project>". One called "gitignore" is written as ".gitignore".
std::span<const EmbeddedFile> template_files();

}  // namespace shaduf
