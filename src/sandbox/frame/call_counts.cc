#include "sandbox/frame/call_counts.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::sandbox {

void CallCounts::add(Key key, bool refused) {
    std::lock_guard lock(mutex_);
    Count& count = calls_[std::move(key)];
    ++count.calls;
    count.refused += refused ? 1 : 0;
}

void CallCounts::add_fault(std::string_view kind) {
    std::lock_guard lock(mutex_);
    ++faults_[std::string(kind)];
}

std::vector<std::pair<CallCounts::Key, CallCounts::Count>> CallCounts::calls() const {
    std::lock_guard lock(mutex_);
    return {calls_.begin(), calls_.end()};
}

std::vector<std::pair<std::string, int64_t>> CallCounts::faults() const {
    std::lock_guard lock(mutex_);
    return {faults_.begin(), faults_.end()};
}

void CallCounts::reset() {
    std::lock_guard lock(mutex_);
    calls_.clear();
    faults_.clear();
}

std::string route_of(std::string_view path) {
    constexpr size_t kDigitsOfVersion = 2;
    std::string route;
    for (const std::string_view part : split(path.substr(path.starts_with('/') ? 1 : 0), '/')) {
        const auto digits =
            static_cast<size_t>(std::count_if(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }));
        route += digits > kDigitsOfVersion + 1 ? "/{id}" : "/" + std::string(part);
    }
    return route;
}

}  // namespace shaduf::sandbox
