#include "server/project/project_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "io/crypto.h"
#include "server/endpoint.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kFolders[] = {"pipelines", "flows",    "models",  "seeds",      "snapshots", "macros",
                                         "tests",     "analyses", "metrics", "dashboards", "reports"};
constexpr std::string_view kRootFiles[] = {"shaduf.yml",       "dbt_project.yml", "packages.yml",
                                           "dependencies.yml", "selectors.yml",   "README.md"};
constexpr std::string_view kEndings[] = {".yml", ".yaml", ".sql", ".csv", ".md", ".py"};
constexpr size_t kDepthMax = 16;
constexpr size_t kPathBytesMax = 512;

template <typename List>
bool has(const List& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    int get() const { return fd_; }
    bool ok() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

Error failed(const std::string& what, const std::string& path, int error) {
    if (error == ENOENT || error == ENOTDIR) return not_found("file", path);
    if (error == ELOOP) return Error(ErrorKind::invalid_config, "is a link, which is not followed: " + path);
    const ErrorKind kind = error == ENOSPC || error == EDQUOT                    ? ErrorKind::exhausted
                           : error == EACCES || error == EPERM || error == EROFS ? ErrorKind::auth
                                                                                 : ErrorKind::internal;
    return Error(kind, what + ": " + path + ": " + std::strerror(error));
}

// The folder that holds the file, and the file's name in it.
struct Spot {
    Descriptor folder;
    std::string name;
};

Result<Spot> find_spot(const std::string& root, const std::string& path, bool makes_folders) {
    TRY(ProjectFiles::check_path(path));
    Spot spot{Descriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), ""};
    if (!spot.folder.ok()) return failed("cannot open the folder", root, errno);
    const auto parts = split(path, '/');
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const std::string part(parts[i]);
        if (makes_folders && ::mkdirat(spot.folder.get(), part.c_str(), 0777) != 0 && errno != EEXIST) {
            return failed("cannot make the folder", path, errno);
        }
        Descriptor next(::openat(spot.folder.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next.ok()) {
            struct stat found {};
            const int error = errno;
            const bool is_link =
                ::fstatat(spot.folder.get(), part.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
            return failed("cannot open the folder", path, is_link ? ELOOP : error);
        }
        spot.folder = std::move(next);
    }
    spot.name = parts.back();
    return spot;
}

Result<std::string> read_whole(const Spot& spot, const std::string& path) {
    const Descriptor file(
        ::openat(spot.folder.get(), spot.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file.ok()) return failed("cannot read the file", path, errno);
    struct stat found {};
    if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return not_found("file", path);
    if (found.st_size > static_cast<off_t>(ProjectFiles::kTextBytesMax)) {
        return Error(ErrorKind::too_large, "the file is larger than 4 MB: " + path);
    }
    std::string text(static_cast<size_t>(found.st_size) + 1, '\0');
    size_t size = 0;
    for (;;) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("cannot read the file", path, errno);
        if (count == 0) break;
        size += static_cast<size_t>(count);
        if (size == text.size()) text.resize(size * 2);
        if (size > ProjectFiles::kTextBytesMax) return Error(ErrorKind::too_large, "the file grows: " + path);
    }
    text.resize(size);
    return text;
}

Result<void> write_whole(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("cannot write the file", path, errno);
        text.remove_prefix(static_cast<size_t>(count));
    }
    if (::fsync(fd) != 0) return failed("cannot write the file", path, errno);
    return {};
}

bool has_ending(std::string_view name) {
    return std::any_of(std::begin(kEndings), std::end(kEndings),
                       [&](std::string_view ending) { return name.size() > ending.size() && name.ends_with(ending); });
}

// Walks what check_path allows; links are left out.
class Walk {
public:
    explicit Walk(std::vector<ProjectFiles::Info>& out) : out_(out) {}

    void visit(int parent, const std::string& name, const std::string& path, size_t depth) {
        Descriptor folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder.ok() || depth > kDepthMax) return;
        const int fd = folder.get();
        DIR* directory = ::fdopendir(folder.release());
        if (directory == nullptr) return;
        while (const dirent* entry = ::readdir(directory)) {
            const std::string child = entry->d_name;
            if (child.starts_with('.') || out_.size() >= ProjectFiles::kFilesMax) continue;
            const std::string below = path.empty() ? child : path + "/" + child;
            struct stat found {};
            if (::fstatat(fd, child.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
            if (S_ISDIR(found.st_mode) && (!path.empty() || has(kFolders, child))) visit(fd, child, below, depth + 1);
            if (!S_ISREG(found.st_mode) || !ProjectFiles::check_path(below).ok()) continue;
            const auto changed =
                std::chrono::seconds(found.st_mtim.tv_sec) + std::chrono::microseconds(found.st_mtim.tv_nsec / 1000);
            out_.push_back({below, ProjectFiles::kind_of(below), found.st_size, Timestamp(changed)});
        }
        ::closedir(directory);
    }

private:
    std::vector<ProjectFiles::Info>& out_;
};

}  // namespace

