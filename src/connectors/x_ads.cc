#include "base/text.h"
#include "connectors/ads/settings.h"
#include "connectors/ads/slice_source.h"
#include "connectors/connector.h"
#include "connectors/join_fields.h"
#include "connectors/x_ads/api.h"
#include "connectors/x_ads/list_fetcher.h"
#include "connectors/x_ads/list_streams.h"
#include "connectors/x_ads/report_fetcher.h"
#include "connectors/x_ads/settings.h"
#include "connectors/x_ads/stats_rows.h"

namespace shaduf {
namespace {

using x_ads::ListStream;

constexpr std::string_view kReportStreams[] = {"account_stats", "campaign_stats", "funding_instrument_stats",
                                               "line_item_stats", "promoted_tweet_stats"};

bool is_report(std::string_view stream, const Options& options) {
    return options.has("entity") || !x_ads::report_entity(stream).empty();
}

std::vector<std::string> report_key(bool hourly, bool segmented) {
    std::vector<std::string> key{"account_id", "date", "entity_id", "placement"};
    if (hourly) key.push_back("hour_start");
    if (segmented) key.push_back("segment_value");
    return key;
}

std::vector<std::string> list_key(const ListStream& stream) { return {"account_id", std::string(stream.key)}; }

StreamDefaults stream_defaults(std::string_view name, const Options& options) {
    if (is_report(name, options))
        return {ReadMode::incremental, WriteMode::slices,
                report_key(options.text("granularity") == "hour", options.has("segmentation")), "date"};
    const ListStream* list = x_ads::find_list_stream(name);
    if (list == nullptr) return {};
    return {ReadMode::incremental, list->is_sorted ? WriteMode::merge : WriteMode::slices, list_key(*list), ""};
}

Error unknown_stream(const StreamRequest& request) {
    std::vector<std::string> names;
    for (const ListStream& stream : x_ads::list_streams()) names.emplace_back(stream.name);
    for (const std::string_view name : kReportStreams) names.emplace_back(name);
    return Error(ErrorKind::invalid_config, "stream not found: " + request.stream +
                                                did_you_mean(request.stream, names) +
                                                "; any other name needs entity: for a report of its own");
}

Result<ads::StreamParts> make_parts(const Options& options, const StreamRequest& request) {
    auto api = std::make_shared<const x_ads::Api>(TRY(x_ads::read_connection(options, request.connection)));
    if (is_report(request.stream, request.options)) {
        auto report = TRY(x_ads::read_report(request.options, request.stream));
        return ads::StreamParts{x_ads::make_report_fetcher(std::move(api), std::move(report)),
                                TRY(ads::read_settings(options, request, true))};
    }
    const ListStream* list = x_ads::find_list_stream(request.stream);
    if (list == nullptr) return unknown_stream(request);
    return ads::StreamParts{x_ads::make_list_fetcher(std::move(api), *list),
                            TRY(ads::read_settings(options, request, false))};
}

// Signs in, and reads a campaign of each account.
Result<void> check(RunContext& run, const std::string& name, const Options& options) {
    const x_ads::Api api(TRY(x_ads::read_connection(options, name)));
    const auto accounts = api.accounts(run);
    if (!accounts.ok()) return accounts.error().at(Place::in_stream(name, ""));
    if (accounts.value()->empty())
        return Error(ErrorKind::auth,
                     "no advertising account is shared with the user of access_token; have the user "
                     "added at ads.x.com, Edit access to account")
            .at(Place::in_stream(name, ""));
    for (const auto& record : *accounts.value()) {
        const std::string& id = record.account.id;
        const auto answer =
            api.get(run, x_ads::Family::entities, id, "/accounts/" + id + "/campaigns", {{"count", "1"}});
        if (!answer.ok()) return answer.error().at(Place::in_stream(name, "campaigns", "account " + id));
    }
    return {};
}

Schema schema_of(const std::vector<ShapeColumn>& columns) {
    std::vector<Field> fields;
    for (const ShapeColumn& column : columns) fields.push_back({column.name, column.type});
    return Schema(std::move(fields));
}

Result<std::vector<StreamInfo>> discover(RunContext&, const std::string& name, const Options& options) {
    TRY(x_ads::read_connection(options, name));
    const std::vector<ReadMode> modes{ReadMode::incremental, ReadMode::full_refresh};
    std::vector<StreamInfo> streams;
    for (const ListStream& list : x_ads::list_streams()) {
        const std::string cursor = list.is_sorted ? "updated_at" : "";
        streams.push_back({std::string(list.name), schema_of(list_columns(list)), list_key(list), cursor, modes});
    }
    for (const std::string_view stream : kReportStreams) {
        x_ads::ReportSettings report;
        report.metric_groups = {"BILLING", "ENGAGEMENT", "VIDEO"};
        streams.push_back(
            {std::string(stream), schema_of(report_columns(report)), report_key(false, false), "date", modes});
    }
    return streams;
}

constexpr std::array<FieldSpec, 7> kOwnFields{{
    {.name = "consumer_key",
     .help = "API key of the app, from Keys and tokens at developer.x.com.",
     .required = true,
     .secret = true},
    {.name = "consumer_secret", .help = "API key secret of the app.", .required = true, .secret = true},
    {.name = "access_token",
     .help = "Access token of a user who has a role in the advertising accounts.",
     .required = true,
     .secret = true},
    {.name = "access_token_secret", .help = "Access token secret of that user.", .required = true, .secret = true},
    {.name = "account_ids",
     .type = FieldType::text_list,
     .help = "Advertising accounts to read; without it, all that the user may see.",
     .example = "[18ce54d4x5t]"},
    {.name = "api_version", .help = "Version of the API.", .default_value = "12"},
    {.name = "base_url", .help = "Where the API is, without the version.", .default_value = "https://ads-api.x.com"},
}};
constexpr auto kFields = join_fields(kOwnFields, ads::kConnectionFields);

constexpr std::string_view kGranularities[] = {"day", "hour"};
constexpr std::array<FieldSpec, 7> kOwnStreamFields{{
    {.name = "entity",
     .help = "Reports: what a row is about, such as CAMPAIGN, LINE_ITEM or PROMOTED_ACCOUNT; the built-in names say it "
             "themselves.",
     .example = "LINE_ITEM"},
    {.name = "granularity",
     .help = "Reports: whether a row is a day or an hour.",
     .default_value = "day",
     .choices = kGranularities},
    {.name = "metric_groups",
     .type = FieldType::text_list,
     .help = "Reports: groups of metrics; ENGAGEMENT, BILLING and VIDEO without it.",
     .example = "[ENGAGEMENT, BILLING, WEB_CONVERSION]"},
    {.name = "placements",
     .type = FieldType::text_list,
     .help = "Reports: where ads were shown; ALL_ON_TWITTER, SPOTLIGHT and TREND without it.",
     .example = "[ALL_ON_TWITTER]"},
    {.name = "segmentation",
     .help = "Reports: splits rows by AGE, GENDER, METROS, PLATFORMS or CONVERSION_TAGS; segments do not sum to the "
             "whole.",
     .example = "GENDER"},
    {.name = "country", .help = "Reports: the country, as a targeting value, that METROS are of."},
    {.name = "platform", .help = "Reports: the platform, as a targeting value, that a segmentation needs."},
}};
constexpr auto kStreamFields = join_fields(kOwnStreamFields, ads::kReportFields);

}  // namespace

extern const ConnectorSpec connector_x_ads;
const ConnectorSpec connector_x_ads{.name = "x_ads",
                                    .summary = "X (Twitter) Ads: accounts, their campaigns and ads, and statistics.",
                                    .fields = kFields,
                                    .stream_fields = kStreamFields,
                                    .stream_defaults = stream_defaults,
                                    .check = check,
                                    .discover = discover,
                                    .make_source = ads::source_of<make_parts>,
                                    .make_replay_source = ads::archived_source_of<make_parts>};

}  // namespace shaduf
