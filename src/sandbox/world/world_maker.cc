#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "sandbox/world/dice.h"
#include "sandbox/world/user_data.h"
#include "sandbox/world/world.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox {

namespace {

struct Market {
    std::string_view country;
    std::string_view currency;
    std::string_view time_zone;
    double price_level;
    int64_t coin_micros;
};
constexpr std::array<Market, 9> kMarkets{{
    {"Germany", "EUR", "Europe/Berlin", 1.0, 10'000},
    {"US West", "USD", "America/Los_Angeles", 1.1, 10'000},
    {"Japan", "JPY", "Asia/Tokyo", 160.0, 1'000'000},
    {"UK", "GBP", "Europe/London", 0.86, 10'000},
    {"India", "INR", "Asia/Kolkata", 92.0, 10'000},
    {"Brazil", "BRL", "America/Sao_Paulo", 6.0, 10'000},
    {"US East", "USD", "America/New_York", 1.1, 10'000},
    {"Australia", "AUD", "Australia/Sydney", 1.7, 10'000},
    {"New Zealand", "NZD", "Pacific/Auckland", 1.9, 10'000},
}};
constexpr std::array<std::string_view, 6> kThemes{"Brand", "Prospecting", "Retargeting", "Sale", "Launch", "App"};
constexpr std::array<std::string_view, 6> kAudiences{"Lookalike 1%", "Visitors 30d", "Broad",
                                                     "Interests",    "Newsletter",   "Past buyers"};
constexpr std::array<std::string_view, 6> kFormats{"Video 15s", "Carousel", "Image A",
                                                   "Image B",   "Story",    "Collection"};
constexpr int32_t kFirstCampaigns = 17'897;  // 2019-01-01
constexpr int32_t kFlightCycleDays = 1200;
constexpr uint32_t kAdsOfGroup = 4;
constexpr uint32_t kGroupsOfCampaign = 3;

const Market* market_of(std::string_view currency) {
    for (const Market& market : kMarkets) {
        if (market.currency == currency) return &market;
    }
    return nullptr;
}

// Names of the accounts' languages: what is not ASCII must come through as well.
constexpr std::array<std::string_view, 3> kMarks{"", " – Größe", " 春"};

}  // namespace

// Makes the entities of a world, level by level.
class WorldMaker {
public:
    WorldMaker(World& world, MakeId make_id) : world_(world), settings_(world.settings_), make_id_(make_id) {}

    Result<void> make() {
        if (settings_.data != nullptr) {
            TRY(take_given());
        } else {
            TRY(make_up());
        }
        close_ranges();
        for (size_t level = 0; level < 4; ++level) {
            for (const Entity& entity : world_.levels_[level]) {
                if (world_.by_id_[level].emplace(entity.id, entity.index).second) continue;
                return Error(ErrorKind::invalid_config, "id is not unique: " + entity.id + "; give each one once");
            }
        }
        return {};
    }

private:
    std::vector<Entity>& level(Level which) { return world_.levels_[static_cast<size_t>(which)]; }

    // Adds one below `parent`, which is the last of its level.
    Entity& add(Level which) {
        auto& entities = level(which);
        Entity entity;
        entity.level = which;
        entity.index = static_cast<uint32_t>(entities.size());
        if (which != Level::account) {
            const Entity& parent = level(static_cast<Level>(static_cast<int>(which) - 1)).back();
            entity.parent = parent.index;
            entity.account = parent.account;
            entity.campaign = which == Level::campaign ? entity.index : parent.campaign;
        } else {
            entity.account = entity.index;
        }
        const uint64_t rolled = dice(settings_.seed, static_cast<uint64_t>(which), entity.index);
        entity.kind = static_cast<uint32_t>(rolled >> 40U);
        entities.push_back(std::move(entity));
        return entities.back();
    }

    Result<void> make_up() {
        for (uint32_t account = 0; account < settings_.accounts; ++account) {
            const Market& market = kMarkets[account % kMarkets.size()];
            Entity& entity = add(Level::account);
            entity.name = "Acme " + std::string(market.country) + " " + std::to_string(account + 1);
            TRY(add_details(market, std::string(market.time_zone)));
            run_for_ever(entity);
            const uint32_t ads =
                settings_.ads / settings_.accounts + (account < settings_.ads % settings_.accounts ? 1 : 0);
            for (uint32_t made = 0; made < ads;)
                made += make_campaign(std::min(ads - made, kAdsOfGroup * kGroupsOfCampaign));
        }
        for (size_t which = 0; which < 4; ++which) {
            for (Entity& entity : world_.levels_[which]) {
                entity.id = make_id_(static_cast<Level>(which), entity.index, settings_.seed);
                finish(entity);
            }
        }
        return {};
    }

    Result<void> add_details(const Market& market, const std::string& time_zone) {
        AccountDetails details;
        details.currency = market.currency;
        details.price_level = market.price_level;
        details.coin_micros = market.coin_micros;
        details.time_zone = time_zone;
        details.zone = TRY(Zone::find(time_zone));
        details.today = details.zone->day_at(world_.now());
        world_.details_.push_back(std::move(details));
        return {};
    }

    // The number of ads made.
    uint32_t make_campaign(uint32_t ads) {
        Entity& campaign = add(Level::campaign);
        campaign.name = std::string(kThemes[campaign.kind % kThemes.size()]) + " " +
                        std::to_string(campaign.index + 1) + std::string(kMarks[campaign.kind / 7 % kMarks.size()]);
        run_for_a_while(campaign);
        for (uint32_t made = 0; made < ads; made += kAdsOfGroup) {
            Entity& group = add(Level::ad_group);
            const Entity& parent = level(Level::campaign).back();
            group.name =
                std::string(kAudiences[group.kind % kAudiences.size()]) + " " + std::to_string(group.index + 1);
            group.first_day = parent.first_day;
            group.end_day = parent.end_day;
            for (uint32_t i = made; i < std::min(ads, made + kAdsOfGroup); ++i) make_ad();
        }
        return ads;
    }

    void make_ad() {
        Entity& ad = add(Level::ad);
        const Entity& group = level(Level::ad_group).back();
        ad.name = std::string(kFormats[ad.kind % kFormats.size()]) + " " + std::to_string(ad.index + 1);
        ad.first_day = group.first_day;
        ad.end_day = group.end_day;
        if (ad.kind % 3 != 0) return;
        // Some ads of a group begin later than it, or end sooner.
        const auto [first, end] = flight(dice(settings_.seed, 23, ad.index), 60, 500);
        if (std::max(first, group.first_day) >= std::min(end, group.end_day)) return;
        ad.first_day = std::max(first, group.first_day);
        ad.end_day = std::min(end, group.end_day);
    }

    // Days of a flight, the last one to begin until today. Flights come again after more than the months that platforms
    // keep, so what day it is does not change the days before.
    std::pair<int32_t, int32_t> flight(uint64_t rolled, int32_t least_days, int32_t most_days) const {
        const auto offset = static_cast<int32_t>(rolled % kFlightCycleDays);
        const int32_t since = ((settings_.today - offset) % kFlightCycleDays + kFlightCycleDays) % kFlightCycleDays;
        const int32_t days =
            least_days + static_cast<int32_t>(rolled / 4096 % static_cast<uint64_t>(most_days - least_days));
        return {settings_.today - since, settings_.today - since + days};
    }
    void run_for_ever(Entity& entity) {
        entity.first_day = kFirstCampaigns + static_cast<int32_t>(entity.kind % 365);
        entity.end_day = kNoEnd;
    }
    void run_for_a_while(Entity& campaign) {
        run_for_ever(campaign);
        if (campaign.kind % 5 < 3) return;
        const auto [first, end] = flight(dice(settings_.seed, 21, campaign.index), 30, 230);
        campaign.first_day = first;
        campaign.end_day = end;
    }

    // What follows from the days it runs and from what day it is.
    void finish(Entity& entity) {
        const uint64_t rolled = dice(settings_.seed, 22, static_cast<uint64_t>(entity.level), entity.index);
        const auto second_of_day = std::chrono::seconds(rolled % 86'400);
        const auto period = static_cast<int32_t>(45 + rolled / 86'400 % 75);
        const int32_t made_on = std::min(entity.first_day, settings_.today) - 1;
        entity.created = Timestamp(std::chrono::days(made_on) + second_of_day);
        entity.version = static_cast<uint32_t>(std::max(0, settings_.today - 1 - made_on) / period);
        entity.updated = entity.created + std::chrono::days(static_cast<int32_t>(entity.version) * period);
        const double level = world_.details_[entity.account].price_level;
        entity.daily_budget_micros =
            static_cast<int64_t>((20 + entity.kind % 10 * 15 + entity.version % 4 * 5) * level) * 1'000'000;
        if (settings_.data == nullptr && settings_.today >= entity.end_day) {
            entity.status = entity.kind % 4 == 0 ? Status::removed : Status::paused;
        }
    }

    Result<void> take_given() {
        const UserData& data = *settings_.data;
        std::map<std::string_view, std::vector<const UserData::Row*>> children[4];
        for (size_t which = 1; which < 4; ++which) {
            for (const auto& row : data.levels[which]) children[which][row.parent_id].push_back(&row);
        }
        for (const auto& row : data.levels[0]) {
            TRY(take_account(row));
            take_children(row.id, 1, children);
        }
        for (size_t which = 0; which < 4; ++which) {
            for (Entity& entity : world_.levels_[which]) finish(entity);
        }
        static const std::vector<GivenDay> kNoDays;
        for (const Entity& ad : level(Level::ad)) {
            const auto days = data.ads.find(ad.id);
            world_.given_.push_back(days == data.ads.end() ? &kNoDays : &days->second);
        }
        return {};
    }

    Result<void> take_account(const UserData::Row& row) {
        Entity& entity = add(Level::account);
        take(row, entity);
        const std::string currency = row.currency.empty() ? "USD" : row.currency;
        const Market* known = market_of(currency);
        Market market = known == nullptr ? kMarkets[1] : *known;
        market.currency = currency;
        return add_details(market, row.time_zone.empty() ? "UTC" : row.time_zone);
    }

    void take_children(std::string_view parent, size_t which,
                       const std::map<std::string_view, std::vector<const UserData::Row*>> (&children)[4]) {
        const auto found = children[which].find(parent);
        if (found == children[which].end()) return;
        for (const UserData::Row* row : found->second) {
            take(*row, add(static_cast<Level>(which)));
            if (which < 3) take_children(row->id, which + 1, children);
        }
    }

    void take(const UserData::Row& row, Entity& entity) {
        entity.id = row.id;
        entity.name = row.name.empty() ? row.id : row.name;
        const std::string status = to_lower(row.status);
        if (status == "paused" || status == "disabled") entity.status = Status::paused;
        if (status == "removed" || status == "deleted" || status == "archived") entity.status = Status::removed;
        entity.first_day = settings_.data->first_day;
        entity.end_day = kNoEnd;
    }

    // From each one's parent: which children and which ads are below.
    void close_ranges() {
        for (size_t which = 3; which > 0; --which) {
            for (Entity& entity : world_.levels_[which]) {
                if (which == 3) {
                    entity.first_ad = entity.index;
                    entity.end_ad = entity.index + 1;
                }
                Entity& parent = world_.levels_[which - 1][entity.parent];
                if (parent.end_child == 0) {
                    parent.first_child = entity.index;
                    parent.first_ad = entity.first_ad;
                }
                parent.end_child = entity.index + 1;
                parent.end_ad = std::max(parent.end_ad, entity.end_ad);
            }
        }
    }

    World& world_;
    const WorldSettings& settings_;
    const MakeId make_id_;
};

Result<std::shared_ptr<const World>> World::create(const WorldSettings& settings, MakeId make_id) {
    std::shared_ptr<World> world(new World(settings));
    TRY(WorldMaker(*world, make_id).make());
    return std::shared_ptr<const World>(std::move(world));
}

}  // namespace shaduf::sandbox
