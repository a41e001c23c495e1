#include "observe/anomalies/load_model.h"

#include <algorithm>
#include <cmath>

namespace shaduf::observe {
namespace {

constexpr double kMadToSigma = 1.4826;
constexpr double kScaleMin = 0.05;
constexpr double kScales = 4;
constexpr double kScalesUnknown = 16;  // by degree of freedom
constexpr double kLowAt = 0.7;
constexpr double kHighAt = 2;
constexpr int kRounds = 5;
constexpr size_t kFreedomMin = 5;
constexpr size_t kTrendMin = 14;
constexpr double kTrendDaysMin = 7;
constexpr int kCellMin = 3;
constexpr int kHourScaleMin = 8;
constexpr int kZeroMin = 3;
constexpr int kZeroFewMin = 30;
constexpr double kFewRows = 5;
constexpr int kZeroShare = 20;
constexpr double kSpanDays = 8;
constexpr size_t kSlotGapsMin = 3;
constexpr size_t kHourGapsMin = 5;
constexpr double kGapMedians = 2;
constexpr double kGapQuantile = 1.25;
constexpr double kGapShare = 0.99;
constexpr std::chrono::seconds kGapGrace{300};
constexpr std::chrono::seconds kGapUnknown{73 * 3600};

double days_between(Timestamp from, Timestamp to) { return std::chrono::duration<double>(to - from).count() / 86'400; }

int hours_apart(int a, int b) {
    const int apart = std::abs(a - b);
    return std::min(apart, 24 - apart);
}

}  // namespace

double quantile_of(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto last = static_cast<double>(values.size() - 1);
    const auto at = static_cast<std::ptrdiff_t>(std::ceil(last * share));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<size_t>(at)];
}

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

int hour_of_day(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return static_cast<int>(std::chrono::floor<std::chrono::hours>(time - day).count());
}

int weekday_of(Timestamp time) {
    const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(time));
    return static_cast<int>(day.c_encoding());
}

LoadModel::LoadModel(const LoadHistory& history) : history_(history) {
    if (!history.loads.empty()) zero_ = history.loads.front().at;
    for (const Load& load : history.loads) {
        if (load.is_off) continue;
        ++learned_;
        if (load.rows <= 0) continue;  // those without rows are told apart, by has_rows_at
        Point point = point_at(load.at);
        point.y = std::log1p(static_cast<double>(load.rows));
        points_.push_back(point);
    }
    if (!points_.empty()) fit();
}

LoadModel::Point LoadModel::point_at(Timestamp time) const {
    return {days_between(zero_, time), 0, 0, hour_of_day(time), weekday_of(time)};
}

double LoadModel::effect(const Point& point) const {
    const auto hour = known_hour(point.hour);
    return level_ + trend_ * point.day + (hour ? hours_[static_cast<size_t>(*hour)] : 0) +
           weekdays_[static_cast<size_t>(point.weekday)];
}

// That hour, or the one beside it: loads do not begin to the second.
std::optional<int> LoadModel::known_hour(int hour) const {
    for (const int near : {hour, (hour + 23) % 24, (hour + 1) % 24}) {
        if (hour_counts_[static_cast<size_t>(near)] > 0) return near;
    }
    return std::nullopt;
}

void LoadModel::fit() {
    for (const Point& point : points_) {
        ++hour_counts_[static_cast<size_t>(point.hour)];
        ++weekday_counts_[static_cast<size_t>(point.weekday)];
    }
    const auto seen = [](int count) { return count > 0; };
    effects_ = static_cast<size_t>(std::count_if(hour_counts_.begin(), hour_counts_.end(), seen) +
                                   std::count_if(weekday_counts_.begin(), weekday_counts_.end(), seen)) -
               1;
    for (int round = 0; round < kRounds; ++round) {
        fit_trend();
        fit_effects();
    }
    fit_cells();
    fit_scale();
}

void LoadModel::fit_trend() {
    for (Point& point : points_) {
        point.rest = point.y - hours_[static_cast<size_t>(point.hour)] - weekdays_[static_cast<size_t>(point.weekday)];
    }
    trend_ = 0;
    const size_t half = points_.size() / 2;
    if (points_.size() >= kTrendMin && points_.back().day - points_.front().day >= kTrendDaysMin) {
        std::vector<double> slopes;
        for (size_t i = 0; i + half < points_.size(); ++i) {
            const double days = points_[i + half].day - points_[i].day;
            if (days > 0) slopes.push_back((points_[i + half].rest - points_[i].rest) / days);
        }
        trend_ = median_of(std::move(slopes));
    }
    std::vector<double> levels;
    for (const Point& point : points_) levels.push_back(point.rest - trend_ * point.day);
    level_ = median_of(std::move(levels));
}

void LoadModel::fit_effects() {
    const auto medians = [&](auto& effects, int Point::*part) {
        std::array<std::vector<double>, 24> left;
        for (const Point& point : points_) {
            const auto at = static_cast<size_t>(point.*part);
            left[at].push_back(point.y - effect(point) + effects[at]);
        }
        for (size_t at = 0; at < effects.size(); ++at) effects[at] = median_of(std::move(left[at]));
    };
    medians(hours_, &Point::hour);
    medians(weekdays_, &Point::weekday);
}

void LoadModel::fit_cells() {
    std::map<std::pair<int, int>, std::vector<double>> left;
    for (const Point& point : points_) left[{point.weekday, point.hour}].push_back(point.y - effect(point));
    // Where there is but one hour, or one weekday, cells would say the same again.
    if (effects_ < 8) return;
    for (auto& [cell, values] : left) {
        const auto count = static_cast<double>(values.size());
        if (values.size() >= kCellMin) cells_[cell] = median_of(std::move(values)) * count / (count + 2);
    }
    effects_ += cells_.size();
}

