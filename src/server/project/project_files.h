#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::server {

// The files of a project folder that people may see and change: what describes the project, and never its secrets,
// variables, or the folder of the program itself. Each part of a path is opened below the one before it without
// following links, so that no path leaves the folder whatever stands in it. Thread-safe.
class ProjectFiles {
public:
    struct Info {
        std::string path;
        std::string kind;  // project, pipeline, flow, model, seed, other
        int64_t size = 0;
        Timestamp changed_at;
    };
    struct Text {
        std::string text;
        std::string sha;  // SHA-256 of the text, in hex
        bool read_only = false;
    };

    explicit ProjectFiles(std::string folder) : folder_(std::move(folder)) {}

    // By path; at most kFilesMax.
    Result<std::vector<Info>> list() const;
    // not_found when there is none; invalid_config for a path that is no file of the project.
    Result<Text> read(const std::string& path) const;
    // Writes beside the file, flushes, and puts it in place, so that whoever reads has the old text or the new one. The
    // file must be the one whose text has `base_sha`; nullopt: there must be none. conflict: there is another.
    Result<std::string> write(const std::string& path, const std::optional<std::string>& base_sha,
                              std::string_view text) const;

    // Whether a path may be one of the project's files; invalid_config: why not.
    static Result<void> check_path(std::string_view path);
    static std::string sha_of(std::string_view text);
    static std::string kind_of(std::string_view path);

    static constexpr size_t kFilesMax = 20'000;
    static constexpr size_t kTextBytesMax = 4 << 20;

private:
    const std::string folder_;
};

}  // namespace shaduf::server
