#include "observe/anomalies/load_model.h"

#include <algorithm>
#include <cmath>

namespace shaduf::observe {
namespace {

constexpr double kMadToSigma = 1.4826;
constexpr double kScaleMin = 0.05;
constexpr double kScales = 3.5;
constexpr double kScalesUnknown = 12;  // by degree of freedom
constexpr double kLowAt = 0.7;
constexpr double kHighAt = 2;
constexpr int kRounds = 4;
constexpr double kWindowDays = 56;
constexpr size_t kWindowMin = 28;
constexpr std::ptrdiff_t kDriftLoads = 7;
constexpr double kWorthIt = 0.85;
constexpr double kWorstTenth = 0.9;
constexpr size_t kFreedomMin = 4;
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
constexpr double kGapQuantileOfAll = 1.5;
constexpr double kGapUnknownPart = 12.5;  // by gap
constexpr double kGapShare = 0.99;
constexpr double kAlike = 1.5;
constexpr std::chrono::seconds kGapGrace{300};
constexpr std::chrono::seconds kGapAtFirst{73 * 3600};

double days_between(Timestamp from, Timestamp to) { return std::chrono::duration<double>(to - from).count() / 86'400; }

bool is_weekend(int weekday) { return weekday == 0 || weekday == 6; }

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
        if (load.is_off || load.rows <= 0) continue;  // those without rows are told apart, by has_rows_at
        Point point = point_at(load.at);
        point.y = std::log1p(static_cast<double>(load.rows));
        points_.push_back(point);
    }
    if (points_.empty()) return;
    const double newest = points_.back().day;
    const auto recent = std::find_if(points_.begin(), points_.end(),
                                     [&](const Point& point) { return newest - point.day <= kWindowDays; });
    if (static_cast<size_t>(points_.end() - recent) >= kWindowMin) points_.erase(points_.begin(), recent);
    for (const Point& point : points_) {
        ++hour_counts_[static_cast<size_t>(point.hour)];
        ++weekday_counts_[static_cast<size_t>(point.weekday)];
        ++cell_counts_[{is_weekend(point.weekday), point.hour}];
    }
    choose();
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

void LoadModel::choose() {
    double best = 0;
    Parts chosen;
    const auto seen = [](int count) { return count > 0; };
    const bool has_hours = std::count_if(hour_counts_.begin(), hour_counts_.end(), seen) > 1;
    const bool has_weekdays = std::count_if(weekday_counts_.begin(), weekday_counts_.end(), seen) > 1;
    for (const Parts parts : {Parts{}, Parts{false, true}, Parts{true, false}, Parts{true, true}}) {
        if ((parts.hours && !has_hours) || (parts.weekdays && !has_weekdays)) continue;
        const double off = fit(parts);
        if (points_.size() < effects_ + kFreedomMin && (parts.hours || parts.weekdays)) continue;
        const bool is_first = !parts.hours && !parts.weekdays;
        if (!is_first && off > best * kWorthIt) continue;
        best = off;
        chosen = parts;
    }
    fit(chosen);
    chosen_ = chosen;
    fit_cells();
    fit_scale();
}

double LoadModel::fit(Parts parts) {
    hours_.fill(0);
    weekdays_.fill(0);
    const auto seen = [](int count) { return count > 0; };
    effects_ = 1;
    if (parts.hours) {
        effects_ += static_cast<size_t>(std::count_if(hour_counts_.begin(), hour_counts_.end(), seen)) - 1;
    }
    if (parts.weekdays) {
        effects_ += static_cast<size_t>(std::count_if(weekday_counts_.begin(), weekday_counts_.end(), seen)) - 1;
    }
    for (int round = 0; round < (parts.hours && parts.weekdays ? kRounds : 2); ++round) {
        fit_trend();
        fit_effects(parts);
    }
    std::vector<double> rests;
    for (const Point& point : points_) rests.push_back(std::abs(rest_of(point)));
    const auto count = static_cast<double>(points_.size());
    const double freedom = std::max(count - static_cast<double>(effects_), 1.0);
    return quantile_of(std::move(rests), kWorstTenth) * std::sqrt(count / freedom);
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

void LoadModel::fit_effects(Parts parts) {
    const auto medians = [&](auto& effects, int Point::*part) {
        std::array<std::vector<double>, 24> left;
        for (const Point& point : points_) {
            const auto at = static_cast<size_t>(point.*part);
            left[at].push_back(point.y - effect(point) + effects[at]);
        }
        for (size_t at = 0; at < effects.size(); ++at) effects[at] = median_of(std::move(left[at]));
    };
    if (parts.hours) medians(hours_, &Point::hour);
    if (parts.weekdays) medians(weekdays_, &Point::weekday);
}

void LoadModel::fit_cells() {
    if (!chosen_.hours) return;
    std::map<std::pair<bool, int>, std::vector<double>> left;
    for (const Point& point : points_) {
        left[{is_weekend(point.weekday), point.hour}].push_back(point.y - effect(point));
    }
    for (auto& [cell, values] : left) {
        const auto count = static_cast<double>(values.size());
        if (values.size() >= kCellMin) cells_[cell] = median_of(std::move(values)) * count / (count + 1);
    }
    if (points_.size() > effects_ + cells_.size() / 2) effects_ += cells_.size() / 2;
}

double LoadModel::rest_of(const Point& point) const {
    const auto cell = cells_.find({is_weekend(point.weekday), point.hour});
    return point.y - effect(point) - (cell == cells_.end() ? 0 : cell->second);
}

// Each residual beside the median of those before it; where that makes them smaller, they drift.
void LoadModel::fit_drift(std::vector<double>& rests) {
    if (rests.size() < 3 * static_cast<size_t>(kDriftLoads)) return;
    std::vector<double> plain, beside;
    for (size_t i = static_cast<size_t>(kDriftLoads); i < rests.size(); ++i) {
        const auto at = rests.begin() + static_cast<std::ptrdiff_t>(i);
        plain.push_back(rests[i]);
        beside.push_back(rests[i] - median_of({at - kDriftLoads, at}));
    }
    const auto worst = [](std::vector<double> values) {
        for (double& value : values) value = std::abs(value);
        return quantile_of(std::move(values), kWorstTenth);
    };
    if (worst(beside) > worst(plain) * kWorthIt) return;
    drift_ = median_of({rests.end() - kDriftLoads, rests.end()});
    std::copy(beside.begin(), beside.end(), rests.begin() + kDriftLoads);
}

void LoadModel::fit_scale() {
    std::vector<double> rests;
    for (const Point& point : points_) rests.push_back(rest_of(point));
    fit_drift(rests);
    std::array<std::vector<double>, 24> by_hour;
    for (size_t i = 0; i < rests.size(); ++i) {
        rests[i] = std::abs(rests[i]);
        by_hour[static_cast<size_t>(points_[i].hour)].push_back(rests[i]);
    }
    const auto count = static_cast<double>(points_.size());
    const double freedom = std::max(count - static_cast<double>(effects_), 1.0);
    const double wider = kMadToSigma * std::sqrt(count / freedom);
    scale_ = median_of(std::move(rests)) * wider;
    for (size_t hour = 0; hour < by_hour.size(); ++hour) {
        const bool is_known = by_hour[hour].size() >= kHourScaleMin;
        hour_scales_[hour] = is_known ? std::max(median_of(std::move(by_hour[hour])) * wider, scale_ / 2) : scale_;
    }
}

std::optional<LoadModel::Rows> LoadModel::rows_at(Timestamp time) const {
    if (points_.size() < kLoadsMin) return std::nullopt;
    Point point = point_at(time);
    const auto hour = known_hour(point.hour);
    if (!hour || weekday_counts_[static_cast<size_t>(point.weekday)] == 0) return std::nullopt;
    point.hour = *hour;
    const std::pair<bool, int> cell(is_weekend(point.weekday), point.hour);
    const auto seen_there = cell_counts_.find(cell);
    if (chosen_.hours && (seen_there == cell_counts_.end() || seen_there->second < kCellMin)) return std::nullopt;
    Rows rows;
    rows.center = drift_ - rest_of(point);
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

bool has_rows_at(const LoadHistory& history, Timestamp time) {
    if (history.zero_is_usual) return false;
    const int hour = hour_of_day(time);
    std::vector<double> rows;
    int without = 0, without_and_off = 0;
    for (const Load& load : history.loads) {
        if (load.rows < 0 || hours_apart(hour_of_day(load.at), hour) > 1) continue;
        if (load.rows == 0) {
            ++(load.is_off ? without_and_off : without);
        } else if (!load.is_off) {
            rows.push_back(static_cast<double>(load.rows));
        }
    }
    const auto with = static_cast<int>(rows.size());
    // The least of few, the tenth of many.
    for (double& row : rows) row = -row;
    const double few = -quantile_of(std::move(rows), kWorstTenth);
    if (few >= kFewRows) return with >= kZeroMin && without * kZeroShare <= with + without;
    // Where there are few, chance makes none now and then: what was told of before counts as well.
    without += without_and_off;
    return with >= kZeroFewMin && without * kZeroShare <= with + without;
}

std::chrono::seconds usual_gap(const LoadHistory& history) {
    std::vector<double> gaps;
    for (size_t i = 1; i < history.loads.size(); ++i) {
        if (history.loads[i].is_gap_off) continue;
        gaps.push_back(std::chrono::duration<double>(history.loads[i].at - history.loads[i - 1].at).count());
    }
    return std::chrono::seconds(static_cast<int64_t>(median_of(std::move(gaps))));
}

std::optional<std::chrono::seconds> late_after(const LoadHistory& history, Timestamp load) {
    const auto& loads = history.loads;
    if (loads.size() < LoadModel::kLoadsMin) return std::nullopt;
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
    // Of few that differ nothing follows for the next.
    const auto is_alike = [](const std::vector<double>& gaps, size_t least) {
        return gaps.size() >= least && quantile_of(gaps, 1) <= kAlike * median_of(gaps);
    };
    const std::vector<double>& gaps = is_alike(of_slot, kSlotGapsMin)   ? of_slot
                                      : is_alike(of_hour, kHourGapsMin) ? of_hour
                                                                        : all;
    if (gaps.empty()) return std::nullopt;
    const bool is_of_all = &gaps == &all;
    const double wider =
        is_of_all ? kGapQuantileOfAll + kGapUnknownPart / static_cast<double>(gaps.size()) : kGapQuantile;
    const double limit = std::max(
        {kGapMedians * median_of(gaps), wider * quantile_of(gaps, kGapShare), kGapQuantile * history.gap_is_usual});
    const auto late = std::chrono::seconds(static_cast<int64_t>(limit)) + kGapGrace;
    const bool knows_weekends = days_between(loads.front().at, load) >= kSpanDays;
    return knows_weekends ? late : std::max(late, kGapAtFirst);
}

std::string learning_of(const LoadHistory& history) {
    const auto is_learned = [](const Load& load) { return !load.is_off; };
    const auto known = static_cast<size_t>(std::count_if(history.loads.begin(), history.loads.end(), is_learned));
    if (known >= LoadModel::kLoadsMin) return "";
    return "learning, " + std::to_string(known) + " of " + std::to_string(LoadModel::kLoadsMin) + " loads";
}

}  // namespace shaduf::observe
