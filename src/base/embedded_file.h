#pragma once

#include <string_view>

namespace shaduf {

// A file that the build put into the binary.
struct EmbeddedFile {
    std::string_view path;  // below the folder that was embedded
    std::string_view content;
};

}  // namespace shaduf
