#include "models/watch/folder_watch.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/cancellation.h"

#ifdef __linux__
#include <poll.h>
#include <sys/inotify.h>
#endif

namespace shaduf::models {

namespace fs = std::filesystem;

#ifdef __linux__
namespace {

constexpr int kSettleMs = 8;
constexpr auto kSettleMax = std::chrono::milliseconds(500);  // a folder that is written to for ever is told of, too
constexpr int kCancelCheckMs = 50;
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                             IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;

// Of a project; neither a copy that an editor keeps for itself nor what the target folder holds.
bool is_source(const std::string& name) {
    if (name == ".dbtignore") return true;
    if (name.empty() || name.front() == '.' || name.front() == '#' || name.front() == '~') return false;
    constexpr std::array<std::string_view, 6> kExtensions = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"};
    return std::any_of(kExtensions.begin(), kExtensions.end(), [&](auto end) { return name.ends_with(end); });
}

// False: nothing happened in that time.
bool has_events(int descriptor, int milliseconds) {
    pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, milliseconds) > 0;
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::create() {
    const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0) {
        return Error(ErrorKind::exhausted, std::string("cannot watch folders: ") + std::strerror(errno) +
                                               "; raise fs.inotify.max_user_instances");
    }
    return std::unique_ptr<FolderWatch>(new FolderWatch(descriptor));
}

FolderWatch::~FolderWatch() { ::close(descriptor_); }

Result<void> FolderWatch::add_folder(const std::string& path) {
    const int watch = ::inotify_add_watch(descriptor_, path.c_str(), kEvents);
    if (watch >= 0) {
        paths_[watch] = path;
        return {};
    }
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};  // it went, or will come
    const std::string advice = errno == ENOSPC ? "; raise fs.inotify.max_user_watches" : "; may it be read?";
    return Error(ErrorKind::exhausted, "cannot watch a folder: " + path + ": " + std::strerror(errno) + advice);
}

Result<void> FolderWatch::add_tree(const std::string& path) {
    TRY(add_folder(path));
    std::error_code ignored;
    auto entry = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ignored);
    for (; !ignored && entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
        if (!entry->is_directory(ignored) || entry->is_symlink(ignored)) continue;
        TRY(add_folder(entry->path().string()));
    }
    return {};
}

Result<void> FolderWatch::set_folders(const std::set<std::string>& roots, const std::set<std::string>& trees) {
    roots_ = roots;
    trees_ = trees;
    for (const std::string& root : roots_) TRY(add_folder(root));
    for (const std::string& tree : trees_) TRY(add_tree(tree));
    return {};
}

bool FolderWatch::is_in_tree(const std::string& path) const {
    return std::any_of(trees_.begin(), trees_.end(),
                       [&](const std::string& tree) { return path == tree || path.starts_with(tree + "/"); });
}

// A folder comes with what it holds, of which there may be no events.
void FolderWatch::note_files_below(const std::string& folder, Saved& saved) const {
    std::error_code ignored;
    auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, ignored);
    for (; !ignored && entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
        if (is_source(entry->path().filename().string())) saved.files.insert(entry->path().string());
    }
}

Result<void> FolderWatch::note(int watch, uint32_t mask, const std::string& name, Saved& saved) {
    if ((mask & IN_Q_OVERFLOW) != 0) {
        saved.is_unsure = true;
        return {};
    }
    const auto folder = paths_.find(watch);
    if (folder == paths_.end()) return {};
    if ((mask & IN_IGNORED) != 0) {
        paths_.erase(folder);
        return {};
    }
    if (name.empty()) return {};
    const std::string path = folder->second + "/" + name;
    if ((mask & IN_ISDIR) == 0) {
        // A new file is empty until it is closed; a link comes whole.
        const bool is_link = (mask & IN_CREATE) != 0 && fs::is_symlink(path);
        if (((mask & IN_CREATE) == 0 || is_link) && is_source(name)) saved.files.insert(path);
        return {};
    }
    const bool came = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    if (is_in_tree(path) && came) {
        TRY(add_tree(path));
        note_files_below(path, saved);
    } else if (is_in_tree(path)) {
        saved.files.insert(path);  // with all that it held
    }
    return {};
}

Result<void> FolderWatch::read_events(Saved& saved) {
    alignas(inotify_event) std::array<char, 64 * 1024> buffer;
    for (;;) {
        const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return {};
        for (ssize_t at = 0; at < count;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof(event));
            const char* name = buffer.data() + at + sizeof(event);
            TRY(note(event.wd, event.mask, event.len == 0 ? std::string() : std::string(name), saved));
            at += static_cast<ssize_t>(sizeof(event) + event.len);
        }
    }
}

Result<FolderWatch::Saved> FolderWatch::wait(const Cancellation& cancellation) {
    using Clock = std::chrono::steady_clock;
    Saved saved;
    while (saved.files.empty() && !saved.is_unsure) {
        TRY(cancellation.check());
        if (!has_events(descriptor_, kCancelCheckMs)) continue;
        saved.first_seen = Clock::now();
        TRY(read_events(saved));
    }
    while (Clock::now() - saved.first_seen < kSettleMax && has_events(descriptor_, kSettleMs)) {
        TRY(read_events(saved));
    }
    return saved;
}

#else

Result<std::unique_ptr<FolderWatch>> FolderWatch::create() {
    return Error(ErrorKind::invalid_config,
                 "--watch needs Linux: folders are watched by inotify; run the command again after a change instead");
}
FolderWatch::~FolderWatch() = default;
Result<void> FolderWatch::set_folders(const std::set<std::string>&, const std::set<std::string>&) { return {}; }
Result<FolderWatch::Saved> FolderWatch::wait(const Cancellation& cancellation) {
    TRY(cancellation.check());
    return Saved{};
}

#endif

}  // namespace shaduf::models
