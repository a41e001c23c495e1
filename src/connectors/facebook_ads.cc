#include "connectors/ads/settings.h"
#include "connectors/ads/slice_source.h"
#include "connectors/connector.h"
#include "connectors/facebook_ads/api.h"
#include "connectors/facebook_ads/fetcher.h"
#include "connectors/facebook_ads/rows.h"
#include "connectors/facebook_ads/settings.h"
#include "connectors/join_fields.h"

namespace shaduf {
namespace {

using facebook::ListKind;

constexpr int64_t kSlicesAtOnce = 8;  // most of their time is spent waiting

Result<ads::StreamParts> make_parts(const Options& options, const StreamRequest& request) {
    auto fetcher = TRY(facebook::make_fetcher(options, request));
    const bool has_days = fetcher->kind() == ads::SliceKind::by_day || facebook::find_list(request.stream) == nullptr;
    auto settings = TRY(ads::read_settings(options, request, has_days));
    if (!options.has("concurrency")) settings.slices_at_once = kSlicesAtOnce;
    return ads::StreamParts{std::move(fetcher), std::move(settings)};
}

StreamDefaults stream_defaults(std::string_view stream, const Options& options) {
    StreamDefaults defaults{ReadMode::incremental, WriteMode::slices, {}};
    const auto settings = facebook::read_stream(options, std::string(stream));
    if (!settings.ok()) return defaults;
    if (settings.value().report) {
        defaults.key = facebook::key_of(*settings.value().report);
        defaults.day_column = "date_start";
        return defaults;
    }
    const facebook::ListTraits& list = *settings.value().list->traits;
    if (list.kind != ListKind::activities) defaults.key = {"id"};
    if (!list.prefix.empty()) defaults.write = WriteMode::merge;
    return defaults;
}

// Signs in, and reads one thing of each account.
Result<void> check(RunContext& run, const std::string& name, const Options& options) {
    const facebook::Api api(run, TRY(facebook::read_connection(options, name)));
    TRY(api.inspect_token(run));
    for (const ads::Account& account : TRY(api.find_accounts(run)))
        TRY(api.get(run, account.id, "/act_" + account.id + "/campaigns", {{"fields", "id"}, {"limit", "1"}}));
    return {};
}

StreamInfo info_of(const facebook::StreamSettings& stream) {
    StreamInfo info;
    info.name = stream.name;
    std::vector<Field> fields;
    for (const ShapeColumn& column : facebook::columns_of(stream)) fields.push_back({column.name, column.type});
    info.schema = Schema(std::move(fields));
    info.modes = {ReadMode::incremental, ReadMode::full_refresh};
    if (stream.report)
        info.key = facebook::key_of(*stream.report);
    else if (stream.list->traits->kind != ListKind::activities)
        info.key = {"id"};
    if (stream.list && !stream.list->traits->prefix.empty()) info.cursor_field = "updated_time";
    return info;
}

constexpr std::array<FieldSpec, 6> kOwnConnectionFields{{
    {.name = "access_token",
     .help = "Of a system user (best, since it does not expire) or a user, with the permission ads_read.",
     .required = true,
     .secret = true},
    {.name = "accounts",
     .type = FieldType::text_list,
     .help = "The ad accounts, by number, with or without act_; without it, all that the token sees.",
     .example = "[act_1234567890]"},
    {.name = "app_id", .help = "Of the app that the token was made for; with app_secret, its expiry is asked for."},
    {.name = "app_secret",
     .help = "Of the app: calls carry a proof made with it, and a short-lived token is exchanged for a long-lived one.",
     .secret = true},
    {.name = "api_version", .help = "Of the Marketing API.", .default_value = "v26.0"},
    {.name = "base_url",
     .help = "Where the API is; another one for a stand-in.",
     .default_value = "https://graph.facebook.com"},
}};

constexpr std::string_view kLevels[] = {"account", "campaign", "adset", "ad"};
constexpr std::string_view kActionForms[] = {"json", "columns"};
constexpr std::string_view kReportRuns[] = {"auto", "always", "never"};
constexpr std::array<FieldSpec, 11> kOwnStreamFields{{
    {.name = "level",
     .help = "What a row of a report is about; the names account_insights, campaign_insights, ad_set_insights and "
             "ad_insights say it, a stream of any other name is a report of its own by it.",
     .choices = kLevels},
    {.name = "fields",
     .type = FieldType::text_list,
     .help = "What is asked for, by the API's names; without it, the fields that most need.",
     .example = "[campaign_name, impressions, clicks, spend, actions]"},
    {.name = "breakdowns",
     .type = FieldType::text_list,
     .help = "What rows of a report are split by; each is a column and a part of the key.",
     .example = "[age, gender]"},
    {.name = "action_breakdowns",
     .type = FieldType::text_list,
     .help = "What the lists of actions are split by; without it, by the type of the action.",
     .example = "[action_type, action_device]"},
    {.name = "attribution_windows",
     .type = FieldType::text_list,
     .help = "How long after a click or a view an action counts; without it, as each ad set says.",
     .example = "[1d_click, 7d_click, 1d_view]"},
    {.name = "time_increment",
     .help = "Days of one row, 1 to 90, or monthly, or all_days; only days can be loaded by parts.",
     .default_value = "1"},
    {.name = "filtering",
     .type = FieldType::json,
     .help = "Conditions on what is reported, as the API takes them.",
     .example = "[{field: campaign.name, operator: CONTAIN, value: brand}]"},
    {.name = "actions",
     .help = "Whether lists of actions stay JSON, or become a column for each kind and attribution window.",
     .default_value = "json",
     .choices = kActionForms},
    {.name = "report_runs",
     .help = "Whether reports are asked for by asynchronous report runs: as their size asks for, always, or never.",
     .default_value = "auto",
     .choices = kReportRuns},
    {.name = "limit",
     .type = FieldType::integer,
     .help = "Records a page at first; fewer are asked for when that is too much."},
    {.name = "statuses",
     .type = FieldType::text_list,
     .help = "Of campaigns, ad sets and ads: only those of these effective statuses; without it, all, the deleted and "
             "archived ones too.",
     .example = "[ACTIVE, PAUSED]"},
}};

constexpr auto kConnectionFields = join_fields(kOwnConnectionFields, ads::kConnectionFields);
constexpr auto kStreamFields = join_fields(kOwnStreamFields, ads::kReportFields);

Result<std::vector<StreamInfo>> discover(RunContext&, const std::string& name, const Options& options) {
    TRY(facebook::read_connection(options, name));
    Options none;
    const auto errors = Options::create(kStreamFields, Node(), {}, none);
    if (!errors.empty()) return errors.front();
    std::vector<StreamInfo> streams;
    for (const facebook::ListTraits& list : facebook::all_lists())
        streams.push_back(info_of(TRY(facebook::read_stream(none, std::string(list.stream)))));
    for (const char* report : {"account_insights", "campaign_insights", "ad_set_insights", "ad_insights"})
        streams.push_back(info_of(TRY(facebook::read_stream(none, report))));
    return streams;
}

constexpr std::string_view kSummary =
    "Reads campaigns, ads and insights of Facebook and Instagram ad accounts by the Marketing API.";

}  // namespace

extern const ConnectorSpec connector_facebook_ads;
const ConnectorSpec connector_facebook_ads{.name = "facebook_ads",
                                           .summary = kSummary,
                                           .fields = kConnectionFields,
                                           .stream_fields = kStreamFields,
                                           .stream_defaults = stream_defaults,
                                           .check = check,
                                           .discover = discover,
                                           .make_source = ads::source_of<make_parts>,
                                           .make_replay_source = ads::archived_source_of<make_parts>};

}  // namespace shaduf
