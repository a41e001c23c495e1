// Objects as files of a folder. A new file is written under a name of its own beside the final one, synced, and then
// renamed (or, when it must not replace one, linked) to it; the folder is synced after, so that the name is durable
// too.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/failpoint.h"
#include "io/object_store.h"

namespace shaduf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinishedPrefix = ".shaduf-unfinished-";
constexpr size_t kPageObjects = 1000;
constexpr int kFolderDepthMax = 64;

Error file_error(int code, std::string_view what, const std::string& path) {
    const std::string message = std::string(what) + " failed: " + path + ": " + std::generic_category().message(code);
    switch (code) {
        case ENOSPC:
        case EDQUOT: return Error(ErrorKind::exhausted, message + "; free some space");
        case EFBIG:
        case EMFILE:
        case ENFILE:
        case ENOMEM: return Error(ErrorKind::exhausted, message + "; raise the limit");
        case EACCES:
        case EPERM:
        case EROFS: return Error(ErrorKind::auth, message + "; give this user the right");
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case ENAMETOOLONG:
        case EEXIST: return Error(ErrorKind::invalid_config, message);
        default: return Error(ErrorKind::unavailable, message).permanent();
    }
}

class File {
public:
    explicit File(int descriptor = -1) : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int get() const { return descriptor_; }
    bool is_open() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

ObjectInfo info_of(std::string key, const struct stat& status) {
    const int64_t nanoseconds = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    ObjectInfo info;
    info.key = std::move(key);
    info.size = static_cast<uint64_t>(status.st_size);
    info.etag = std::to_string(status.st_ino) + "-" + std::to_string(nanoseconds) + "-" + std::to_string(info.size);
    info.modified = Timestamp(std::chrono::microseconds(nanoseconds / 1000));
    return info;
}

Result<void> write_all(const File& file, std::string_view bytes, const std::string& path) {
    TRY(failpoint("object_store.write"));
    while (!bytes.empty()) {
        const auto written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error(errno, "write", path);
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
}

Result<BufferPtr> read_some(const File& file, uint64_t offset, uint64_t length, const std::string& path) {
    BufferBuilder bytes;
    bytes.resize(length);
    uint64_t got = 0;
    while (got < length) {
        const auto count = ::pread(file.get(), bytes.data() + got, length - got, static_cast<off_t>(offset + got));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_error(errno, "read", path);
        if (count == 0) break;
        got += static_cast<uint64_t>(count);
    }
    bytes.resize(got);
    return bytes.finish();
}

Result<void> sync_folder(const fs::path& folder) {
    const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!file.is_open()) return file_error(errno, "open", folder.string());
    if (::fsync(file.get()) != 0) return file_error(errno, "sync", folder.string());
    return {};
}

// Makes the folder and those above it, each durable in its parent.
Result<void> make_folder(const fs::path& folder) {
    if (folder.empty()) return {};
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) return {};
    TRY(make_folder(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return file_error(errno, "mkdir", folder.string());
    return sync_folder(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
}

class LocalReader final : public ObjectReader {
public:
    LocalReader(ObjectInfo info, File file, std::string path)
        : ObjectReader(std::move(info)), file_(std::move(file)), path_(std::move(path)) {}

    Result<BufferPtr> read_at(RunContext&, uint64_t offset, uint64_t length) override {
        struct stat status {};
        if (::fstat(file_.get(), &status) != 0) return file_error(errno, "stat", path_);
        if (info_of(info_.key, status).etag != info_.etag)
            return Error(ErrorKind::unavailable, "file changed while it was read: " + path_ + "; run again")
                .permanent();
        const uint64_t left = offset < info_.size ? info_.size - offset : 0;
        return read_some(file_, offset, std::min(length, left), path_);
    }

private:
    File file_;
    std::string path_;
};

// A file under its unfinished name; removed unless it got its final one.
class NewFile final : public ObjectUpload {
public:
    static Result<std::unique_ptr<NewFile>> create(const fs::path& path, UploadMode mode = UploadMode::replace) {
        static std::atomic<uint64_t> counter{0};
        TRY(make_folder(path.parent_path()));
        for (;;) {
            const std::string name = std::string(kUnfinishedPrefix) + std::to_string(::getpid()) + "-" +
                                     std::to_string(counter.fetch_add(1));
            const fs::path unfinished = path.parent_path() / name;
            File file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
            if (!file.is_open() && errno == EEXIST) continue;  // of a dead process, or of one on another machine
            if (!file.is_open()) return file_error(errno, "create", unfinished.string());
            return std::unique_ptr<NewFile>(new NewFile(std::move(file), path, unfinished, mode));
        }
    }
    ~NewFile() override {
        if (!renamed_) ::unlink(unfinished_.c_str());
    }

    Result<void> write(RunContext&, std::string_view bytes) override { return write_all(file_, bytes, path_.string()); }

    Result<void> finish(RunContext&) override {
        TRY(failpoint("object_store.upload.finish.before"));
        if (mode_ == UploadMode::replace) {
            TRY(replace());
        } else if (!TRY(link())) {
            return Error(ErrorKind::conflict, "there is a file of that name already: " + path_.string());
        }
        return failpoint("object_store.upload.finish.after");
    }

    Result<void> replace() {
        TRY(sync());
        if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return file_error(errno, "rename to", path_.string());
        renamed_ = true;
        return sync_folder(folder());
    }

    // False when there is a file of that name.
    Result<bool> link() {
        TRY(sync());
        if (::link(unfinished_.c_str(), path_.c_str()) != 0) {
            if (errno == EEXIST) return false;
            return file_error(errno, "link to", path_.string());
        }
        TRY(sync_folder(folder()));
        return true;
    }

private:
    NewFile(File file, fs::path path, fs::path unfinished, UploadMode mode)
        : file_(std::move(file)), path_(std::move(path)), unfinished_(std::move(unfinished)), mode_(mode) {}

    fs::path folder() const { return path_.has_parent_path() ? path_.parent_path() : fs::path("."); }
    Result<void> sync() {
        if (::fsync(file_.get()) != 0) return file_error(errno, "sync", path_.string());
        return {};
    }

    File file_;
    const fs::path path_;
    const fs::path unfinished_;
    const UploadMode mode_;
    bool renamed_ = false;
};

// Walks a folder in the byte order of keys, and gathers pages.
class Lister {
public:
    Lister(RunContext& run, fs::path root, std::string_view prefix, const ObjectStore::ListPage& each)
        : run_(run), root_(std::move(root)), prefix_(prefix), each_(each) {}

    Result<void> walk(const std::string& folder, int depth) {
        if (depth > kFolderDepthMax)
            return Error(ErrorKind::invalid_config, "folders nested deeper than " + std::to_string(kFolderDepthMax) +
                                                        ": " + (root_ / folder).string());
        TRY(run_.cancellation.check());
        for (const std::string& name : TRY(sorted_names(folder))) {
            const std::string key = folder + name;
            if (name.ends_with('/')) {
                const size_t common = std::min(key.size(), prefix_.size());
                if (key.substr(0, common) == prefix_.substr(0, common)) TRY(walk(key, depth + 1));
            } else if (std::string_view(key).starts_with(prefix_)) {
                TRY(add(key));
            }
        }
        return {};
    }

    Result<void> flush() {
        if (page_.empty()) return {};
        TRY(each_(page_));
        page_.clear();
        return {};
    }

private:
    // Folders end in "/", which puts them where their keys belong.
    Result<std::vector<std::string>> sorted_names(const std::string& folder) {
        std::vector<std::string> names;
        std::error_code failed;
        for (fs::directory_iterator entry(root_ / folder, failed), end; !failed && entry != end;
             entry.increment(failed)) {
            std::error_code gone;
            const auto status = entry->status(gone);
            const std::string name = entry->path().filename().string();
            if (fs::is_directory(status)) names.push_back(name + "/");
            if (fs::is_regular_file(status) && !name.starts_with(kUnfinishedPrefix)) names.push_back(name);
        }
        if (failed && failed.value() != ENOENT) return file_error(failed.value(), "list", (root_ / folder).string());
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> add(const std::string& key) {
        struct stat status {};
        if (::stat((root_ / key).c_str(), &status) != 0) return {};  // removed since
        page_.push_back(info_of(key, status));
        if (page_.size() >= kPageObjects) TRY(flush());
        return {};
    }

    RunContext& run_;
    const fs::path root_;
    const std::string_view prefix_;
    const ObjectStore::ListPage& each_;
    std::vector<ObjectInfo> page_;
};

class LocalObjectStore final : public ObjectStore {
public:
    explicit LocalObjectStore(std::string folder) : root_(std::move(folder)) {}

    std::string name_of(std::string_view key) const override { return (root_ / key).string(); }
    std::string local_path(std::string_view key) const override { return (root_ / key).string(); }

    Result<std::optional<ObjectInfo>> head(RunContext&, std::string_view key) override {
        TRY(check_object_key(key));
        struct stat status {};
        if (::stat((root_ / key).c_str(), &status) != 0) {
            if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
            return file_error(errno, "stat", name_of(key));
        }
        if (!S_ISREG(status.st_mode)) return std::nullopt;
        return info_of(std::string(key), status);
    }

    Result<BufferPtr> get(RunContext& run, std::string_view key) override {
        auto reader = TRY(open(run, key));
        if (reader == nullptr) return BufferPtr();
        if (reader->info().size > UINT32_MAX)
            return Error(ErrorKind::bad_data, "file is too large to be read at once: " + name_of(key));
        return reader->read_at(run, 0, reader->info().size);
    }

    Result<std::unique_ptr<ObjectReader>> open(RunContext&, std::string_view key) override {
        TRY(check_object_key(key));
        const std::string path = name_of(key);
        File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.is_open()) {
            if (errno == ENOENT || errno == ENOTDIR) return std::unique_ptr<ObjectReader>();
            return file_error(errno, "open", path);
        }
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) return file_error(errno, "stat", path);
        if (!S_ISREG(status.st_mode)) return std::unique_ptr<ObjectReader>();
        return std::make_unique<LocalReader>(info_of(std::string(key), status), std::move(file), path);
    }

    Result<void> list(RunContext& run, std::string_view prefix, const ListPage& each) override {
        Lister lister(run, root_, prefix, each);
        TRY(lister.walk("", 0));
        return lister.flush();
    }

    Result<void> put(RunContext& run, std::string_view key, std::string_view bytes) override {
        TRY(check_object_key(key));
        TRY(failpoint("object_store.put.before"));
        auto file = TRY(NewFile::create(root_ / key));
        TRY(file->write(run, bytes));
        TRY(file->replace());
        return failpoint("object_store.put.after");
    }

    Result<bool> put_if_absent(RunContext& run, std::string_view key, std::string_view bytes) override {
        TRY(check_object_key(key));
        TRY(failpoint("object_store.put.before"));
        auto file = TRY(NewFile::create(root_ / key));
        TRY(file->write(run, bytes));
        const bool created = TRY(file->link());
        TRY(failpoint("object_store.put.after"));
        return created;
    }

    using ObjectStore::start_upload;
    Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext&, std::string_view key, UploadMode mode) override {
        TRY(check_object_key(key));
        return std::unique_ptr<ObjectUpload>(TRY(NewFile::create(root_ / key, mode)));
    }

    Result<void> remove(RunContext&, std::string_view key) override {
        TRY(check_object_key(key));
        const fs::path path = root_ / key;
        if (::unlink(path.c_str()) != 0) {
            if (errno == ENOENT || errno == ENOTDIR) return {};
            return file_error(errno, "remove", path.string());
        }
        return sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
    }

    // Whether a file directly in `folder` could have a key that begins with `prefix`.
    static bool may_hold(std::string_view folder, std::string_view prefix) {
        if (folder.starts_with(prefix)) return true;
        return prefix.starts_with(folder) && prefix.find('/', folder.size()) == std::string_view::npos;
    }

    Result<int64_t> remove_unfinished(RunContext& run, std::string_view prefix, Timestamp begun_before) override {
        int64_t count = 0;
        std::error_code failed;
        const fs::path start = root_ / prefix.substr(0, prefix.rfind('/') + 1);
        for (fs::recursive_directory_iterator entry(start, failed), end; !failed && entry != end;
             entry.increment(failed)) {
            TRY(run.cancellation.check());
            const fs::path& path = entry->path();
            if (!path.filename().string().starts_with(kUnfinishedPrefix)) continue;
            const std::string folder = (path.parent_path() / "").lexically_relative(root_ / "").string();
            const std::string key = folder == "." ? "" : folder;
            struct stat status {};
            if (!may_hold(key, prefix) || ::stat(path.c_str(), &status) != 0) continue;
            if (info_of("", status).modified >= begun_before) continue;
            if (::unlink(path.c_str()) == 0) ++count;
        }
        if (failed && failed.value() != ENOENT) return file_error(failed.value(), "list", root_.string());
        return count;
    }

private:
    const fs::path root_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_local_object_store(std::string folder) {
    return std::make_unique<LocalObjectStore>(std::move(folder));
}

}  // namespace shaduf
