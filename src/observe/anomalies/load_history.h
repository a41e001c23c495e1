#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace shaduf::observe {

enum class AnomalyKind : uint8_t { freshness, volume, zero_rows };
constexpr size_t kAnomalyKinds = 3;
std::string_view to_string(AnomalyKind kind);
std::optional<AnomalyKind> anomaly_kind_of(std::string_view name);

// One load of a table that succeeded.
struct Load {
    Timestamp at{};
    int64_t rows = -1;  // written; -1: nobody knows
    std::string by;     // the try that wrote them; "" of loads long ago
    // Not learned from: the rows are not as usual, or it came besides the usual ones.
    bool is_off = false;
    // What lies before it is no usual gap: it was late, or loads between were forgotten.
    bool is_gap_off = false;
    bool operator==(const Load&) const = default;
};

// What is not as usual with a table, from when it was found until it is over and that was told.
struct Anomaly {
    AnomalyKind kind = AnomalyKind::volume;
    Timestamp at{};        // when it was found
    double expected = 0;   // rows; of freshness seconds between loads
    double found = 0;      // rows; of freshness: seconds since the last load when it was found
    double score = 0;      // how far off: in scales, of freshness in usual gaps
    std::string message;   // one line, for people
    std::string by;        // the load that showed it last
    bool is_told = false;  // that it began; while it is muted it is not
    std::optional<Timestamp> over;
    bool operator==(const Anomaly&) const = default;
};

// All that is kept of a table: its last loads and what follows from what people said. A value of the store, as JSON.
struct LoadHistory {
    static constexpr size_t kLoadsMax = 400;
    static constexpr size_t kWholeMax = 200;  // newest ones; of those before at most one an hour

    std::vector<Load> loads;  // the oldest first
    std::string flow;         // that loaded it last
    std::map<AnomalyKind, Anomaly> open;
    std::map<AnomalyKind, Timestamp> muted_until;
    // What somebody said is usual: logarithms of found by expected, a gap in seconds.
    double low_is_usual = 0;
    double high_is_usual = 0;
    double gap_is_usual = 0;
    bool zero_is_usual = false;

    bool has(std::string_view by) const;
    void add(Load load);
    bool operator==(const LoadHistory&) const = default;

    std::string to_json() const;
    static std::optional<LoadHistory> from_json(std::string_view text);  // nullopt: it is none
};

}  // namespace shaduf::observe
