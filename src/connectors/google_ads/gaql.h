#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// All of src/connectors/google_ads stands in namespace shaduf::google_ads.
namespace shaduf::google_ads {

// A query of the Google Ads Query Language, taken apart as far as asking it again for other days needs; the system
// itself judges the rest. https://developers.google.com/google-ads/api/docs/query/grammar
struct Query {
    std::vector<std::string> fields;         // "campaign.id", in the order selected, each once
    std::string resource;                    // of FROM
    std::string conditions = {};             // of WHERE, as written; "" when there are none
    std::string order = {};                  // of ORDER BY
    std::string limit = {};                  // of LIMIT
    std::string parameters = {};             // of PARAMETERS
    std::vector<std::string> filtered = {};  // the fields that the conditions name

    // invalid_config with the place in the text, what is not a query.
    static Result<Query> parse(std::string_view text);

    bool selects(std::string_view field) const;
    void add_field(std::string_view field);
    void add_condition(const std::string& condition);
    std::string to_string() const;
};

// "campaign.advertising_channel_type" as JSON has its parts: advertisingChannelType.
std::string camel_case(std::string_view name);

}  // namespace shaduf::google_ads
