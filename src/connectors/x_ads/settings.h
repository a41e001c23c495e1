#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/ads/settings.h"
#include "connectors/connector.h"
#include "io/oauth1.h"

namespace shaduf::x_ads {

struct ConnectionSettings {
    std::string name;
    std::string base_url;  // without the version
    std::string api_version;
    OAuth1Credentials credentials;
    std::vector<std::string> account_ids;  // empty: all that the user may see
    HttpRequest timeouts;
};
Result<ConnectionSettings> read_connection(const Options& options, const std::string& name);

// A statistics stream.
struct ReportSettings {
    std::string entity;  // CAMPAIGN ...
    bool hourly = false;
    std::vector<std::string> metric_groups;
    std::vector<std::string> placements;
    std::string segmentation;  // "": none
    std::string country;
    std::string platform;
};
// REQUIRES: the stream has an entity, by its name or its option.
Result<ReportSettings> read_report(const Options& stream, const std::string& name);
// The entity of a built-in statistics stream; "" for other names.
std::string_view report_entity(std::string_view stream);

}  // namespace shaduf::x_ads
