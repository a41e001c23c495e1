#include "connectors/facebook_ads/settings.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "io/url.h"

namespace shaduf::facebook {
namespace {

constexpr int64_t kLimitMax = 5000;
constexpr int kIncrementMax = 90;

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Columns that stand on every row anyway.
bool is_added(std::string_view field) { return field == "account_id" || field == "account_currency"; }

void drop_added(std::vector<std::string>& fields) {
    std::erase_if(fields, [](const std::string& field) { return is_added(field); });
}

Result<int64_t> read_limit(const Options& options, int64_t otherwise) {
    if (!options.has("limit")) return otherwise;
    const int64_t limit = options.integer("limit");
    if (limit < 1 || limit > kLimitMax) return options.error("limit", "expected 1 to " + std::to_string(kLimitMax));
    return limit;
}

Result<Increment> read_increment(const Options& options) {
    Increment increment;
    increment.text = options.text("time_increment");
    if (increment.text == "monthly" || increment.text == "all_days") {
        increment.days = 0;
        increment.monthly = increment.text == "monthly";
        return increment;
    }
    const auto& text = increment.text;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), increment.days);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || increment.days < 1 ||
        increment.days > kIncrementMax)
        return options.error("time_increment",
                             "time_increment: expected 1 to 90 (days), monthly or all_days: " + increment.text);
    return increment;
}

Result<std::vector<std::string>> read_fields(const Options& options, const std::vector<std::string>& breakdowns,
                                             Level level) {
    auto fields = options.has("fields") ? options.text_list("fields") : default_fields(level);
    for (const std::string& field : fields) {
        if (std::find(breakdowns.begin(), breakdowns.end(), field) != breakdowns.end())
            return options.error("fields", "a breakdown comes as a column by itself; take it out of fields: " + field);
    }
    drop_added(fields);
    std::erase_if(fields, [](const std::string& field) { return field == "date_start" || field == "date_stop"; });
    // Rows are told apart by it.
    const std::string id(id_column(level));
    if (level != Level::account && std::find(fields.begin(), fields.end(), id) == fields.end())
        fields.insert(fields.begin(), id);
    if (fields.empty()) return options.error("fields", "fields of a report: expected at least one");
    return fields;
}

Result<Level> read_level(const Options& options, const std::string& stream) {
    const auto by_name = level_of_stream(stream);
    if (!options.has("level")) {
        if (by_name) return *by_name;
        return options.error("level", "stream is none that facebook_ads has, and its level is missing: " + stream +
                                          "; set level to account, campaign, adset or ad to make it a report");
    }
    return *parse_level(options.text("level"));
}

Result<ReportSettings> read_report(const Options& options, const std::string& stream) {
    if (options.has("statuses"))
        return options.error("statuses", "statuses are for lists; for a report, set filtering: " + stream);
    ReportSettings report;
    report.level = TRY(read_level(options, stream));
    report.breakdowns = options.text_list("breakdowns");
    report.action_breakdowns = options.text_list("action_breakdowns");
    report.fields = TRY(read_fields(options, report.breakdowns, report.level));
    report.windows = options.text_list("attribution_windows");
    report.windows_text = report.windows.empty() ? "account setting" : join(report.windows, ",");
    report.increment = TRY(read_increment(options));
    if (options.has("filtering")) {
        const Node& filtering = options.node("filtering");
        if (!filtering.is_list())
            return options.error("filtering", "filtering: expected a list of {field, operator, value}");
        report.filtering = filtering.to_json();
    }
    report.actions = options.text("actions") == "columns" ? Actions::columns : Actions::json;
    const std::string runs = options.text("report_runs");
    report.report_runs = runs == "always"  ? ReportRuns::always
                         : runs == "never" ? ReportRuns::never
                                           : ReportRuns::automatic;
    report.limit = TRY(read_limit(options, report.limit));
    return report;
}

// Options of reports that mean nothing for a list.
constexpr std::string_view kOfReports[] = {"level",          "breakdowns", "action_breakdowns", "attribution_windows",
                                           "time_increment", "filtering",  "actions",           "report_runs"};

Result<ListSettings> read_list(const Options& options, const ListTraits& traits) {
    for (const std::string_view name : kOfReports) {
        if (options.has(name))
            return options.error(
                name, std::string(name) + " is for reports, and this stream is a list: " + std::string(traits.stream));
    }
    ListSettings list;
    list.traits = &traits;
    list.fields = options.has("fields") ? options.text_list("fields") : default_fields(traits.kind);
    drop_added(list.fields);
    const std::string id = "id";
    if (traits.kind != ListKind::activities &&
        std::find(list.fields.begin(), list.fields.end(), id) == list.fields.end())
        list.fields.insert(list.fields.begin(), id);
    const std::string updated = "updated_time";
    if (!traits.prefix.empty() && std::find(list.fields.begin(), list.fields.end(), updated) == list.fields.end())
        list.fields.push_back(updated);
    const std::string time = "event_time";
    if (traits.kind == ListKind::activities &&
        std::find(list.fields.begin(), list.fields.end(), time) == list.fields.end())
        list.fields.push_back(time);
    if (options.has("statuses") && traits.prefix.empty())
        return options.error("statuses", "this stream has no statuses: " + std::string(traits.stream));
    list.statuses = options.text_list("statuses");
    list.limit = TRY(read_limit(options, traits.limit));
    return list;
}

}  // namespace

std::string bare_account(std::string_view id) {
    if (id.starts_with("act_")) id.remove_prefix(4);
    return std::string(id);
}

Result<ConnectionSettings> read_connection(const Options& options, const std::string& name) {
    ConnectionSettings settings;
    settings.name = name;
    settings.base_url = options.text("base_url");
    auto url = Url::parse(settings.base_url);
    if (!url.ok()) return options.error("base_url", url.error().message());
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
    settings.version = options.text("api_version");
    if (!settings.version.starts_with('v'))
        return options.error("api_version", "api_version: expected one such as v26.0: " + settings.version);
    settings.access_token = options.text("access_token");
    if (settings.access_token.empty()) return options.error("access_token", "access_token is empty");
    settings.app_id = options.text("app_id");
    settings.app_secret = options.text("app_secret");
    for (const std::string& account : options.text_list("accounts")) {
        settings.accounts.push_back(bare_account(account));
        if (!is_number(settings.accounts.back()))
            return options.error("accounts", "ad account: expected its number, with or without act_: " + account);
    }
    ads::set_timeouts(options, settings.timeouts);
    return settings;
}

Result<StreamSettings> read_stream(const Options& options, const std::string& stream) {
    StreamSettings settings;
    settings.name = stream;
    const ListTraits* traits = find_list(stream);
    if (traits != nullptr && !options.has("level"))
        settings.list = TRY(read_list(options, *traits));
    else
        settings.report = TRY(read_report(options, stream));
    return settings;
}

std::vector<std::string> key_of(const ReportSettings& report) {
    std::vector<std::string> key{"date_start", "account_id"};
    if (report.level != Level::account) key.emplace_back(id_column(report.level));
    for (const std::string& breakdown : report.breakdowns) {
        const BreakdownTraits* traits = find_breakdown(breakdown);
        key.push_back(traits != nullptr && traits->is_object ? breakdown + "__id" : breakdown);
    }
    return key;
}

}  // namespace shaduf::facebook
