#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sandbox/platform.h"
#include "sandbox/x_ads/numbers.h"
#include "sandbox/x_ads/reply.h"

namespace shaduf::sandbox::x_ads {

// A question for statistics, checked.
struct StatsQuery {
    enum class Granularity : uint8_t { day, hour, total };
    const Entity* account = nullptr;  // of the world that it was checked against
    Level level = Level::campaign;
    std::vector<std::string> ids;
    int64_t start = 0;  // seconds since 1970
    int64_t end = 0;    // exclusive
    int32_t first_day = 0;
    Granularity granularity = Granularity::day;
    std::vector<std::string> metric_groups;
    std::string placement;
    const SegmentKind* segmentation = nullptr;
    size_t points() const;
};

enum class StatsKind : uint8_t { synchronous, job };
// `now` is the present: midnights are as far from UTC as they are then.
std::variant<StatsQuery, Refusal> read_stats_query(const HttpServerRequest& request, const World& world,
                                                   const Entity& account, StatsKind kind, Timestamp now);
// The body of an answer; `request` is echoed.
std::string stats_body(const HttpServerRequest& request, const World& world, const StatsQuery& query,
                       const std::vector<FieldChange>& changes);

// GET /stats/accounts/{id}/active_entities.
HttpServerResponse answer_active_entities(const HttpServerRequest& request, const World& world, const Entity& account);

// The name of a statistics stream in the truth: line_item_stats.
std::string_view stats_stream(Level level);

}  // namespace shaduf::sandbox::x_ads
