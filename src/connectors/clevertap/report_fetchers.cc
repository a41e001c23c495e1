#include <nlohmann/json.hpp>

#include "connectors/clevertap/fetchers.h"
#include "connectors/clevertap/rows.h"
#include "data/json_page.h"

namespace shaduf::clevertap {
namespace {

constexpr int kSliceDays = 7;
constexpr int kHistoryDays = 30;
constexpr int kCampaignDays = 31;  // of one question

ShapeColumn column(const std::string& name, DataType type) { return {name, std::move(type), {name}, true}; }

std::vector<ShapeColumn> day_columns() {
    std::vector<ShapeColumn> columns;
    for (const char* name : {"account_id", "account_time_zone", "account_currency"})
        columns.push_back(column(name, TypeKind::string));
    columns.push_back(column("date", TypeKind::date));
    return columns;
}

// The note of a page that is about one day.
std::string day_note(ads::Day day) { return nlohmann::json{{"day", ads::format_day(day)}}.dump(); }
Result<ads::Day> noted_day(const ads::Page& page) {
    const auto note = nlohmann::json::parse(page.note, nullptr, false);
    const bool is_text = note.is_object() && note.contains("day") && note["day"].is_string();
    const auto day = is_text ? ads::parse_day(note["day"].get<std::string>()) : std::nullopt;
    if (!day) return Error(ErrorKind::bad_data, "note of an archived page is not readable: " + page.note);
    return *day;
}

// Of all reports here: one project, slices of days.
class ReportFetcher : public ads::SliceFetcher {
public:
    ReportFetcher(std::shared_ptr<const Api> api, std::vector<std::string> parts)
        : api_(std::move(api)), parts_(std::move(parts)) {}
    ads::SliceKind kind() const override { return ads::SliceKind::by_day; }
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "date", .part = ""}; }
    Result<ads::StreamPlan> plan(RunContext&, ads::Memory&) override {
        ads::StreamPlan plan;
        plan.accounts = {api_->project()};
        plan.parts = parts_;
        plan.slice_days = kSliceDays;
        plan.history_days = kHistoryDays;
        return plan;
    }

protected:
    const Api& api() const { return *api_; }

private:
    const std::shared_ptr<const Api> api_;
    const std::vector<std::string> parts_;
};

class CountFetcher final : public ReportFetcher {
public:
    using ReportFetcher::ReportFetcher;
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "date", .part = "event"}; }
    std::vector<ShapeColumn> known_columns() const override {
        auto columns = day_columns();
        columns.push_back(column("event", TypeKind::string));
        columns.push_back(column("count", TypeKind::int64));
        return columns;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        const std::string name =
            nlohmann::json(slice.part).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        for (ads::Day day = slice.days->first; day <= slice.days->last; day += std::chrono::days(1)) {
            const std::string text = compact_day(day);
            const auto body =
                TRY(api().count_events(run, "{\"event_name\":" + name + ",\"from\":" + text + ",\"to\":" + text + "}"));
            if (!body) {
                if (day == slice.days->first) out.skip("CleverTap counts no events of this name: " + slice.part);
                return {};
            }
            TRY(out.give(run, {*body, day_note(day)}));
        }
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        ReadBatch batch;
        batch.place = "count of " + slice.to_string();
        batch.rows = TRY(count_rows(page.body, slice, TRY(noted_day(page)), batch.place));
        return batch;
    }
};

class MessageFetcher final : public ReportFetcher {
public:
    using ReportFetcher::ReportFetcher;
    std::vector<ShapeColumn> known_columns() const override {
        auto columns = day_columns();
        columns.push_back(column("message_id", TypeKind::string));
        columns.push_back(column("message_name", TypeKind::string));
        columns.push_back(column("start_date", TypeKind::string));
        return columns;
    }

