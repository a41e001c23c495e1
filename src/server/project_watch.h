#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "server/serve_log.h"

namespace shaduf::server {

// Calls `changed`, in a thread of its own, each time that files of a project have changed, once for all that are saved
// together; until it goes away. Where changes cannot be seen, `log` says so.
class ProjectWatch {
public:
    ProjectWatch(std::string folder, ServeLog& log, std::function<void()> changed);
    ~ProjectWatch();
    ProjectWatch(const ProjectWatch&) = delete;
    ProjectWatch& operator=(const ProjectWatch&) = delete;

private:
    void run();
    Result<void> watch();

    const std::string folder_;
    ServeLog& log_;
    const std::function<void()> changed_;
    Cancellation stop_;
    std::thread thread_;
};

}  // namespace shaduf::server
