#include "models/project/folder_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace shaduf::models {
namespace {

constexpr size_t kDepthMax = 200;

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

class Walk {
public:
    Walk(const std::string& folder, Findings& findings) : folder_(folder), findings_(findings) {}

    void enter(int parent, const char* name, const std::string& below, size_t depth) {
        const int no_link = depth == 0 ? 0 : O_NOFOLLOW;
        const int descriptor = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_link);
        if (descriptor < 0) {
            const bool absent = depth == 0 && (errno == ENOENT || errno == ENOTDIR);
            if (!absent) warn(below, std::strerror(errno));
            return;
        }
        DIR* entries = ::fdopendir(descriptor);
        if (entries == nullptr) {
            warn(below, std::strerror(errno));
            ::close(descriptor);
            return;
        }
        if (depth > kDepthMax) {
            warn(below, "nested too deep: the limit is 200 folders");
        } else {
            read_entries(entries, below, depth);
        }
        ::closedir(entries);
    }

    std::vector<WalkedFile> take() {
        std::sort(files_.begin(), files_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        return std::move(files_);
    }

private:
    void read_entries(DIR* entries, const std::string& below, size_t depth) {
        const int descriptor = ::dirfd(entries);
        while (const dirent* entry = ::readdir(entries)) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            const std::string path = below.empty() ? std::string(name) : below + "/" + std::string(name);
            if (entry->d_type == DT_DIR) {
                enter(descriptor, entry->d_name, path, depth + 1);
            } else {
                add(descriptor, entry->d_name, path, depth, entry->d_type == DT_UNKNOWN);
            }
        }
    }

    void add(int descriptor, const char* name, const std::string& path, size_t depth, bool may_be_folder) {
        struct stat found {};
        if (may_be_folder && ::fstatat(descriptor, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode)) {
            return enter(descriptor, name, path, depth + 1);
        }
        if (::fstatat(descriptor, name, &found, 0) != 0) return warn(path, std::strerror(errno));
        if (!S_ISREG(found.st_mode)) return;
        files_.push_back({path, static_cast<uint64_t>(found.st_size), nanoseconds(found.st_mtim),
                          nanoseconds(found.st_ctim), found.st_ino});
    }

    void warn(const std::string& below, const std::string& why) {
        findings_.warnings.push_back(Error(ErrorKind::invalid_config, "cannot look at it, so it is left out: " + why)
                                         .at(Place::in_file(below.empty() ? folder_ : folder_ + "/" + below, 0)));
    }

    const std::string& folder_;
    Findings& findings_;
    std::vector<WalkedFile> files_;
};

}  // namespace

std::vector<WalkedFile> walk_folder(const std::string& folder, Findings& findings) {
    Walk walk(folder, findings);
    walk.enter(AT_FDCWD, folder.c_str(), "", 0);
    return walk.take();
}

}  // namespace shaduf::models
