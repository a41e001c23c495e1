#include "connectors/x_ads/report_fetcher.h"

#include <deque>

#include "base/time.h"
#include "connectors/x_ads/report_jobs.h"
#include "connectors/x_ads/report_unit.h"
#include "connectors/x_ads/stats_rows.h"

namespace shaduf::x_ads {
namespace {

constexpr int kSyncDaysMax = 7;
constexpr int kHistoryDays = 30;
constexpr int kActiveDaysMax = 30;  // of one question for active entities

class ReportFetcher final : public ads::SliceFetcher {
public:
    ReportFetcher(std::shared_ptr<const Api> api, ReportSettings report)
        : api_(std::move(api)), report_(std::move(report)) {}

    ads::SliceKind kind() const override { return ads::SliceKind::by_day; }
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "date", .part = ""}; }
    std::vector<ShapeColumn> known_columns() const override { return report_columns(report_); }

    Result<ads::StreamPlan> plan(RunContext& run, ads::Memory&) override {
        const auto accounts = TRY(api_->accounts(run));
        ads::StreamPlan plan;
        plan.slice_days = kSyncDaysMax;
        plan.history_days = kHistoryDays;
        for (const AccountRecord& record : *accounts) plan.accounts.push_back(record.account);
        return plan;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) override {
        const auto zone = TRY(ads::Zone::find(slice.account.time_zone));
        const ReportCalendar calendar(zone, run.clock.now(), report_.hourly);
        const auto units = TRY(find_units(run, slice, calendar));
        const auto give = [&](const ReportUnit& unit, const std::vector<BufferPtr>& answers) {
            return out.give(run, page_of(unit, calendar, answers));
        };
        if (report_.segmentation.empty() && slice.days->days() <= kSyncDaysMax)
            return fetch_now(run, slice.account.id, calendar, units, give);
        ReportJobs jobs(*api_, slice.account.id, report_, calendar, memory);
        std::vector<ReportUnit> cut;
        for (const ReportUnit& unit : units) {
            for (ReportUnit& piece : cut_unit(unit, jobs.days_max())) cut.push_back(std::move(piece));
        }
        return jobs.run_all(run, std::move(cut), give);
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        const SeriesFrame frame = TRY(SeriesFrame::parse(page.note));
        ReadBatch batch;
        batch.place = report_.entity + " statistics of " + slice.to_string() + ", " + frame.placement;
        batch.rows = TRY(series_rows(page.body, frame, report_, slice.account, batch.place));
        return batch;
    }

private:
    Result<std::vector<ReportUnit>> find_units(RunContext& run, const ads::Slice& slice,
                                               const ReportCalendar& calendar) const {
        const std::string& account = slice.account.id;
        if (report_.entity == "ACCOUNT") return units_of({{account, *slice.days, {}}}, report_.placements);
        std::vector<ActiveEntity> entities;
        const ReportUnit whole{{}, *slice.days, ""};
        for (const ReportUnit& window : cut_unit(whole, kActiveDaysMax)) {
            const auto floor = [](Timestamp time) { return std::chrono::floor<std::chrono::hours>(time); };
            // Whole hours; what lies beside the window by that is left out by its day.
            const Timestamp end = calendar.end_of(window.days.last);
            const QueryParams params{
                {"entity", report_.entity},
                {"start_time", format_timestamp(floor(calendar.start_of(window.days.first)))},
                {"end_time", format_timestamp(Timestamp(std::chrono::ceil<std::chrono::hours>(end)))}};
            const auto body = TRY(api_->get(run, Family::active_entities, account,
                                            "/stats/accounts/" + account + "/active_entities", params));
            auto found = TRY(read_active_entities(body, window.days, calendar));
            std::move(found.begin(), found.end(), std::back_inserter(entities));
        }
        return units_of(std::move(entities), report_.placements);
    }

    Result<void> fetch_now(RunContext& run, const std::string& account, const ReportCalendar& calendar,
                           const std::vector<ReportUnit>& units, const ReportJobs::Give& give) const {
        std::deque<ReportUnit> left(units.begin(), units.end());
        const auto groups = groups_by_request(report_);
        while (!left.empty()) {
            const ReportUnit unit = std::move(left.front());
            left.pop_front();
            std::vector<BufferPtr> answers;
            for (const auto& group : groups) {
                auto body = api_->get(run, Family::stats, account, "/stats/accounts/" + account,
                                      unit_params(unit, report_, calendar, group));
                if (body.ok()) {
                    answers.push_back(body.release_value());
                    continue;
                }
                const auto halves = split_unit(unit);
                if (body.error().kind() != ErrorKind::too_large || halves.empty()) return body.error();
                left.insert(left.begin(), halves.begin(), halves.end());
                break;
            }
            if (answers.size() == groups.size()) TRY(give(unit, answers));
        }
        return {};
    }

    const std::shared_ptr<const Api> api_;
    const ReportSettings report_;
};

}  // namespace

std::unique_ptr<ads::SliceFetcher> make_report_fetcher(std::shared_ptr<const Api> api, ReportSettings report) {
    return std::make_unique<ReportFetcher>(std::move(api), std::move(report));
}

}  // namespace shaduf::x_ads
