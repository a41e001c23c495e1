#include "connectors/x_ads/settings.h"

#include <algorithm>

#include "base/text.h"
#include "io/url.h"

namespace shaduf::x_ads {
namespace {

struct Report {
    std::string_view stream;
    std::string_view entity;
};
constexpr Report kReports[] = {
    {"account_stats", "ACCOUNT"},
    {"campaign_stats", "CAMPAIGN"},
    {"funding_instrument_stats", "FUNDING_INSTRUMENT"},
    {"line_item_stats", "LINE_ITEM"},
    {"promoted_tweet_stats", "PROMOTED_TWEET"},
};

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::vector<std::string> upper_all(std::vector<std::string> texts, std::vector<std::string> fallback) {
    if (texts.empty()) return fallback;
    for (std::string& text : texts) text = upper(std::move(text));
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return texts;
}

}  // namespace

std::string_view report_entity(std::string_view stream) {
    for (const Report& report : kReports) {
        if (report.stream == stream) return report.entity;
    }
    return {};
}

Result<ConnectionSettings> read_connection(const Options& options, const std::string& name) {
    ConnectionSettings settings;
    settings.name = name;
    settings.base_url = options.text("base_url");
    if (auto url = Url::parse(settings.base_url); !url.ok()) return options.error("base_url", url.error().message());
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
    settings.api_version = options.text("api_version");
    settings.credentials = {options.text("consumer_key"), options.text("consumer_secret"), options.text("access_token"),
                            options.text("access_token_secret")};
    settings.account_ids = options.text_list("account_ids");
    ads::set_timeouts(options, settings.timeouts);
    return settings;
}

Result<ReportSettings> read_report(const Options& stream, const std::string& name) {
    ReportSettings report;
    report.entity = stream.has("entity") ? upper(stream.text("entity")) : std::string(report_entity(name));
    report.hourly = stream.text("granularity") == "hour";
    report.metric_groups = upper_all(stream.text_list("metric_groups"), {"BILLING", "ENGAGEMENT", "VIDEO"});
    report.placements = upper_all(stream.text_list("placements"), {"ALL_ON_TWITTER", "SPOTLIGHT", "TREND"});
    report.segmentation = upper(stream.text("segmentation"));
    report.country = stream.text("country");
    report.platform = stream.text("platform");
    if (report.segmentation == "METROS" && report.country.empty())
        return stream.error("segmentation", "segmentation METROS needs a country; set country: to its targeting value");
    if (report.segmentation.empty() && (!report.country.empty() || !report.platform.empty()))
        return stream.error(report.country.empty() ? "platform" : "country",
                            "country and platform go with a segmentation only; set segmentation: or leave them out");
    return report;
}

}  // namespace shaduf::x_ads
