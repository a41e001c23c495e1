#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sandbox/frame/ledger.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox {

// A platform with what it stands on: its world, which is replaced as days pass and numbers are restated, its ledgers,
// the changes of its fields. Thread-safe.
class PlatformHost final : public Environment {
public:
    using CallInside = std::function<HttpServerResponse(const HttpServerRequest&, const std::string& origin)>;
    // invalid_config when the user's data is not whole. `spec`, `clock` and what `call_inside` holds outlive it.
    static Result<std::unique_ptr<PlatformHost>> create(const PlatformSpec& spec, WorldSettings settings, Clock& clock,
                                                        std::optional<Rate> rate, CallInside call_inside);

    // `create` is for others: this one has no world yet.
    PlatformHost(const PlatformSpec& spec, WorldSettings settings, Clock& clock, std::optional<Rate> rate,
                 CallInside call_inside)
        : spec_(spec),
          first_settings_(std::move(settings)),
          clock_(clock),
          ledgers_(clock, rate),
          call_inside_(std::move(call_inside)) {}

    const PlatformSpec& spec() const { return spec_; }
    Platform& platform() { return *platform_; }

    std::shared_ptr<const World> world() const override;
    Ledgers& ledgers() override { return ledgers_; }
    Clock& clock() override { return clock_; }
    uint64_t seed() const override { return first_settings_.seed; }
    std::vector<FieldChange> field_changes(std::string_view stream) const override;
    HttpServerResponse call_inside(const HttpServerRequest& request, const std::string& origin) override {
        return call_inside_(request, origin);
    }

    // Days before today whose numbers are still open change, at once.
    Result<void> restate();
    Result<void> shift_days(int32_t days);
    void change_field(const std::string& stream, FieldChange change);
    // As it was at the start.
    Result<void> reset();

private:
    Result<void> remake(const std::function<void(WorldSettings&)>& change);

    const PlatformSpec& spec_;
    const WorldSettings first_settings_;
    Clock& clock_;
    Ledgers ledgers_;
    const CallInside call_inside_;
    mutable std::mutex mutex_;
    std::shared_ptr<const World> world_;
    std::multimap<std::string, FieldChange, std::less<>> field_changes_;
    std::unique_ptr<Platform> platform_;
};

}  // namespace shaduf::sandbox
