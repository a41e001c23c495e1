#pragma once

#include <span>
#include <string_view>

namespace shaduf {

// A file of templates/, held in the binary. A file called "gitignore" is written as ".gitignore".
struct TemplateFile {
    std::string_view path;  // "<template>/<path in the project>"
    std::string_view content;
};

std::span<const TemplateFile> template_files();

}  // namespace shaduf
