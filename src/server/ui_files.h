#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/embedded_file.h"
#include "io/http_server.h"

namespace shaduf::server {

// The built web UI as it was put into the binary; none when there was none. `.br` and `.gz` stand beside their files.
std::span<const EmbeddedFile> embedded_ui();

// Answers for the UI's files: those with a hash in their name (assets/) are kept by browsers for ever, everything that
// is no file is the application itself, which routes by the path. Thread-safe.
class UiFiles {
public:
    // `folder`: files on the disk instead of those in the binary, read each time; "": those of the binary.
    explicit UiFiles(std::string folder) : folder_(std::move(folder)) {}
    HttpServerResponse answer(const HttpServerRequest& request) const;

private:
    std::optional<std::string> read(const std::string& path) const;

    const std::string folder_;
};

}  // namespace shaduf::server
