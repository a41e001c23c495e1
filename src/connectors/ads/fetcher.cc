#include "connectors/ads/fetcher.h"

namespace shaduf::ads {

std::string Memory::get(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? "" : found->second;
}

void Memory::set(const std::string& key, std::string value) {
    const std::lock_guard lock(mutex_);
    if (value.empty()) {
        values_.erase(key);
    } else {
        values_[key] = std::move(value);
    }
}

std::map<std::string, std::string> Memory::all() const {
    const std::lock_guard lock(mutex_);
    return values_;
}

void Memory::assign(std::map<std::string, std::string> values) {
    const std::lock_guard lock(mutex_);
    values_ = std::move(values);
}

}  // namespace shaduf::ads
