#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"

// What is known of the API's fields: which ones a stream asks for when the user does not say, and of what type they
// are. Source: the Marketing API's reference of the ad account's edges and of insights.
namespace shaduf::facebook {

enum class ListKind : uint8_t { accounts, campaigns, ad_sets, ads, creatives, activities };

struct ListTraits {
    ListKind kind;
    std::string_view stream;
    std::string_view edge;    // of the ad account; "": the account itself
    std::string_view prefix;  // of names in `filtering`; "": cannot be asked for by change or status
    int64_t limit;            // records a page that are asked for at first
};
const ListTraits* find_list(std::string_view stream);
std::span<const ListTraits> all_lists();

enum class Level : uint8_t { account, campaign, ad_set, ad };
std::string_view to_string(Level level);  // as the parameter `level` has it
std::optional<Level> parse_level(std::string_view text);
std::string_view id_column(Level level);                        // "campaign_id"
std::optional<Level> level_of_stream(std::string_view stream);  // "ad_insights"; nullopt: the name says nothing

std::vector<std::string> default_fields(ListKind kind);
std::vector<std::string> default_fields(Level level);

// nullopt: not known.
std::optional<DataType> type_of_list_field(std::string_view name);
std::optional<DataType> type_of_insights_field(std::string_view name);
// Whether an insights field is a list of numbers by kind of action.
bool is_action_list(std::string_view name);

struct BreakdownTraits {
    std::string_view name;
    bool is_object;     // comes as an object with an id
    bool needs_report;  // may come back empty from a synchronous call
    int months;         // how far back it can be asked for; 0: as far as all else
};
// nullptr: nothing special is known of it.
const BreakdownTraits* find_breakdown(std::string_view name);
// Metrics that are left out, without a word, with breakdowns and days older than 13 months.
bool is_unique_metric(std::string_view name);

}  // namespace shaduf::facebook
