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
// Rows. With y = ln(1 + rows) of the loads that are not off, of the last 8 weeks where those are 28 or more, the model
// is
//     y = level + trend * days + hour[h] + weekday[w] + cell[weekend][h] + residual,
// fitted by going round: the trend is Theil's incomplete estimator (the median of the slopes between loads half the
// history apart; Theil 1950), the level and the effects of hours and weekdays are medians of what the others leave
// (median polish; Tukey, Exploratory Data Analysis, 1977, chapter 11), and an hour of weekends, or of the other days,
// that was seen three times or more gets the median of what is left there, times n / (n + 1). Hours and weekdays are
// each taken in only where they make the 90th percentile of |residual| times sqrt(n / (n - p)) smaller by 15 % or more,
// p being the effects fitted: else they would fit noise. So is the drift, the median of the last 7 residuals, which a
// trend that is no line leaves.
// The scale is 1.4826 times the median of |residual| (MAD; Hampel 1974), of the same hour where that has 8 or more,
// times sqrt(n / (n - p)); at least 0.05, and 1 / sqrt(1 + expected rows), as counts vary by chance alone.
// A load is low or high when |y - expected| is more than (3.5 + 12 / (n - p)) scales (3.5: Iglewicz and Hoaglin 1993),
// the wider the less is known, and the rows are less than 0.7 of what is expected, or more than 2 times. Nothing is
// said before there are 8 loads, nor of an hour or a weekday that was never seen: it is being learned.
//
// Zero rows, where the loads around that hour had rows: three of them where nine of ten have 5 rows or more, else 30;
// of all of them at most one in 20 had none.
//
// Freshness. Late is a gap of more than twice the median, and 1.25 times the 99th percentile, of the gaps that began in
// the same hour of the same weekday (where three or more are known and alike), else in the same hour (five), else of
// all n, there (1.5 + 12.5 / n) times; and 5 minutes. Before 8 loads there is no limit, and before they span 8 days, as
// nights and weekends are not known yet, it is 3 days at least.
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
    // nullopt: it is not known yet.
    std::optional<Rows> rows_at(Timestamp time) const;

private:
    struct Point {
        double day = 0;
        double y = 0;
        double rest = 0;  // what the other parts of the model leave, while it is fitted
        int hour = 0;
        int weekday = 0;
    };
    // Which effects there are.
    struct Parts {
        bool hours = false;
        bool weekdays = false;
    };
    void choose();
    double fit(Parts parts);  // how far off the worst tenth is
    void fit_trend();
    void fit_effects(Parts parts);
    void fit_cells();
    void fit_drift(std::vector<double>& rests);
    void fit_scale();
    double rest_of(const Point& point) const;
    double effect(const Point& point) const;
    Point point_at(Timestamp time) const;
    std::optional<int> known_hour(int hour) const;

    const LoadHistory& history_;
    std::vector<Point> points_;
    Timestamp zero_{};
    double level_ = 0;
    double drift_ = 0;  // of the last loads, beside the trend
    double trend_ = 0;
    std::array<double, 24> hours_{};
    std::array<int, 24> hour_counts_{};
    std::array<double, 24> hour_scales_{};
    std::array<double, 7> weekdays_{};
    std::array<int, 7> weekday_counts_{};
    std::map<std::pair<bool, int>, double> cells_;  // of weekends or not, and hours
    std::map<std::pair<bool, int>, int> cell_counts_;
    Parts chosen_;
    size_t effects_ = 1;
    double scale_ = 0;
};

// Whether no rows at that time are out of the usual.
bool has_rows_at(const LoadHistory& history, Timestamp time);
// How long after a load at that time the next one is late; nullopt: it is not known yet.
std::optional<std::chrono::seconds> late_after(const LoadHistory& history, Timestamp load);
// The median of all gaps; 0: there are none.
std::chrono::seconds usual_gap(const LoadHistory& history);
// "learning, 3 of 8 loads"; "": it is learned.
std::string learning_of(const LoadHistory& history);

double median_of(std::vector<double> values);                  // 0: there are none
double quantile_of(std::vector<double> values, double share);  // 0: there are none; of few the larger
int hour_of_day(Timestamp time);                               // 0 to 23, UTC
int weekday_of(Timestamp time);                                // 0 to 6, from Sunday

}  // namespace shaduf::observe
