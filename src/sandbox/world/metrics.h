#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace shaduf::sandbox {

// What one or more ads have done in one or more days. Money is in millionths of the account's currency, rounded to its
// smallest coin.
struct Metrics {
    int64_t impressions = 0;
    int64_t clicks = 0;       // on anything
    int64_t link_clicks = 0;  // of those: on the link
    int64_t engagements = 0;  // clicks, likes, comments, shares
    int64_t video_views = 0;
    int64_t leads = 0;
    int64_t purchases = 0;
    int64_t spend_micros = 0;
    int64_t purchase_value_micros = 0;
    int64_t reached = 0;  // people, summed over `cells`: who was reached twice counts twice, see reach()
    int64_t cells = 0;    // ad-days with delivery

    bool has_delivery() const { return impressions > 0; }
    // People, each counted once: in a sum of ad-days three in ten were met before.
    int64_t reach() const { return cells <= 1 ? reached : reached * 7 / 10; }
    Metrics& operator+=(const Metrics& other);
    bool operator==(const Metrics&) const = default;
};

// One part of an audience: how large it is on the average.
struct Share {
    std::string_view value;  // as the platform calls it: "25-34"
    double weight;
};

// A way to part numbers, such as by age. Static data of the platform that has it.
struct Dimension {
    std::string_view name;
    std::span<const Share> shares;
};

// Parts of `total` in proportion to weights; they sum up to it exactly, and are a pure function of the arguments.
void split_number(int64_t total, std::span<const double> weights, std::span<int64_t> parts);

// One cell of numbers that were parted by some dimensions: which share of each, in their order.
struct Part {
    std::vector<uint16_t> shares;
    Metrics metrics;
};

// `metrics` of what `key` names (an ad) by each combination of shares; combinations without an impression are left
// out, as platforms do. The additive numbers sum up to those of `metrics`; money of a part has whole coins, of
// `coin_micros`.
std::vector<Part> break_down(const Metrics& metrics, uint64_t key, std::span<const Dimension* const> dimensions,
                             int64_t coin_micros);

}  // namespace shaduf::sandbox