    // A message says when it started in words only, so each day is asked for alone.
    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        for (ads::Day day = slice.days->first; day <= slice.days->last; day += std::chrono::days(1)) {
            const std::string text = compact_day(day);
            const auto body = TRY(api().post(run, "message", "/1/message/report.json",
                                             "{\"from\":\"" + text + "\",\"to\":\"" + text + "\"}"));
            TRY(out.give(run, {body, day_note(day)}));
        }
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        ReadBatch batch;
        batch.place = "message reports of " + slice.to_string();
        batch.rows = TRY(message_rows(page.body, slice, TRY(noted_day(page)), batch.place));
        return batch;
    }
};

class CampaignFetcher final : public ReportFetcher {
public:
    using ReportFetcher::ReportFetcher;
    std::vector<ShapeColumn> known_columns() const override {
        auto columns = day_columns();
        columns.push_back(column("time", TypeKind::timestamp_tz));
        for (const char* name : {"id", "name", "status"}) columns.push_back(column(name, TypeKind::string));
        columns.push_back({"result__sent", TypeKind::int64, {"result", "sent"}, true});
        columns.push_back({"result__viewed", TypeKind::int64, {"result", "viewed"}, true});
        columns.push_back({"result__clicked", TypeKind::int64, {"result", "clicked"}, true});
        return columns;
    }
    Result<ads::StreamPlan> plan(RunContext& run, ads::Memory& memory) override {
        ads::StreamPlan plan = TRY(ReportFetcher::plan(run, memory));
        plan.slice_days = plan.history_days = kCampaignDays;
        return plan;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        for (ads::Day first = slice.days->first; first <= slice.days->last; first += std::chrono::days(kCampaignDays)) {
            const ads::Day last = std::min(slice.days->last, first + std::chrono::days(kCampaignDays - 1));
            const auto list = TRY(api().post(run, "targets", "/1/targets/list.json",
                                             "{\"from\":" + compact_day(first) + ",\"to\":" + compact_day(last) + "}"));
            TRY(out.give(run, {TRY(with_results(run, list, slice)), ""}));
        }
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        ReadBatch batch;
        batch.place = "campaigns of " + slice.to_string();
        batch.rows = TRY(campaign_rows(page.body, slice, batch.place));
        return batch;
    }

private:
    // Each campaign with its result, null where there is none: those that were not sent have none.
    Result<BufferPtr> with_results(RunContext& run, const BufferPtr& list, const ads::Slice& slice) const {
        const auto page = TRY(JsonPage::parse(list, "campaigns of " + slice.to_string()));
        BufferBuilder body;
        body.append("[");
        if (page.has({"targets"})) {
            for (const RawRows::Span& span : TRY(page.records({"targets"}))) {
                const std::string_view target = list->view().substr(span.offset, span.length);
                const auto id = find_scalar(target, {"id"});
                const auto status = find_scalar(target, {"status"});
                const bool is_ahead = status && (status->text == "pending" || status->text == "scheduled");
                std::string result;
                if (id && !is_ahead) result = TRY(api().campaign_result(run, id->raw));
                body.append(body.size() > 1 ? ",{\"target\":" : "{\"target\":");
                body.append(target);
                body.append(",\"result\":");
                body.append(result.empty() ? "null" : result);
                body.append("}");
            }
        }
        body.append("]");
        return body.finish();
    }
};

}  // namespace

std::unique_ptr<ads::SliceFetcher> make_count_fetcher(std::shared_ptr<const Api> api, std::vector<std::string> events) {
    return std::make_unique<CountFetcher>(std::move(api), std::move(events));
}

std::unique_ptr<ads::SliceFetcher> make_campaign_fetcher(std::shared_ptr<const Api> api) {
    return std::make_unique<CampaignFetcher>(std::move(api), std::vector<std::string>{""});
}

std::unique_ptr<ads::SliceFetcher> make_message_fetcher(std::shared_ptr<const Api> api) {
    return std::make_unique<MessageFetcher>(std::move(api), std::vector<std::string>{""});
}

}  // namespace shaduf::clevertap
