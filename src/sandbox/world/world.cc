#include "sandbox/world/world.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.h"
#include "sandbox/world/dice.h"
#include "sandbox/world/user_data.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox {
namespace {

// How much of an average day a month's first day is; between them, straight lines.
constexpr std::array<double, 12> kSeason{0.86, 0.84, 0.92, 0.96, 1.00, 0.98, 0.93, 0.92, 1.00, 1.05, 1.32, 1.25};
// Monday first: who sells to people, and who sells to companies.
constexpr std::array<std::array<double, 7>, 2> kWeekdays{
    {{0.94, 0.92, 0.94, 0.97, 1.03, 1.12, 1.08}, {1.14, 1.17, 1.15, 1.10, 1.00, 0.70, 0.74}}};
constexpr double kDaysInYear = 365.2425;
// Per thousand of the delivery and of the purchases that are known after so many days.
constexpr std::array<int64_t, 3> kDeliveryKnown{550, 985, 996};
constexpr std::array<int64_t, kSettlingDays> kPurchasesKnown{240, 360, 470, 560, 630, 690, 735, 775, 805, 830,
                                                             850, 868, 884, 898, 910, 921, 931, 940, 948, 955,
                                                             962, 968, 974, 980, 985, 990, 994, 997};
constexpr double kIdleShare = 0.06;  // of its days that an ad does not run
constexpr int64_t kThousand = 1000;

double season(int32_t day) {
    const double month = std::fmod(static_cast<double>(day), kDaysInYear) / kDaysInYear * 12;
    const auto from = static_cast<size_t>(month) % kSeason.size();
    const double way = month - std::floor(month);
    return kSeason[from] * (1 - way) + kSeason[(from + 1) % kSeason.size()] * way;
}

double weekday(uint64_t account_kind, int32_t day) {
    return kWeekdays[account_kind % kWeekdays.size()][static_cast<size_t>(day + 3) % 7];
}

int64_t to_coins(double micros, int64_t coin_micros) {
    return std::llround(micros / static_cast<double>(coin_micros)) * coin_micros;
}

int64_t scaled(int64_t value, int64_t per_thousand) { return value * per_thousand / kThousand; }

void scale_delivery(Metrics& metrics, int64_t per_thousand, int64_t coin) {
    for (const auto number : {&Metrics::impressions, &Metrics::clicks, &Metrics::link_clicks, &Metrics::engagements,
                              &Metrics::video_views, &Metrics::reached}) {
        metrics.*number = scaled(metrics.*number, per_thousand);
    }
    metrics.spend_micros = scaled(metrics.spend_micros, per_thousand) / coin * coin;
}

void scale_results(Metrics& metrics, int64_t per_thousand, int64_t coin) {
    const int64_t before = metrics.purchases;
    metrics.purchases = scaled(metrics.purchases, per_thousand);
    metrics.leads = scaled(metrics.leads, per_thousand);
    // What is left of the value goes with the purchases, so that their average stays.
    metrics.purchase_value_micros =
        before == 0 ? 0 : metrics.purchase_value_micros / before * metrics.purchases / coin * coin;
}

// Numbers of a day long ago.
Metrics settled(uint64_t key, uint64_t account_kind, int32_t day, double budget, int64_t coin) {
    const uint64_t today = dice(key, static_cast<uint64_t>(static_cast<int64_t>(day)));
    if (unit(today) < kIdleShare) return {};
    const double size = static_cast<double>(120U << (dice(key, 1) % 6)) * between(dice(key, 2), 0.7, 1.3);
    Metrics metrics;
    metrics.impressions =
        static_cast<int64_t>(size * season(day) * weekday(account_kind, day) * between(dice(today, 3), 0.7, 1.3));
    if (metrics.impressions == 0) return {};
    const auto shown = static_cast<double>(metrics.impressions);
    metrics.reached = std::max<int64_t>(1, static_cast<int64_t>(shown * between(dice(today, 4), 0.6, 0.9)));
    metrics.clicks = round_by_chance(shown * between(dice(key, 5), 0.006, 0.035), dice(today, 5));
    metrics.link_clicks = round_by_chance(static_cast<double>(metrics.clicks) * 0.8, dice(today, 6));
    metrics.engagements = metrics.clicks + round_by_chance(shown * 0.004, dice(today, 7));
    if (dice(key, 8) % 3 == 0) metrics.video_views = round_by_chance(shown * 0.27, dice(today, 8));
    const double price = between(dice(key, 9), 2.0, 14.0) * between(dice(today, 9), 0.9, 1.1) / kThousand;
    metrics.spend_micros = std::max(coin, to_coins(shown * price * budget * 1e6, coin));
    const auto visits = static_cast<double>(metrics.link_clicks);
    metrics.leads = round_by_chance(visits * 0.05, dice(today, 10));
    metrics.purchases = round_by_chance(visits * between(dice(key, 11), 0.01, 0.08), dice(today, 11));
    const double basket = between(dice(key, 12), 15, 120) * between(dice(today, 12), 0.9, 1.1) * budget;
    metrics.purchase_value_micros = to_coins(static_cast<double>(metrics.purchases) * basket * 1e6, coin);
    metrics.cells = 1;
    return metrics;
}

}  // namespace

