#include "connectors/clevertap/settings.h"

#include "io/url.h"

namespace shaduf::clevertap {

Result<ConnectionSettings> read_connection(const Options& options) {
    ConnectionSettings settings;
    const std::string region = options.text("region");
    settings.base_url = "https://" + (region == "eu1" ? std::string() : region + ".") + "api.clevertap.com";
    if (options.has("base_url")) settings.base_url = options.text("base_url");
    if (auto url = Url::parse(settings.base_url); !url.ok()) return options.error("base_url", url.error().message());
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
    settings.passcode = options.text("passcode");
    settings.project.id = options.text("account_id");
    settings.project.time_zone = options.text("time_zone");
    settings.project.currency = options.text("currency");
    if (auto zone = ads::Zone::find(settings.project.time_zone); !zone.ok())
        return options.error("time_zone", zone.error().message());
    ads::set_timeouts(options, settings.timeouts);
    return settings;
}

std::vector<std::string> read_events(const Options& stream, const std::string& fallback) {
    auto events = stream.text_list("event");
    if (events.empty() && !fallback.empty()) events.push_back(fallback);
    return events;
}

}  // namespace shaduf::clevertap
