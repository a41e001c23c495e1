#include "server/serve_context.h"

namespace shaduf::server {

std::vector<Error> ProjectRoom::reload() {
    const std::lock_guard reading(reload_mutex_);
    auto project = std::make_shared<Project>();
    auto flows = std::make_shared<FlowSet>();
    auto errors = read_(*project, *flows);
    const std::lock_guard lock(mutex_);
    if (errors.empty()) {
        view_.project = std::move(project);
        view_.flows = std::move(flows);
    }
    view_.errors = errors;
    ++view_.version;
    return errors;
}

ProjectRoom::View ProjectRoom::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

}  // namespace shaduf::server
