#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "connectors/ads/fetcher.h"
#include "connectors/google_ads/gaql.h"

namespace shaduf::google_ads {

// How the changes of an entity are found and its rows recognised.
struct EntityShape {
    std::string change_type;   // change_status.resource_type: "CAMPAIGN"
    std::string change_field;  // which names what changed: "change_status.campaign"
    // The fields that the parts of a resource's name are, in order: "customers/1/adGroupAds/2~3".
    std::vector<std::string> key_fields;
    std::string status_field;
};

// What a stream asks for.
struct StreamShape {
    ads::SliceKind kind = ads::SliceKind::by_account;
    Query query;                             // without the condition of days
    std::vector<std::string> optional = {};  // fields that not every version of the API has: left out where unknown
    std::vector<std::string> key = {};       // columns
    std::optional<EntityShape> entity = {};
    int slice_days = 7;
    int history_days = 30;
    int retention_days = 0;
    bool keeps_resource_names = false;
};

std::vector<std::string_view> builtin_streams();
// invalid_config when the stream is not built in and has no query, or the query cannot be asked day by day.
Result<StreamShape> shape_of(const std::string& stream, const Options& options);
// Whether a stream is asked day by day; by its name and options alone, false when they are wrong.
bool has_days(const std::string& stream, const Options& options);

}  // namespace shaduf::google_ads
