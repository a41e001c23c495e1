#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "sandbox/world/metrics.h"

namespace shaduf::sandbox {

// What the user says of an ad's day.
struct GivenDay {
    int32_t day;
    Metrics metrics;
};

// Tables that the user gave for one platform: accounts, campaigns, ad_groups, ads and insights, each a .csv or a
// .parquet file. Only insights must be there; what it names and the others lack is made up around it.
struct UserData {
    struct Row {  // of accounts, campaigns, ad_groups or ads; what was not given is ""
        std::string id;
        std::string parent_id;
        std::string name;
        std::string status;
        std::string currency;
        std::string time_zone;
    };
    std::vector<Row> levels[4];                                  // by Level
    std::unordered_map<std::string, std::vector<GivenDay>> ads;  // by id, days ascending
    int32_t first_day = 0;
    int32_t last_day = 0;

    // Columns of insights: account_id, campaign_id, ad_group_id, ad_id, date, and any of impressions, clicks,
    // link_clicks, engagements, video_views, leads, purchases, spend, purchase_value, reach. nullptr when the folder
    // has no insights; invalid_config, with the file's name, when a table cannot be read.
    static Result<std::shared_ptr<const UserData>> load(const std::string& folder);
};

}  // namespace shaduf::sandbox
