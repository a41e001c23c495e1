#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "connectors/clevertap/fetchers.h"
#include "connectors/clevertap/rows.h"

namespace shaduf::clevertap {
namespace {

constexpr int kSliceDays = 7;
constexpr int kHistoryDays = 30;
constexpr int kProfileDays = 30;  // of one export

ShapeColumn column(std::string name, DataType type, std::vector<std::string> path) {
    return {std::move(name), std::move(type), std::move(path), true};
}
ShapeColumn column(const std::string& name, DataType type) { return column(name, std::move(type), {name}); }

std::vector<ShapeColumn> project_columns() {
    std::vector<ShapeColumn> columns;
    for (const char* name : {"account_id", "account_time_zone", "account_currency"})
        columns.push_back(column(name, TypeKind::string));
    return columns;
}

std::string export_query(const std::string& event, const ads::DayRange& days) {
    return "{\"event_name\":" + nlohmann::json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
           ",\"from\":" + compact_day(days.first) + ",\"to\":" + compact_day(days.last) + "}";
}

std::string not_exported(const std::string& event) {
    return "CleverTap exports no events of this name: " + event + "; take it out of event:";
}

class EventFetcher final : public ads::SliceFetcher {
public:
    EventFetcher(std::shared_ptr<const Api> api, EventSettings settings)
        : api_(std::move(api)), settings_(std::move(settings)) {}

    ads::SliceKind kind() const override { return ads::SliceKind::by_day; }
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "date", .part = "event"}; }

    std::vector<ShapeColumn> known_columns() const override {
        auto columns = project_columns();
        columns.push_back(column("event", TypeKind::string));
        columns.push_back(column("date", TypeKind::date));
        columns.push_back(column("time", TypeKind::timestamp_tz));
        columns.push_back(column("ts", TypeKind::int64));
        for (const auto& [name, key] :
             {std::pair("object_id", "objectId"), std::pair("identity", "identity"), std::pair("email", "email"),
              std::pair("name", "name"), std::pair("phone", "phone"), std::pair("platform", "platform")})
            columns.push_back(column("profile__" + std::string(name), TypeKind::string, {"profile", key}));
        columns.push_back(column("profile__all_identities", TypeKind::json, {"profile", "all_identities"}));
        if (settings_.properties == Properties::json) {
            columns.push_back(column("profile__profile_data", TypeKind::json, {"profile", "profileData"}));
            columns.push_back(column("event_props", TypeKind::json));
            columns.push_back(column("session_props", TypeKind::json));
        }
        return columns;
    }

    Result<ads::StreamPlan> plan(RunContext&, ads::Memory&) override {
        ads::StreamPlan plan;
        plan.accounts = {api_->project()};
        plan.parts = settings_.events;
        plan.slice_days = kSliceDays;
        plan.history_days = kHistoryDays;
        return plan;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        const auto outcome = TRY(api_->export_records(run, "events", export_query(slice.part, *slice.days),
                                                      settings_.params, [&](const BufferPtr& body) {
                                                          return out.give(run, {body, ""});
                                                      }));
        if (outcome == Api::Outcome::not_exported) out.skip(not_exported(slice.part));
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        ReadBatch batch;
        batch.place = "event " + slice.to_string();
        batch.rows = TRY(event_rows(page.body, slice, batch.place));
        return batch;
    }

private:
    const std::shared_ptr<const Api> api_;
    const EventSettings settings_;
};

// The cursor is the last day that was asked for: the next load begins with it, as it had not ended then.
class ProfileFetcher final : public ads::SliceFetcher {
public:
    ProfileFetcher(std::shared_ptr<const Api> api, EventSettings settings, std::string since)
        : api_(std::move(api)), settings_(std::move(settings)), since_(std::move(since)) {}

    ads::SliceKind kind() const override { return ads::SliceKind::changes; }
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "", .part = ""}; }

    std::vector<ShapeColumn> known_columns() const override {
        auto columns = project_columns();
        for (const char* name : {"profile_id", "identity", "email", "name", "phone"})
            columns.push_back(column(name, TypeKind::string));
        columns.push_back(column("object_id", TypeKind::string, {"objectId"}));
        columns.push_back(column("platform_info", TypeKind::json, {"platformInfo"}));
        columns.push_back(column("events", TypeKind::json));
        if (settings_.properties == Properties::json)
            columns.push_back(column("profile_data", TypeKind::json, {"profileData"}));
        return columns;
    }

    Result<ads::StreamPlan> plan(RunContext&, ads::Memory&) override {
        ads::StreamPlan plan;
        plan.accounts = {api_->project()};
        plan.parts = settings_.events;
        return plan;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        const auto zone = TRY(ads::Zone::find(slice.account.time_zone));
        const ads::Day today = zone.day_of(run.clock.now());
        ads::Day first = TRY(first_day(slice, today));
        bool has_given = false;
        while (first <= today) {
            const ads::DayRange days{first, std::min(today, first + std::chrono::days(kProfileDays - 1))};
            const auto outcome = TRY(api_->export_records(run, "profiles", export_query(slice.part, days),
                                                          settings_.params, [&](const BufferPtr& body) {
                                                              has_given = true;
                                                              return out.give(run, {body, ""});
                                                          }));
            if (outcome == Api::Outcome::not_exported && !has_given) {
                out.skip(not_exported(slice.part));
                return {};
            }
            first = days.last + std::chrono::days(1);
        }
        out.set_cursor(ads::format_day(today));
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        ReadBatch batch;
        batch.place = "profiles of " + slice.to_string();
        batch.rows = TRY(profile_rows(page.body, slice, batch.place));
        return batch;
    }

private:
    Result<ads::Day> first_day(const ads::Slice& slice, ads::Day today) const {
        if (const auto day = ads::parse_day(slice.cursor)) return *day;
        if (const auto day = ads::parse_day(since_)) return *day;
        if (const auto ago = parse_duration(since_)) return today - std::chrono::ceil<std::chrono::days>(*ago);
        return Error(ErrorKind::invalid_config, "since: no day and no duration: " + since_);
    }

    const std::shared_ptr<const Api> api_;
    const EventSettings settings_;
    const std::string since_;
};

}  // namespace

std::unique_ptr<ads::SliceFetcher> make_event_fetcher(std::shared_ptr<const Api> api, EventSettings settings) {
    return std::make_unique<EventFetcher>(std::move(api), std::move(settings));
}

std::unique_ptr<ads::SliceFetcher> make_profile_fetcher(std::shared_ptr<const Api> api, EventSettings settings,
                                                        std::string since) {
    return std::make_unique<ProfileFetcher>(std::move(api), std::move(settings), std::move(since));
}

}  // namespace shaduf::clevertap
