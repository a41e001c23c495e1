#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/ads/settings.h"
#include "connectors/clevertap/api.h"

namespace shaduf::clevertap {

// How properties, whose names are the project's own, become columns.
enum class Properties : uint8_t {
    json,     // one column for all
    columns,  // as the stream's contract says of nested values
};

struct EventSettings {
    std::vector<std::string> events;  // a part of the stream each
    Properties properties = Properties::json;
    std::string params;  // more of the query, "&app=true"
};

// All records of some events, by the day that they happened.
std::unique_ptr<ads::SliceFetcher> make_event_fetcher(std::shared_ptr<const Api> api, EventSettings settings);
// The profiles that had one of the events since the load before; a first load begins as SourceSettings::since says.
std::unique_ptr<ads::SliceFetcher> make_profile_fetcher(std::shared_ptr<const Api> api, EventSettings settings,
                                                        std::string since);
// How often events happened, by day.
std::unique_ptr<ads::SliceFetcher> make_count_fetcher(std::shared_ptr<const Api> api, std::vector<std::string> events);
// Campaigns made through the API, by the day that they were sent, with their results.
std::unique_ptr<ads::SliceFetcher> make_campaign_fetcher(std::shared_ptr<const Api> api);
// What came of messages, by the day that they started.
std::unique_ptr<ads::SliceFetcher> make_message_fetcher(std::shared_ptr<const Api> api);

}  // namespace shaduf::clevertap
