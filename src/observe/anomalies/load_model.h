#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "observe/anomalies/load_history.h"

namespace shaduf::observe {

// What is usual for a table, learned from its loads by robust statistics, so that one bad load among them, and even a
// quarter of them, moves it little. Hours and weekdays are those of UTC.
//
// Rows. With y = ln(1 + rows) of the loads that are not off, the model is
//     y = level + trend * days + hour[h] + weekday[w] + cell[w][h] + residual,
// fitted by going round: the trend is Theil's incomplete estimator (the median of the slopes between loads half the
// history apart; Theil 1950), the level and the effects of hours and weekdays are medians of what the others leave
// (median polish; Tukey, Exploratory Data Analysis, 1977, chapter 11), and a weekday's hour of its own that was seen
// three times or more gets the median of what is left there, times n / (n + 2).
// The scale is 1.4826 times the median of |residual| (MAD; Hampel 1974), of the same hour where that has 8 or more,
// times sqrt(n / (n - p)) for the p effects that were fitted; at least 0.05, and 1 / sqrt(1 + expected rows), as
// counts vary by chance alone.
// A load is low or high when |y - expected| is more than (4 + 16 / (n - p)) scales, the wider the less is known, and
// the rows are less than 0.7 of what is expected, or more than 2 times. Nothing is said before n is 8 and n - p is
// 5, nor of an hour or a weekday that was never seen: it is being learned.
//
// Zero rows, where the loads around that hour had rows: three of them when they usually have 5 or more rows, 30 when
// they have fewer; of all of them at most one in 20 had none.
//
// Freshness. Late is a gap of more than twice the median, and 1.25 times the 99th percentile, of the gaps that
// began in the same hour of the same weekday (where three or more are known), else in the same hour (five), else of
// all; and 5 minutes. Before 8 loads there is no limit, and before they span 8 days, as nights and weekends are not
// known yet, it is 3 days at least.
class LoadModel {
public:
    static constexpr size_t kLoadsMin = 8;

    explicit LoadModel(const LoadHistory& history);

    struct Rows {
        double expected = 0;  // rows
        double low = 0;       // fewer are too few,
        double high = 0;      // more are too many
        double center = 0;    // as logarithms
        double scale = 0;
    };
    // nullopt: it is not known yet; `learning` says how far it has come.
    std::optional<Rows> rows_at(Timestamp time) const;
    // Whether no rows at that time are out of the usual.
    bool has_rows_at(Timestamp time) const;
    // How long after a load at that time the next one is late; nullopt: it is not known yet.
    std::optional<std::chrono::seconds> late_after(Timestamp load) const;
    // The median of all gaps; 0: there are none.
    std::chrono::seconds usual_gap() const;
    // "learning, 3 of 8 loads"; "": it is learned.
    std::string learning() const;

private:
    struct Point {
        double day = 0;
        double y = 0;
        double rest = 0;  // what the other parts of the model leave, while it is fitted
        int hour = 0;
        int weekday = 0;
    };
    void fit();
    void fit_trend();
    void fit_effects();
    void fit_cells();
    void fit_scale();
    double effect(const Point& point) const;
    Point point_at(Timestamp time) const;
    std::optional<int> known_hour(int hour) const;

    const LoadHistory& history_;
    std::vector<Point> points_;
    Timestamp zero_{};
    size_t learned_ = 0;  // loads that are not off
    double level_ = 0;
    double trend_ = 0;
    std::array<double, 24> hours_{};
    std::array<int, 24> hour_counts_{};
    std::array<double, 24> hour_scales_{};
    std::array<double, 7> weekdays_{};
    std::array<int, 7> weekday_counts_{};
    std::map<std::pair<int, int>, double> cells_;
    size_t effects_ = 1;
    double scale_ = 0;
};

double median_of(std::vector<double> values);                  // 0: there are none
double quantile_of(std::vector<double> values, double share);  // 0: there are none
int hour_of_day(Timestamp time);                               // 0 to 23, UTC
int weekday_of(Timestamp time);                                // 0 to 6, from Sunday

}  // namespace shaduf::observe