World::~World() = default;

Timestamp World::now() const { return Timestamp(std::chrono::days(settings_.today) + std::chrono::hours(12)); }

const Entity* World::find(Level level, std::string_view id) const {
    const auto& ids = by_id_[static_cast<size_t>(level)];
    const auto found = ids.find(id);
    return found == ids.end() ? nullptr : &entity(level, found->second);
}

const Entity& World::above(const Entity& entity, Level level) const {
    SHADUF_ASSERT(level <= entity.level);
    const Entity* at = &entity;
    while (at->level != level) at = &this->entity(static_cast<Level>(static_cast<int>(at->level) - 1), at->parent);
    return *at;
}

uint64_t World::key_of(const Entity& ad) const { return dice(settings_.seed, 17, ad.index); }

void World::settle(const Entity& ad, int32_t day, Metrics& metrics) const {
    const AccountDetails& account = details(ad);
    const auto& restatements = settings_.restatements;
    for (size_t i = restatements.size(); i > 0; --i) {
        if (restatements[i - 1].today - day >= kSettlingDays || day > restatements[i - 1].today + 1) continue;
        const uint64_t rolled = dice(key_of(ad), static_cast<uint64_t>(static_cast<int64_t>(day)), i);
        scale_delivery(metrics, kThousand - 30 + static_cast<int64_t>(rolled % 61), account.coin_micros);
        scale_results(metrics, kThousand - 30 + static_cast<int64_t>(rolled / 61 % 91), account.coin_micros);
        break;
    }
    const auto age = static_cast<size_t>(account.today - day);
    if (settings_.data != nullptr) return;  // the user's numbers are what they are
    if (age < kDeliveryKnown.size()) scale_delivery(metrics, kDeliveryKnown[age], account.coin_micros);
    if (age < kPurchasesKnown.size()) scale_results(metrics, kPurchasesKnown[age], account.coin_micros);
}

Metrics World::measure(const Entity& ad, int32_t day) const {
    const AccountDetails& account = details(ad);
    if (day < ad.first_day || day >= ad.end_day || day > account.today || day < first_day()) return {};
    Metrics metrics;
    if (settings_.data != nullptr) {
        const auto& days = *given_[ad.index];
        const auto at = std::lower_bound(days.begin(), days.end(), day,
                                         [](const GivenDay& given, int32_t wanted) { return given.day < wanted; });
        if (at == days.end() || at->day != day) return {};
        metrics = at->metrics;
    } else {
        const uint64_t account_kind = dice(settings_.seed, 18, ad.account);
        metrics = settled(key_of(ad), account_kind, day, account.price_level, account.coin_micros);
        if (!metrics.has_delivery()) return {};
    }
    settle(ad, day, metrics);
    return metrics.has_delivery() ? metrics : Metrics{};
}

Metrics World::measure_range(const Entity& entity, int32_t first, int32_t last) const {
    Metrics sum;
    const auto& ads = entities(Level::ad);
    for (uint32_t ad = entity.first_ad; ad < entity.end_ad; ++ad) {
        const int32_t until = std::min({last, ads[ad].end_day - 1, details(entity).today});
        for (int32_t day = std::max({first, ads[ad].first_day, first_day()}); day <= until; ++day) {
            sum += measure(ads[ad], day);
        }
    }
    return sum;
}

}  // namespace shaduf::sandbox
