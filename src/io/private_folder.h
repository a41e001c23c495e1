#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace shaduf {

// A temporary folder that only its owner may read, for what a command must be told by a file. It goes away with this
// object; what a killed process left behind goes when the next one is made.
class PrivateFolder {
public:
    static Result<std::unique_ptr<PrivateFolder>> create();
    ~PrivateFolder();
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    const std::string& path() const { return path_; }
    // Writes a file (mode 600) and returns its path.
    Result<std::string> write(const std::string& name, std::string_view content) const;

private:
    PrivateFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    const std::string path_;
    const int lock_;  // held as long as the folder is used
};

}  // namespace shaduf