Result<void> ProjectFiles::check_path(std::string_view path) {
    const auto refuse = [&](const std::string& why) {
        return Error(ErrorKind::invalid_config, "is no file of the project: " + make_valid_utf8(path) + "; " + why);
    };
    if (path.empty() || path.size() > kPathBytesMax || !is_valid_utf8(path)) return refuse("its name cannot be");
    for (const char c : path) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7F) return refuse("its name cannot be");
    }
    const auto parts = split(path, '/');
    if (parts.size() > kDepthMax) return refuse("it lies too deep");
    for (const std::string_view part : parts) {
        if (part.empty() || part.starts_with('.')) return refuse("hidden files and .. are not");
    }
    if (!has_ending(parts.back())) return refuse("files end in .yml, .yaml, .sql, .csv, .md or .py");
    if (parts.size() == 1 ? has(kRootFiles, path) : has(kFolders, parts.front())) return {};
    return refuse("see shaduf.yml and the folders pipelines, flows, models, seeds, snapshots, macros and tests");
}

std::string ProjectFiles::sha_of(std::string_view text) { return to_hex(sha256(text)); }

std::string ProjectFiles::kind_of(std::string_view path) {
    const std::string_view folder = path.substr(0, path.find('/'));
    if (folder == "pipelines") return "pipeline";
    if (folder == "flows") return "flow";
    if (folder == "models") return "model";
    if (folder == "seeds") return "seed";
    return folder.size() == path.size() ? "project" : "other";
}

Result<std::vector<ProjectFiles::Info>> ProjectFiles::list() const {
    std::vector<Info> found;
    Walk(found).visit(AT_FDCWD, folder_, "", 0);
    std::sort(found.begin(), found.end(), [](const Info& a, const Info& b) { return a.path < b.path; });
    return found;
}

Result<ProjectFiles::Text> ProjectFiles::read(const std::string& path) const {
    const Spot spot = TRY(find_spot(folder_, path, false));
    Text text;
    text.text = TRY(read_whole(spot, path));
    text.sha = sha_of(text.text);
    text.read_only = ::faccessat(spot.folder.get(), ".", W_OK, 0) != 0;
    return text;
}

Result<std::string> ProjectFiles::write(const std::string& path, const std::optional<std::string>& base_sha,
                                        std::string_view text) const {
    static std::atomic<uint64_t> number{0};
    if (text.size() > kTextBytesMax) return Error(ErrorKind::too_large, "the text is larger than 4 MB: " + path);
    if (!is_valid_utf8(text)) return Error(ErrorKind::invalid_config, "the text is not UTF-8: " + path);
    const Spot spot = TRY(find_spot(folder_, path, true));
    const auto now = read_whole(spot, path);
    if (!now.ok() && !is_not_found(now.error())) return now.error();
    if (now.ok() && (!base_sha || sha_of(now.value()) != *base_sha)) {
        return Error(ErrorKind::conflict, "the file has changed since it was read: " + path + "; look at both");
    }
    if (!now.ok() && base_sha) {
        return Error(ErrorKind::conflict, "the file is no longer there: " + path);
    }
    struct stat old {};
    const bool is_there = ::fstatat(spot.folder.get(), spot.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
    const std::string beside = ".shaduf-" + std::to_string(::getpid()) + "-" + std::to_string(number++) + ".tmp";
    const Descriptor file(
        ::openat(spot.folder.get(), beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!file.ok()) return failed("cannot write the file", path, errno);
    auto written = write_whole(file.get(), text, path);
    if (written.ok() && is_there && ::fchmod(file.get(), old.st_mode & 07777U) != 0) {
        written = failed("cannot write the file", path, errno);
    }
    if (written.ok() && ::renameat(spot.folder.get(), beside.c_str(), spot.folder.get(), spot.name.c_str()) != 0) {
        written = failed("cannot write the file", path, errno);
    }
    if (!written.ok()) {
        ::unlinkat(spot.folder.get(), beside.c_str(), 0);
        return written.error();
    }
    ::fsync(spot.folder.get());
    return sha_of(text);
}

}  // namespace shaduf::server
