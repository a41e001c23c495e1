#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace shaduf {
class Cancellation;
}

namespace shaduf::models {

// Tells of files that were saved, by inotify (inotify(7)); on other systems `create` says that it cannot. Editors write
// in many ways (in place, to a file beside that is then renamed, several times a save), and a checkout writes many
// files at once: what comes within the settling time is one change. One thread.
class FolderWatch {
public:
    struct Saved {
        std::set<std::string> files;  // with their folders; also those that went
        bool is_unsure = false;       // events were lost: any file may have changed
        std::chrono::steady_clock::time_point first_seen = {};
    };

    // exhausted: the system has no more watches (fs.inotify.max_user_watches).
    static Result<std::unique_ptr<FolderWatch>> create();
    ~FolderWatch();
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;

    // From now on these count: `roots` for files that lie in them, `trees` with all below. Folders that are not there
    // count from when they come. Links to folders are not followed. May be called again.
    Result<void> set_folders(const std::set<std::string>& roots, const std::set<std::string>& trees);
    // Waits for a file of a project (SQL, YAML, CSV, Markdown, Python, .dbtignore) to change, then until nothing more
    // happens for the settling time. Error: canceled.
    Result<Saved> wait(const Cancellation& cancellation);
    size_t folders() const { return paths_.size(); }

private:
    explicit FolderWatch(int descriptor) : descriptor_(descriptor) {}
    Result<void> add_folder(const std::string& path);
    Result<void> add_tree(const std::string& path);
    Result<void> read_events(Saved& saved);
    Result<void> note(int watch, uint32_t mask, const std::string& name, Saved& saved);
    void note_files_below(const std::string& folder, Saved& saved) const;
    bool is_in_tree(const std::string& path) const;

    const int descriptor_;
    std::unordered_map<int, std::string> paths_;
    std::set<std::string> roots_, trees_;
};

}  // namespace shaduf::models
