#include <algorithm>

#include "base/run_events.h"
#include "connectors/ads/settings.h"
#include "connectors/ads/slice_source.h"
#include "connectors/clevertap/api.h"
#include "connectors/clevertap/fetchers.h"
#include "connectors/clevertap/settings.h"
#include "connectors/connector.h"
#include "connectors/join_fields.h"
#include "data/json_page.h"

namespace shaduf {
namespace {

constexpr std::string_view kAppLaunched = "App Launched";

enum class Kind : uint8_t { events, profiles, counts, campaigns, messages };

// What a stream is follows from its name; any other name is an event's.
Kind kind_of(std::string_view stream) {
    if (stream == "profiles") return Kind::profiles;
    if (stream == "event_counts") return Kind::counts;
    if (stream == "campaigns") return Kind::campaigns;
    if (stream == "message_reports") return Kind::messages;
    return Kind::events;
}

std::vector<std::string> key_of(Kind kind) {
    switch (kind) {
        case Kind::profiles: return {"account_id", "profile_id"};
        case Kind::counts: return {"account_id", "event", "date"};
        case Kind::campaigns: return {"account_id", "id"};
        case Kind::messages: return {"account_id", "date", "message_id"};
        case Kind::events: break;  // an event has no id
    }
    return {};
}

StreamDefaults stream_defaults(std::string_view stream, const Options&) {
    const Kind kind = kind_of(stream);
    return {ReadMode::incremental, kind == Kind::profiles ? WriteMode::merge : WriteMode::slices, key_of(kind),
            kind == Kind::profiles ? "" : "date"};
}

clevertap::EventSettings event_settings(const Options& stream, const std::string& fallback) {
    clevertap::EventSettings settings;
    settings.events = clevertap::read_events(stream, fallback);
    if (stream.text("properties") == "columns") settings.properties = clevertap::Properties::columns;
    for (const std::string& part : stream.text_list("include")) settings.params += "&" + part + "=true";
    return settings;
}

Result<void> check_include(const Options& stream) {
    for (const std::string& part : stream.text_list("include")) {
        if (part != "app" && part != "events" && part != "profile")
            return stream.error("include", "include: expected app, events or profile: " + part);
    }
    return {};
}

Result<ads::StreamParts> make_parts(const Options& options, const StreamRequest& request) {
    auto api = std::make_shared<const clevertap::Api>(TRY(clevertap::read_connection(options)));
    const Options& stream = request.options;
    TRY(check_include(stream));
    const Kind kind = kind_of(request.stream);
    const auto settings = TRY(ads::read_settings(options, request, true));
    std::unique_ptr<ads::SliceFetcher> fetcher;
    switch (kind) {
        case Kind::profiles:
            fetcher =
                clevertap::make_profile_fetcher(api, event_settings(stream, std::string(kAppLaunched)), settings.since);
            break;
        case Kind::counts: {
            const auto events = clevertap::read_events(stream, "");
            if (events.empty())
                return stream.error("event", "event_counts does not know what to count; set event: to names of events");
            fetcher = clevertap::make_count_fetcher(api, events);
            break;
        }
        case Kind::campaigns: fetcher = clevertap::make_campaign_fetcher(api); break;
        case Kind::messages: fetcher = clevertap::make_message_fetcher(api); break;
        case Kind::events: fetcher = clevertap::make_event_fetcher(api, event_settings(stream, request.stream)); break;
    }
    return ads::StreamParts{std::move(fetcher), settings};
}

// Signs in, and counts an event that every project has.
Result<void> check(RunContext& run, const std::string& name, const Options& options) {
    const clevertap::Api api(TRY(clevertap::read_connection(options)));
    const auto zone = TRY(ads::Zone::find(api.project().time_zone));
    const std::string day = clevertap::compact_day(zone.day_of(run.clock.now()));
    const auto answer = api.count_events(
        run, "{\"event_name\":\"" + std::string(kAppLaunched) + "\",\"from\":" + day + ",\"to\":" + day + "}");
    if (!answer.ok()) return answer.error().at(Place::in_stream(name, "event_counts", "account " + api.project().id));
    return {};
}

StreamInfo describe(const std::string& stream, const ads::SliceFetcher& fetcher) {
    std::vector<Field> fields;
    for (const ShapeColumn& column : fetcher.known_columns()) fields.push_back({column.name, column.type});
    return {stream,
            Schema(std::move(fields)),
            key_of(kind_of(stream)),
            kind_of(stream) == Kind::profiles ? "" : "date",
            {ReadMode::incremental, ReadMode::full_refresh}};
}

// The project's own events, as its schema names them.
Result<std::vector<std::string>> event_names(RunContext& run, const clevertap::Api& api) {
    const auto body = TRY(api.event_schema(run));
    const auto page = TRY(JsonPage::parse(body, "getSchema"));
    std::vector<std::string> names;
    if (!page.has({"events"})) return names;
    for (const RawRows::Span& span : TRY(page.records({"events"}))) {
        const auto name = find_scalar(body->view().substr(span.offset, span.length), {"name"});
        if (name && !name->text.empty()) names.push_back(name->text);
    }
    return names;
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string& name, const Options& options) {
    auto api = std::make_shared<const clevertap::Api>(TRY(clevertap::read_connection(options)));
    std::vector<StreamInfo> streams;
    streams.push_back(describe("profiles", *clevertap::make_profile_fetcher(api, {}, "")));
    streams.push_back(describe("event_counts", *clevertap::make_count_fetcher(api, {})));
    streams.push_back(describe("campaigns", *clevertap::make_campaign_fetcher(api)));
    streams.push_back(describe("message_reports", *clevertap::make_message_fetcher(api)));
    const auto names = event_names(run, *api);
    if (!names.ok()) {
        if (names.error().kind() == ErrorKind::auth || names.error().kind() == ErrorKind::canceled)
            return names.error().at(Place::in_stream(name, ""));
        run.events.message(Severity::warning, name, "the names of events are not known: " + names.error().message());
        return streams;
    }
    const auto events = clevertap::make_event_fetcher(api, {});
    for (const std::string& event : names.value()) streams.push_back(describe(event, *events));
    return streams;
}

constexpr std::string_view kRegions[] = {"eu1", "in1", "us1", "sg1", "aps3", "mec1"};
constexpr std::array<FieldSpec, 6> kOwnFields{{
    {.name = "account_id", .help = "Id of the project, from Settings, Project.", .required = true},
    {.name = "passcode", .help = "Passcode of the project, from the same page.", .required = true, .secret = true},
    {.name = "region",
     .help = "Where the project is kept: the beginning of the dashboard's address.",
     .default_value = "eu1",
     .choices = kRegions},
    {.name = "time_zone",
     .help = "Time zone of the project, from the same page: CleverTap's times do not say it.",
     .required = true,
     .example = "Asia/Kolkata"},
    {.name = "currency", .help = "Put on every row as account_currency; CleverTap does not tell it.", .example = "INR"},
    {.name = "base_url", .help = "Where the API is, instead of the region's host."},
}};
constexpr auto kFields = join_fields(kOwnFields, ads::kConnectionFields);

constexpr std::string_view kProperties[] = {"json", "columns"};
constexpr std::array<FieldSpec, 3> kOwnStreamFields{{
    {.name = "event",
     .type = FieldType::text_list,
     .help = "Events and event_counts: names of events; the stream's name without it. Profiles: those who had this "
             "event; App Launched without it.",
     .example = "[Charged, Product Viewed]"},
    {.name = "properties",
     .help = "Events and profiles: whether properties are one JSON column, or columns of their own.",
     .default_value = "json",
     .choices = kProperties},
    {.name = "include",
     .type = FieldType::text_list,
     .help = "Events and profiles: what CleverTap is to tell besides: app, events, profile.",
     .example = "[app]"},
}};
constexpr auto kStreamFields = join_fields(kOwnStreamFields, ads::kReportFields);

}  // namespace

extern const ConnectorSpec connector_clevertap;
const ConnectorSpec connector_clevertap{.name = "clevertap",
                                        .summary = "CleverTap: events, profiles, campaigns and message reports.",
                                        .fields = kFields,
                                        .stream_fields = kStreamFields,
                                        .stream_defaults = stream_defaults,
                                        .check = check,
                                        .discover = discover,
                                        .make_source = ads::source_of<make_parts>,
                                        .make_replay_source = ads::archived_source_of<make_parts>};

}  // namespace shaduf
