#include "io/private_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace shaduf {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "shaduf-child-";

Error write_error(const std::string& path) {
    return Error(ErrorKind::exhausted, "cannot write " + path + ": " + std::strerror(errno));
}

// A folder whose lock nobody holds is one of a process that was killed.
void remove_left_ones(const fs::path& parent) {
    std::error_code failed;
    for (fs::directory_iterator at(parent, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string path = at->path().string();
        struct stat found {};
        if (!at->path().filename().string().starts_with(kPrefix) || ::lstat(path.c_str(), &found) != 0) continue;
        if (!S_ISDIR(found.st_mode) || found.st_uid != ::getuid()) continue;
        const int lock = ::open((path + "/lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (lock < 0) continue;
        std::error_code ignored;
        if (::flock(lock, LOCK_EX | LOCK_NB) == 0) fs::remove_all(path, ignored);
        ::close(lock);
    }
}

// Made under the lock at once, so that nobody takes it for a left one.
int make_locked(const std::string& path) {
    const std::string made = path + "/.lock";
    const int lock = ::open(made.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lock < 0) return -1;
    if (::flock(lock, LOCK_EX) == 0 && ::rename(made.c_str(), (path + "/lock").c_str()) == 0) return lock;
    ::close(lock);
    return -1;
}

}  // namespace

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::create() {
    std::error_code failed;
    const fs::path parent = fs::temp_directory_path(failed);
    if (failed) return Error(ErrorKind::invalid_config, "no folder for temporary files; set TMPDIR to one");
    remove_left_ones(parent);
    std::string path = (parent / (std::string(kPrefix) + "XXXXXX")).string();
    if (::mkdtemp(path.data()) == nullptr) return write_error(path);
    const int lock = make_locked(path);
    if (lock < 0) return write_error(path);
    return std::unique_ptr<PrivateFolder>(new PrivateFolder(std::move(path), lock));
}

PrivateFolder::~PrivateFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    ::close(lock_);
}

Result<std::string> PrivateFolder::write(const std::string& name, std::string_view content) const {
    const std::string path = path_ + "/" + name;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return write_error(path);
    while (!content.empty()) {
        const ssize_t written = ::write(file, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            Error error = write_error(path);
            ::close(file);
            return error;
        }
        content.remove_prefix(static_cast<size_t>(written));
    }
    ::close(file);
    return path;
}

}  // namespace shaduf
