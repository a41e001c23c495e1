#pragma once

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "observe/anomalies/load_judge.h"
#include "observe/anomalies/load_model.h"

namespace shaduf::observe {

using Rng = std::mt19937_64;

// How loads of a table come about: when the next one is, and how many rows it has.
struct Series {
    std::string name;
    std::function<Timestamp(Timestamp last, Rng& rng)> next;
    std::function<int64_t(Timestamp at, Rng& rng)> rows;
    int loads = 0;
    bool is_regular = true;  // its gaps are
};

inline Timestamp series_start() { return Timestamp(std::chrono::seconds(1'767'571'200)); }  // Monday, 2026-01-05

inline double days_since_start(Timestamp at) {
    return std::chrono::duration<double>(at - series_start()).count() / 86'400;
}

inline int64_t noisy(double rows, double spread, Rng& rng) {
    return std::max<int64_t>(std::llround(rows * std::exp(std::normal_distribution<double>(0, spread)(rng))), 0);
}

// Every `hours`, up to some minutes off.
inline auto every(double hours, double minutes_off) {
    return [hours, minutes_off](Timestamp last, Rng& rng) {
        const auto step = std::chrono::microseconds(static_cast<int64_t>(hours * 3.6e9));
        const auto due = series_start() + step * ((last - series_start() + step / 2) / step + 1);
        const double off = std::uniform_real_distribution<double>(0, minutes_off)(rng);
        return due + std::chrono::microseconds(static_cast<int64_t>(off * 6e7));
    };
}

inline bool is_weekend(Timestamp at) { return weekday_of(at) == 0 || weekday_of(at) == 6; }
inline double day_shape(Timestamp at) { return 0.15 + 0.85 * std::pow(std::sin(M_PI * hour_of_day(at) / 24.0), 2); }

inline std::vector<Series> usual_series() {
    return {
        {"daily", every(24, 20), [](Timestamp, Rng& rng) { return noisy(50'000, 0.1, rng); }, 250},
        {"daily, quiet weekends", every(24, 20),
         [](Timestamp at, Rng& rng) { return noisy(is_weekend(at) ? 4'000 : 20'000, 0.12, rng); }, 250},
        {"daily, growing by 1 % a day", every(24, 20),
         [](Timestamp at, Rng& rng) { return noisy(1'000 * std::pow(1.01, days_since_start(at)), 0.1, rng); }, 250},
        {"daily, reports restated for 28 days, slowly varying", every(24, 20),
         [](Timestamp at, Rng& rng) {
             return noisy(28 * 300 * (1 + 0.3 * std::sin(days_since_start(at) / 20)), 0.05, rng);
         },
         250},
        {"hourly, days and nights", every(1, 5),
         [](Timestamp at, Rng& rng) { return noisy(5'000 * day_shape(at), 0.15, rng); }, 1'500},
        {"hourly, days, nights and weekends", every(1, 5),
         [](Timestamp at, Rng& rng) {
             return noisy(5'000 * (is_weekend(at) ? 0.3 + 0.2 * day_shape(at) : day_shape(at)), 0.15, rng);
         },
         1'500},
        {"hourly, few rows", every(1, 5),
         [](Timestamp at, Rng& rng) { return std::poisson_distribution<int64_t>(12 * day_shape(at))(rng); }, 1'500},
        {"every quarter of an hour", every(0.25, 1), [](Timestamp, Rng& rng) { return noisy(900, 0.1, rng); }, 3'000},
        {"weekdays at 6",
         [](Timestamp last, Rng& rng) {
             Timestamp at = last;
             do {
                 at = std::chrono::floor<std::chrono::days>(at) + std::chrono::hours(30);
             } while (is_weekend(at));
             return at + std::chrono::seconds(static_cast<int64_t>(rng() % 900));
         },
         [](Timestamp at, Rng& rng) { return noisy(weekday_of(at) == 1 ? 30'000 : 10'000, 0.1, rng); }, 250},
        {"by what happens outside",
         [](Timestamp last, Rng& rng) {
             const double hours = std::exponential_distribution<double>(0.5)(rng);
             return last + std::chrono::microseconds(static_cast<int64_t>(hours * 3.6e9)) + std::chrono::seconds(60);
         },
         [](Timestamp, Rng& rng) { return noisy(300, 0.5, rng); }, 1'000, false},
        {"changes of a table, heavy tails", every(24, 20),
         [](Timestamp, Rng& rng) {
             return noisy(2'000 * std::exp(0.2 * std::student_t_distribution<double>(4)(rng)), 0.1, rng);
         },
         250},
    };
}

}  // namespace shaduf::observe
