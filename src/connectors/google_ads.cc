#include "config/node.h"
#include "connectors/ads/settings.h"
#include "connectors/ads/slice_source.h"
#include "connectors/connector.h"
#include "connectors/google_ads/accounts.h"
#include "connectors/google_ads/fetcher.h"
#include "connectors/google_ads/streams.h"
#include "connectors/join_fields.h"

namespace shaduf {
namespace {

using google_ads::Api;
using google_ads::ApiSettings;
using google_ads::StreamShape;

Result<ads::StreamParts> make_parts(const Options& options, const StreamRequest& request) {
    auto api = TRY(ApiSettings::read(options, request.connection));
    auto shape = google_ads::shape_of(request.stream, request.options);
    if (!shape.ok()) return shape.error().at(Place::in_stream(request.connection, request.stream));
    const bool has_days = shape.value().kind == ads::SliceKind::by_day;
    auto settings = TRY(ads::read_settings(options, request, has_days));
    if (has_days && shape.value().query.resource == "click_view" && settings.slice_days > 1)
        return request.options.error("slice_days", "slice_days: click_view is asked for one day at a time");
    auto fetcher = std::make_unique<google_ads::Fetcher>(std::move(api), shape.release_value(), request.stream);
    return ads::StreamParts{std::move(fetcher), std::move(settings)};
}

// Signs in, walks the accounts and reads one thing of each.
Result<void> check(RunContext& run, const std::string& name, const Options& options) {
    const Api api(run, TRY(ApiSettings::read(options, name)));
    auto checked = [&]() -> Result<void> {
        for (const ads::Account& account : TRY(google_ads::find_accounts(run, api)))
            TRY(api.rows(run, google_ads::asked(account), "SELECT customer.id FROM customer LIMIT 1"));
        return {};
    }();
    if (!checked.ok()) return checked.error().at(Place::in_stream(name, ""));
    return {};
}

StreamDefaults stream_defaults(std::string_view stream, const Options& options) {
    const auto shape = google_ads::shape_of(std::string(stream), options);
    if (!shape.ok()) return {};
    const bool merges = shape.value().kind == ads::SliceKind::changes;
    const bool has_days = shape.value().kind == ads::SliceKind::by_day;
    return {ReadMode::incremental, merges ? WriteMode::merge : WriteMode::slices, shape.value().key,
            has_days ? "segments_date" : ""};
}

constexpr std::array<FieldSpec, 11> kOwnFields{{
    {.name = "client_id", .help = "Of the OAuth client (Google Cloud console, Credentials)."},
    {.name = "client_secret", .help = "Of the OAuth client.", .secret = true},
    {.name = "refresh_token",
     .help = "Of a Google user who has access to the accounts, with the scope https://www.googleapis.com/auth/adwords.",
     .secret = true},
    {.name = "service_account",
     .help = "Instead of the three: the JSON key file of a service account that has access to the accounts, or its "
             "path.",
     .secret = true},
    {.name = "subject",
     .help = "The user that the service account acts for by domain-wide delegation; without it, for itself."},
    {.name = "developer_token",
     .help = "Sent when given; Google Ads has not asked for one since September 2026.",
     .secret = true},
    {.name = "login_customer_id",
     .help = "The manager account through which the accounts are reached; without it, all that the user can reach are "
             "walked.",
     .example = "123-456-7890"},
    {.name = "customer_ids",
     .type = FieldType::text_list,
     .help = "The accounts to load; without it, all.",
     .example = "[123-456-7890]"},
    {.name = "api_version",
     .help = "Of the API: a version is served for about a year.",
     .default_value = "v26",
     .example = "v27"},
    {.name = "base_url", .help = "Of the API.", .default_value = "https://googleads.googleapis.com"},
    {.name = "token_url",
     .help = "Where access tokens are had.",
     .default_value = "https://oauth2.googleapis.com/token"},
}};
constexpr auto kConnection = join_fields(kOwnFields, ads::kConnectionFields);

constexpr std::array<FieldSpec, 3> kOwnStreamFields{{
    {.name = "query",
     .help = "A query in the Google Ads Query Language, for a stream that is not built in; the condition of days is "
             "added where segments.date is selected.",
     .example = "SELECT campaign.id, segments.date, metrics.clicks FROM campaign"},
    {.name = "fields",
     .type = FieldType::text_list,
     .help = "Fields besides those of the stream.",
     .example = "[segments.hour, metrics.phone_calls]"},
    {.name = "resource_names",
     .type = FieldType::boolean,
     .help = "Whether rows have the resource names, such as customers/1/campaigns/2.",
     .default_value = "false"},
}};
constexpr auto kStream = join_fields(kOwnStreamFields, ads::kReportFields);

Result<StreamInfo> describe(RunContext& run, const Api& api, const std::string& stream) {
    Options defaults;
    const auto errors = Options::create(kStream, Node(), {}, defaults);
    if (!errors.empty()) return errors.front();
    const StreamShape shape = TRY(google_ads::shape_of(stream, defaults));
    const auto resolved = TRY(google_ads::resolve(run, api, shape, stream));
    StreamInfo info;
    info.name = stream;
    info.schema = google_ads::schema_of(resolved.rows);
    info.key = shape.key;
    info.modes = {ReadMode::incremental, ReadMode::full_refresh};
    return info;
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string& name, const Options& options) {
    const Api api(run, TRY(ApiSettings::read(options, name)));
    std::vector<StreamInfo> streams;
    for (const std::string_view stream : google_ads::builtin_streams())
        streams.push_back(TRY(describe(run, api, std::string(stream))));
    return streams;
}

constexpr std::string_view kSummary = "Reads campaigns, ads, keywords and their numbers from Google Ads.";

}  // namespace

extern const ConnectorSpec connector_google_ads;
const ConnectorSpec connector_google_ads{.name = "google_ads",
                                         .summary = kSummary,
                                         .fields = kConnection,
                                         .stream_fields = kStream,
                                         .stream_defaults = stream_defaults,
                                         .check = check,
                                         .discover = discover,
                                         .make_source = ads::source_of<make_parts>,
                                         .make_replay_source = ads::archived_source_of<make_parts>};

}  // namespace shaduf
