#include "sandbox/facebook_ads/insights_edge.h"

#include <algorithm>
#include <charconv>

#include "base/time.h"
#include "sandbox/facebook_ads/account_access.h"
#include "sandbox/facebook_ads/insights_rows.h"

namespace shaduf::sandbox::facebook {
namespace {

constexpr int64_t kRowsNowMax = 100'000;  // that a synchronous call may be about
constexpr int64_t kReportIdBase = 6'023'920'149'050'000;
constexpr size_t kPageMax = 10'000;
constexpr size_t kPageDefault = 25;
constexpr auto kReportLife = std::chrono::hours(30 * 24);
constexpr int64_t kRowsOfAPoll = 50'000;  // how much of a report is made between two looks at it

GraphError too_much_data() {
    return {.message = "(#100) Please reduce the amount of data you're asking for, then retry your request",
            .code = 100,
            .subcode = 1487534,
            .user_title = "Too Much Data Requested",
            .user_message = "There's too much data in the query. Try a shorter time range, or filter the rows."};
}

// Whether a fault wants the call refused as one for too much.
bool is_too_much(const Call& call, const InsightsQuery& query, int64_t rows) {
    const Fault* fault = call.fault("too_much_data");
    if (fault == nullptr) return false;
    const int64_t days_max = fault->options->integer("days_max");
    const int64_t rows_max = fault->options->integer("rows_max");
    int64_t days = 0;
    for (const DayRange& range : query.ranges) days += range.until - range.since + 1;
    return (days_max > 0 && days > days_max) || (rows_max > 0 && rows > rows_max) || (days_max == 0 && rows_max == 0);
}

std::string quoted_fields(const InsightsQuery& query) {
    std::string text;
    for (const std::string& field : query.fields) text += (text.empty() ? "" : ", ") + field;
    return text;
}

}  // namespace

std::string next_url(const Call& call, const Params& params, const std::string& after) {
    QueryParams query;
    for (const auto& [name, value] : params.all()) {
        if (name != "after" && name != "before") query.emplace_back(name, value);
    }
    // Whatever way the token came in, it stands in this URL.
    if (!params.has("access_token")) query.emplace_back("access_token", token_of(call.request, params));
    query.emplace_back("after", after);
    return call.origin + call.request.path + "?" + format_query(query);
}

size_t page_limit(const Params& params) {
    const std::string_view text = params.text("limit");
    size_t limit = 0;
    std::from_chars(text.data(), text.data() + text.size(), limit);
    return limit == 0 ? kPageDefault : std::min(limit, kPageMax);
}

HttpServerResponse InsightsEdge::answer_now(Call& call, const Params& params, const World& world,
                                            const Entity& entity) {
    const auto parsed = parse_insights(params, world, entity);
    if (const auto* error = std::get_if<GraphError>(&parsed)) return error_answer(*error);
    const auto& query = std::get<0>(parsed);
    const int64_t rows = InsightsRows(world, query, {}).estimate();
    if (rows > kRowsNowMax || is_too_much(call, query, rows)) return error_answer(too_much_data());
    return page(call, params, world, query);
}

HttpServerResponse InsightsEdge::page(Call& call, const Params& params, const World& world,
                                      const InsightsQuery& query) {
    RowPosition from;
    const std::string_view after = params.text("after");
    if (!after.empty()) {
        const auto text = read_cursor(after);
        const auto position = text ? RowPosition::parse(*text) : std::nullopt;
        if (!position) return error_answer(bad_param("Invalid cursors values: " + std::string(after), "after"));
        from = *position;
    }
    InsightsRows rows(world, query, environment_.field_changes(insights_stream(query.level)));
    JsonText json;
    json.open('{').key("data").open('[');
    const size_t empty = json.size();
    const auto next = rows.write_page(from, page_limit(params), json);
    const bool has_rows = json.size() > empty;
    json.close(']');
    if (has_rows) {
        const RowPosition end{static_cast<uint32_t>(query.periods.size()), 0, 0};
        const std::string cursor = make_cursor(next ? next->to_string() : end.to_string());
        json.key("paging").open('{').key("cursors").open('{');
        json.field("before", make_cursor(from.to_string())).field("after", cursor).close('}');
        if (next) json.field("next", next_url(call, params, cursor));
        json.close('}');
    }
    if (!query.summary.empty()) {
        json.key("summary");
        rows.write_summary(json);
    }
    return json_answer(json.close('}').take());
}

HttpServerResponse InsightsEdge::begin_report(Call& call, const Params& params, const World& world,
                                              const Entity& entity) {
    auto parsed = parse_insights(params, world, entity);
    if (const auto* error = std::get_if<GraphError>(&parsed)) return error_answer(*error);
    Report report{.query = std::move(std::get<0>(parsed)),
                  .account = world.above(entity, Level::account).id,
                  .made = environment_.clock().steady_now(),
                  .made_at = world.now()};
    report.polls_needed = 1 + InsightsRows(world, report.query, {}).estimate() / kRowsOfAPoll;
    set_fate(call, report);
    std::string id;
    {
        std::lock_guard lock(mutex_);
        id = std::to_string(kReportIdBase + next_report_++);
        reports_.emplace(id, std::move(report));
    }
    JsonText json;
    json.open('{').key("report_run_id");
    if (call.fault("id_as_number") != nullptr) {
        json.raw(id);
    } else {
        json.text(id);
    }
    return json_answer(json.close('}').take());
}

void InsightsEdge::set_fate(const Call& call, Report& report) {
    if (const Fault* slow = call.fault("report_slow")) report.polls_needed = slow->options->integer("polls");
    if (call.fault("report_stuck") != nullptr) report.fate = Fate::stuck;
    if (call.fault("report_late") != nullptr) report.fate = Fate::late;
    if (call.fault("report_skipped") != nullptr) report.fate = Fate::skipped;
    if (const Fault* failed = call.fault("report_failed")) {
        report.fate = Fate::failed;
        report.error_code = failed->options->integer("code");
        report.error_subcode = failed->options->integer("subcode");
        report.error_message = failed->options->text("message");
    }
}

InsightsEdge::Progress InsightsEdge::progress_of(const Report& report) {
    if (report.fate == Fate::stuck) return {report.polls <= 1 ? "Job Not Started" : "Job Started", 0};
    if (report.polls < report.polls_needed) {
        return {report.polls == 1 ? "Job Started" : "Job Running", report.polls * 100 / report.polls_needed};
    }
    if (report.fate == Fate::failed) return {"Job Failed", 40};
    if (report.fate == Fate::skipped) return {"Job Skipped", 0};
    // Says that it is done one look before it is.
    if (report.fate == Fate::late && report.polls == report.polls_needed) return {"Job Completed", 99};
    return {"Job Completed", 100};
}

// REQUIRES: the lock is held.
InsightsEdge::Report* InsightsEdge::find(std::string_view id) {
    const auto found = reports_.find(id);
    if (found == reports_.end()) return nullptr;
    return environment_.clock().steady_now() - found->second.made > kReportLife ? nullptr : &found->second;
}

std::string InsightsEdge::account_of(std::string_view report) const {
    std::lock_guard lock(mutex_);
    const auto found = reports_.find(report);
    return found == reports_.end() ? "" : found->second.account;
}

HttpServerResponse InsightsEdge::report_state(std::string_view id, const World& world) {
    std::lock_guard lock(mutex_);
    Report* report = find(id);
    if (report == nullptr) return error_answer(unknown_object(std::string(id)));
    ++report->polls;
    const Progress progress = progress_of(*report);
    const auto seconds = [](Timestamp moment) {
        return static_cast<int64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(moment.time_since_epoch()).count());
    };
    JsonText json;
    json.open('{').field("id", id).field("account_id", report->account).field("time_ref", seconds(report->made_at));
    if (progress.percent == 100) json.field("time_completed", seconds(world.now()));
    json.field("async_status", progress.status).field("async_percent_completion", progress.percent);
    json.field("date_start", format_date(report->query.ranges.front().since));
    json.field("date_stop", format_date(report->query.ranges.back().until));
    if (progress.status == "Job Failed") {
        json.field("error_code", report->error_code).field("error_subcode", report->error_subcode);
        json.field("error_message", report->error_message).field("error_user_title", "Report Failed");
        json.field("error_user_msg", report->error_message);
    }
    return json_answer(json.close('}').take());
}

HttpServerResponse InsightsEdge::report_rows(Call& call, const Params& params, std::string_view id,
                                             const World& world) {
    InsightsQuery query;
    {
        std::lock_guard lock(mutex_);
        const Report* report = find(id);
        if (report == nullptr) return error_answer(unknown_object(std::string(id)));
        const Progress progress = progress_of(*report);
        if (report->polls == 0 || progress.status != "Job Completed" || progress.percent != 100) {
            return error_answer({.message = "(#2601) Error accessing adreport job.",
                                 .code = 2601,
                                 .subcode = 1487533,
                                 .user_title = "Loading Async Report Failed",
                                 .user_message = "The report is not complete."});
        }
        query = report->query;
    }
    if (call.fault("summary_flake") != nullptr) {
        return error_answer(bad_param("Cannot include " + quoted_fields(query) +
                                      " in summary param because they weren't there while creating the report run."));
    }
    query.entity = world.find(query.entity_level, query.entity_id);
    if (query.entity == nullptr) return error_answer(unknown_object(query.entity_id));
    return page(call, params, world, query);
}

void InsightsEdge::reset() {
    std::lock_guard lock(mutex_);
    reports_.clear();
}

}  // namespace shaduf::sandbox::facebook
