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

std::shared_ptr<const TableSlice> table_slice_of(const SliceFetcher& fetcher, const Slice& slice) {
    if (fetcher.kind() == SliceKind::changes) return nullptr;
    const SliceColumns columns = fetcher.columns();
    TableSlice table;
    if (!columns.account.empty()) table.equal.emplace_back(columns.account, slice.account.id);
    if (!columns.part.empty()) table.equal.emplace_back(columns.part, slice.part);
    if (slice.days) {
        table.day_column = columns.day;
        table.first_day = static_cast<int32_t>(slice.days->first.time_since_epoch().count());
        table.last_day = static_cast<int32_t>(slice.days->last.time_since_epoch().count());
    }
    return std::make_shared<const TableSlice>(std::move(table));
}

}  // namespace shaduf::ads
