#include "server/project_watch.h"

#include <set>

#include "base/thread_name.h"
#include "models/watch/folder_watch.h"

namespace shaduf::server {
namespace {

constexpr const char* kTrees[] = {"pipelines", "flows",    "models",  "seeds",      "snapshots", "macros",
                                  "tests",     "analyses", "metrics", "dashboards", "reports"};

}  // namespace

ProjectWatch::ProjectWatch(std::string folder, ServeLog& log, std::function<void()> changed)
    : folder_(std::move(folder)), log_(log), changed_(std::move(changed)), thread_([this] { run(); }) {}

ProjectWatch::~ProjectWatch() {
    stop_.cancel();
    thread_.join();
}

void ProjectWatch::run() {
    name_thread("watch files");
    const auto done = watch();
    if (done.ok() || stop_.canceled()) return;
    log_.say(Severity::warning,
             "changes of files are not seen; start this process again behind one: " + done.error().to_string());
}

Result<void> ProjectWatch::watch() {
    const auto watch = TRY(models::FolderWatch::create());
    std::set<std::string> trees;
    for (const char* tree : kTrees) trees.insert(folder_ + "/" + tree);
    TRY(watch->set_folders({folder_}, trees));
    for (;;) {
        TRY(watch->wait(stop_));
        changed_();
    }
}

}  // namespace shaduf::server
