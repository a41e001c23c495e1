#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/facebook_ads/insights_query.h"
#include "sandbox/frame/json_text.h"

namespace shaduf::sandbox::facebook {

// Where in the rows of a query a page begins: which period, which entity, which part of its breakdown.
struct RowPosition {
    uint32_t period = 0;
    uint32_t entity = 0;  // counted from the first one of the query
    uint32_t part = 0;

    std::string to_string() const;
    static std::optional<RowPosition> parse(std::string_view text);
};

// One row, before it is written.
struct InsightsRow {
    DayRange period;
    const Entity* entity;
    std::vector<uint16_t> shares;  // of each breakdown
    Metrics metrics;
};

struct FieldContext;
// Writes a field with its name, or nothing where the API leaves it out; see insights_fields.h.
using WriteField = void (*)(const FieldContext& context, JsonText& out);

// The rows of a query, computed as they are read: by period, then by entity, then by part, unless sorted. One thread.
class InsightsRows {
public:
    // What is passed by reference outlives it. `changes` are those of the stream's fields.
    InsightsRows(const World& world, const InsightsQuery& query, std::vector<FieldChange> changes);

    // Writes up to `limit` rows from `from` on as items of a list; where the next page begins, or nullopt at the end.
    std::optional<RowPosition> write_page(RowPosition from, size_t limit, JsonText& out);
    // How many rows there may be: for refusing what is too large.
    int64_t estimate() const;
    void write_summary(JsonText& out) const;

private:
    // A field asked for that rows have, and its name in them.
    struct Column {
        std::string name;
        WriteField write;
    };
    std::vector<InsightsRow> rows_of(DayRange period, const Entity& entity) const;
    bool fits(const InsightsRow& row) const;
    void write_row(const InsightsRow& row, JsonText& out) const;
    std::optional<RowPosition> write_sorted(RowPosition from, size_t limit, JsonText& out);

    const World& world_;
    const InsightsQuery& query_;
    const std::vector<FieldChange> changes_;
    std::vector<Column> columns_;
    std::pair<uint32_t, uint32_t> entities_;
    bool has_reach_ = true;    // people are counted only for the last 13 months of a breakdown
    bool has_results_ = true;  // some breakdowns do not tell what happened off the platform
};

// "ad_insights", "campaign_insights": as the truth and scenarios call them.
std::string_view insights_stream(Level level);

// The actions of a row as the API lists them, also for the truth.
struct Action {
    std::string_view type;
    int64_t value;
};
std::vector<Action> actions_of(const Metrics& metrics, bool with_results);
void write_actions(const std::vector<Action>& actions, const InsightsQuery& query, JsonText& out);

// A number as the API writes it: without zeros behind the last digit, "14.35", "0".
std::string format_micros(int64_t micros);

}  // namespace shaduf::sandbox::facebook
