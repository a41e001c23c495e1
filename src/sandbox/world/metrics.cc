#include "sandbox/world/metrics.h"

#include <array>
#include <cmath>

#include "sandbox/world/dice.h"

namespace shaduf::sandbox {
namespace {

// The numbers that are parted, impressions last: by them it is known which parts there are.
constexpr std::array<int64_t Metrics::*, 10> kParted{
    &Metrics::clicks,  &Metrics::link_clicks, &Metrics::engagements,  &Metrics::video_views,
    &Metrics::leads,   &Metrics::purchases,   &Metrics::spend_micros, &Metrics::purchase_value_micros,
    &Metrics::reached, &Metrics::impressions};

bool is_money(int64_t Metrics::*number) {
    return number == &Metrics::spend_micros || number == &Metrics::purchase_value_micros;
}

std::vector<Metrics> split_metrics(const Metrics& metrics, std::span<const double> weights, int64_t coin_micros) {
    std::vector<Metrics> parts(weights.size());
    std::vector<int64_t> values(weights.size());
    for (const auto number : kParted) {
        const int64_t unit = is_money(number) ? coin_micros : 1;
        split_number(metrics.*number / unit, weights, values);
        for (size_t i = 0; i < parts.size(); ++i) parts[i].*number = values[i] * unit;
    }
    Metrics* largest = &parts.front();
    for (Metrics& part : parts) largest = part.impressions > largest->impressions ? &part : largest;
    for (Metrics& part : parts) {
        if (!part.has_delivery()) {  // it will be left out: what rounding gave it goes elsewhere
            *largest += part;
            part = {};
        }
        part.cells = metrics.cells;
    }
    return parts;
}

}  // namespace

Metrics& Metrics::operator+=(const Metrics& other) {
    impressions += other.impressions;
    clicks += other.clicks;
    link_clicks += other.link_clicks;
    engagements += other.engagements;
    video_views += other.video_views;
    leads += other.leads;
    purchases += other.purchases;
    spend_micros += other.spend_micros;
    purchase_value_micros += other.purchase_value_micros;
    reached += other.reached;
    cells += other.cells;
    return *this;
}

void split_number(int64_t total, std::span<const double> weights, std::span<int64_t> parts) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    double seen = 0;
    int64_t given = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
        seen += weights[i];
        const int64_t until = i + 1 == weights.size() ? total : std::llround(static_cast<double>(total) * (seen / sum));
        parts[i] = until - given;
        given = until;
    }
}

std::vector<Part> break_down(const Metrics& metrics, uint64_t key, std::span<const Dimension* const> dimensions,
                             int64_t coin_micros) {
    std::vector<Part> parts;
    parts.push_back({{}, metrics});
    for (size_t d = 0; d < dimensions.size(); ++d) {
        const auto shares = dimensions[d]->shares;
        std::vector<double> weights;
        for (size_t i = 0; i < shares.size(); ++i) {
            weights.push_back(shares[i].weight * between(dice(key, d, shares.size(), i), 0.5, 1.5));
        }
        std::vector<Part> finer;
        for (const Part& part : parts) {
            const auto split_parts = split_metrics(part.metrics, weights, coin_micros);
            for (size_t i = 0; i < split_parts.size(); ++i) {
                if (!split_parts[i].has_delivery()) continue;
                finer.push_back({part.shares, split_parts[i]});
                finer.back().shares.push_back(static_cast<uint16_t>(i));
            }
        }
        parts = std::move(finer);
    }
    return parts;
}

}  // namespace shaduf::sandbox