void LoadModel::fit_scale() {
    std::vector<double> all;
    std::array<std::vector<double>, 24> by_hour;
    for (const Point& point : points_) {
        const auto cell = cells_.find({point.weekday, point.hour});
        const double rest = std::abs(point.y - effect(point) - (cell == cells_.end() ? 0 : cell->second));
        all.push_back(rest);
        by_hour[static_cast<size_t>(point.hour)].push_back(rest);
    }
    const auto count = static_cast<double>(points_.size());
    const double freedom = std::max(count - static_cast<double>(effects_), 1.0);
    const double wider = kMadToSigma * std::sqrt(count / freedom);
    scale_ = median_of(std::move(all)) * wider;
    for (size_t hour = 0; hour < by_hour.size(); ++hour) {
        const bool is_known = by_hour[hour].size() >= kHourScaleMin;
        hour_scales_[hour] = is_known ? std::max(median_of(std::move(by_hour[hour])) * wider, scale_ / 2) : scale_;
    }
}

std::optional<LoadModel::Rows> LoadModel::rows_at(Timestamp time) const {
    if (points_.size() < kLoadsMin || points_.size() < effects_ + kFreedomMin) return std::nullopt;
    Point point = point_at(time);
    const auto hour = known_hour(point.hour);
    if (!hour || weekday_counts_[static_cast<size_t>(point.weekday)] == 0) return std::nullopt;
    point.hour = *hour;
    const auto cell = cells_.find({point.weekday, point.hour});
    Rows rows;
    rows.center = effect(point) + (cell == cells_.end() ? 0 : cell->second);
    rows.expected = std::max(std::expm1(rows.center), 0.0);
    rows.scale = std::max({hour_scales_[static_cast<size_t>(*hour)], kScaleMin, 1 / std::sqrt(1 + rows.expected)});
    const double seen =
        std::min(hour_counts_[static_cast<size_t>(*hour)], weekday_counts_[static_cast<size_t>(point.weekday)]);
    rows.scale *= std::sqrt(1 + 1 / seen);
    const double freedom = static_cast<double>(points_.size() - effects_);
    const double width = rows.scale * (kScales + kScalesUnknown / freedom);
    rows.low = std::min(std::expm1(rows.center - std::max(width, -history_.low_is_usual)), kLowAt * rows.expected);
    rows.high = std::max(std::expm1(rows.center + std::max(width, history_.high_is_usual)), kHighAt * rows.expected);
    return rows;
}

bool LoadModel::has_rows_at(Timestamp time) const {
    if (history_.zero_is_usual) return false;
    const int hour = hour_of_day(time);
    std::vector<double> rows;
    int without = 0;
    for (const Load& load : history_.loads) {
        if (load.is_off || load.rows < 0 || hours_apart(hour_of_day(load.at), hour) > 1) continue;
        if (load.rows == 0) {
            ++without;
        } else {
            rows.push_back(static_cast<double>(load.rows));
        }
    }
    const auto with = static_cast<int>(rows.size());
    const int needed = median_of(std::move(rows)) >= kFewRows ? kZeroMin : kZeroFewMin;
    return with >= needed && without * kZeroShare <= with + without;
}

std::chrono::seconds LoadModel::usual_gap() const {
    std::vector<double> gaps;
    for (size_t i = 1; i < history_.loads.size(); ++i) {
        if (history_.loads[i].is_gap_off) continue;
        gaps.push_back(std::chrono::duration<double>(history_.loads[i].at - history_.loads[i - 1].at).count());
    }
    return std::chrono::seconds(static_cast<int64_t>(median_of(std::move(gaps))));
}

std::optional<std::chrono::seconds> LoadModel::late_after(Timestamp load) const {
    const auto& loads = history_.loads;
    if (loads.size() < kLoadsMin) return std::nullopt;
    std::vector<double> all, of_hour, of_slot;
    for (size_t i = 1; i < loads.size(); ++i) {
        if (loads[i].is_gap_off) continue;
        const Timestamp began = loads[i - 1].at;
        const double gap = std::chrono::duration<double>(loads[i].at - began).count();
        all.push_back(gap);
        if (hour_of_day(began) != hour_of_day(load)) continue;
        of_hour.push_back(gap);
        if (weekday_of(began) == weekday_of(load)) of_slot.push_back(gap);
    }
    const std::vector<double>& gaps = of_slot.size() >= kSlotGapsMin   ? of_slot
                                      : of_hour.size() >= kHourGapsMin ? of_hour
                                                                       : all;
    if (gaps.empty()) return std::nullopt;
    const double limit = std::max({kGapMedians * median_of(gaps), kGapQuantile * quantile_of(gaps, kGapShare),
                                   kGapQuantile * history_.gap_is_usual});
    const auto late = std::chrono::seconds(static_cast<int64_t>(limit)) + kGapGrace;
    const bool knows_weekends = days_between(loads.front().at, load) >= kSpanDays;
    return knows_weekends ? late : std::max(late, kGapUnknown);
}

std::string LoadModel::learning() const {
    size_t needed = kLoadsMin;
    if (!points_.empty()) needed = std::max(needed, effects_ + kFreedomMin);
    const size_t known = points_.empty() ? learned_ : points_.size();
    if (known >= needed) return "";
    return "learning, " + std::to_string(known) + " of " + std::to_string(needed) + " loads";
}

}  // namespace shaduf::observe
