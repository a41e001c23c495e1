#pragma once

#include <memory>
#include <string>

#include "connectors/x_ads/api.h"
#include "connectors/x_ads/settings.h"
#include "tests/connectors/ads_world.h"

// What the tests of x_ads share: an API on a scripted transport, and an account.
namespace shaduf {

inline x_ads::ConnectionSettings x_ads_connection() {
    x_ads::ConnectionSettings settings;
    settings.name = "x";
    settings.base_url = "https://x.test";
    settings.api_version = "12";
    settings.credentials = {"key", "key-secret", "token", "token-secret"};
    return settings;
}
inline std::shared_ptr<const x_ads::Api> x_ads_api() { return std::make_shared<const x_ads::Api>(x_ads_connection()); }

inline x_ads::ReportSettings x_ads_report(std::string entity = "LINE_ITEM") {
    x_ads::ReportSettings report;
    report.entity = std::move(entity);
    report.metric_groups = {"BILLING", "ENGAGEMENT"};
    report.placements = {"ALL_ON_TWITTER"};
    return report;
}

inline ads::Account x_ads_account(std::string zone = "Europe/Berlin") {
    return {.id = "a1", .name = "Acme", .time_zone = std::move(zone), .currency = "EUR", .owner = ""};
}
inline ads::Slice x_ads_slice(std::string_view first, std::string_view last, std::string zone = "Europe/Berlin") {
    return {.account = x_ads_account(std::move(zone)), .part = "", .days = days(first, last), .cursor = ""};
}

inline BufferPtr padded(std::string_view text) {
    BufferBuilder bytes;
    bytes.append(text);
    return bytes.finish();
}

}  // namespace shaduf
