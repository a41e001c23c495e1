#include "sandbox/frame/platform_host.h"

namespace shaduf::sandbox {

Result<std::unique_ptr<PlatformHost>> PlatformHost::create(const PlatformSpec& spec, WorldSettings settings,
                                                           Clock& clock, std::optional<Rate> rate,
                                                           CallInside call_inside) {
    auto host = std::make_unique<PlatformHost>(spec, std::move(settings), clock, rate, std::move(call_inside));
    host->world_ = TRY(World::create(host->first_settings_, spec.make_id));
    host->platform_ = spec.make(*host);
    return host;
}

std::shared_ptr<const World> PlatformHost::world() const {
    std::lock_guard lock(mutex_);
    return world_;
}

std::vector<FieldChange> PlatformHost::field_changes(std::string_view stream) const {
    std::lock_guard lock(mutex_);
    std::vector<FieldChange> changes;
    const auto [begin, end] = field_changes_.equal_range(stream);
    for (auto at = begin; at != end; ++at) changes.push_back(at->second);
    return changes;
}

Result<void> PlatformHost::remake(const std::function<void(WorldSettings&)>& change) {
    std::lock_guard lock(mutex_);
    WorldSettings settings = world_->settings();
    change(settings);
    world_ = TRY(World::create(settings, spec_.make_id));
    return {};
}

Result<void> PlatformHost::restate() {
    return remake([](WorldSettings& settings) { settings.restatements.push_back({settings.today}); });
}

Result<void> PlatformHost::shift_days(int32_t days) {
    return remake([days](WorldSettings& settings) { settings.today += days; });
}

void PlatformHost::change_field(const std::string& stream, FieldChange change) {
    std::lock_guard lock(mutex_);
    field_changes_.emplace(stream, std::move(change));
}

Result<void> PlatformHost::reset() {
    TRY(remake([this](WorldSettings& settings) { settings = first_settings_; }));
    {
        std::lock_guard lock(mutex_);
        field_changes_.clear();
    }
    ledgers_.reset();
    platform_->reset();
    return {};
}

}  // namespace shaduf::sandbox
