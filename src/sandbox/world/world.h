#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sandbox/world/metrics.h"

namespace shaduf::sandbox {

class Zone;
struct UserData;
struct GivenDay;

enum class Level : uint8_t { account, campaign, ad_group, ad };
enum class Status : uint8_t { active, paused, removed };

// An account, a campaign, an ad group or an ad. Those below one follow each other, so a range of ads is all that sums
// need.
struct Entity {
    Level level = Level::account;
    uint32_t index = 0;     // in its level
    uint32_t parent = 0;    // index of the one above
    uint32_t account = 0;   // index
    uint32_t campaign = 0;  // index; of those below an account
    uint32_t first_child = 0;
    uint32_t end_child = 0;
    uint32_t first_ad = 0;
    uint32_t end_ad = 0;
    std::string id;  // as the platform writes it
    std::string name;
    Status status = Status::active;
    uint32_t kind = 0;     // a number from which platforms choose objectives, formats and such
    uint32_t version = 0;  // how often it was changed since it was made
    int64_t daily_budget_micros = 0;
    Timestamp created;
    Timestamp updated;
    int32_t first_day = 0;  // of delivery, in the account's days
    int32_t end_day = 0;    // exclusive
};

// What only accounts have.
struct AccountDetails {
    std::string currency;
    double price_level = 1;        // what a euro's worth costs in it, about
    int64_t coin_micros = 10'000;  // its smallest coin: 1,000,000 of a yen, 10,000 of a dollar
    std::string time_zone;         // of the IANA database
    std::shared_ptr<const Zone> zone;
    int32_t today = 0;  // the date there
};

// On that day numbers of the 28 days before it were changed once more.
struct Restatement {
    int32_t today;
};

struct WorldSettings {
    uint64_t seed = 1;
    uint32_t accounts = 3;
    uint32_t ads = 60;                      // of all accounts together
    int32_t days = 400;                     // of history before the first `today`
    int32_t first_today = 0;                // the day on which the sandbox was started
    int32_t today = 0;                      // it is noon of that day, UTC
    std::vector<Restatement> restatements;  // oldest first
    std::shared_ptr<const UserData> data;   // nullptr: all is made up
};

// How a platform writes the id of the `index`th entity of a level. One to one, and the same for the same arguments.
using MakeId = std::string (*)(Level level, uint32_t index, uint64_t seed);

inline constexpr int32_t kNoEnd = 1'000'000;  // the end_day of what runs on
inline constexpr int32_t kSettlingDays = 28;  // numbers change so long

// All that one platform knows, as of one moment. A pure function of its settings: numbers are computed when they are
// asked for, not stored. Immutable; thread-safe.
//
// A day's numbers grow with its age: delivery is all there after three days, purchases come in for 28. Each
// restatement moves those of the 28 days before it by some percent, once and for all.
class World {
public:
    // invalid_config when the user's data is not whole.
    static Result<std::shared_ptr<const World>> create(const WorldSettings& settings, MakeId make_id);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    const WorldSettings& settings() const { return settings_; }
    Timestamp now() const;
    int32_t first_day() const { return settings_.first_today - settings_.days + 1; }
    // The day in the account's zone; see AccountDetails::today for the present one.
    const AccountDetails& details(const Entity& entity) const { return details_[entity.account]; }

    const std::vector<Entity>& entities(Level level) const { return levels_[static_cast<size_t>(level)]; }
    const Entity& entity(Level level, uint32_t index) const { return entities(level)[index]; }
    // nullptr: there is none.
    const Entity* find(Level level, std::string_view id) const;
    // The one at `level` that holds `entity`, or is it. REQUIRES: `level` is not below that of `entity`
    const Entity& above(const Entity& entity, Level level) const;

    // First and end of those at `level` that `entity` holds; of its own level: itself.
    std::pair<uint32_t, uint32_t> below(const Entity& entity, Level level) const;

    // What an ad did in one of its account's days, as far as is known now; without delivery: all zero.
    Metrics measure(const Entity& ad, int32_t day) const;
    // The sum over all ads of an entity, days `first` to `last`, both included.
    Metrics measure_range(const Entity& entity, int32_t first, int32_t last) const;
    // What of an ad's weights are rolled by, for `break_down`.
    uint64_t key_of(const Entity& ad) const;

private:
    friend class WorldMaker;
    World(const WorldSettings& settings) : settings_(settings) {}
    void settle(const Entity& ad, int32_t day, Metrics& metrics) const;

    const WorldSettings settings_;
    std::vector<Entity> levels_[4];
    std::vector<AccountDetails> details_;
    std::unordered_map<std::string_view, uint32_t> by_id_[4];
    std::vector<const std::vector<GivenDay>*> given_;  // of each ad, by the user
};

}  // namespace shaduf::sandbox
