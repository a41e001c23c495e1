#pragma once

#include <string>
#include <vector>

#include "connectors/ads/settings.h"
#include "connectors/ads/slice.h"
#include "connectors/connector.h"
#include "io/http.h"

namespace shaduf::clevertap {

struct ConnectionSettings {
    std::string base_url;
    std::string passcode;
    ads::Account project;  // its id, time zone and currency
    HttpRequest timeouts;
};
Result<ConnectionSettings> read_connection(const Options& options);

// The events that a stream is about: those of its option, or `fallback`.
std::vector<std::string> read_events(const Options& stream, const std::string& fallback);

}  // namespace shaduf::clevertap
