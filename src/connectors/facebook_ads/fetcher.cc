#include "connectors/facebook_ads/fetcher.h"

#include <algorithm>

#include "base/clock.h"
#include "base/run_events.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/facebook_ads/list_fetch.h"
#include "connectors/facebook_ads/report_days.h"
#include "connectors/facebook_ads/report_run.h"
#include "connectors/facebook_ads/rows.h"

namespace shaduf::facebook {
namespace {

constexpr int kRecentDays = 7;
constexpr int kHistoryDays = 30;
constexpr int kSlicesAtOnce = 8;
constexpr int kMonthsOfUniqueMetrics = 13;

}  // namespace

ads::SliceKind Fetcher::kind() const {
    if (stream_.report) return stream_.report->increment.daily() ? ads::SliceKind::by_day : ads::SliceKind::by_account;
    if (stream_.list->traits->kind == ListKind::activities) return ads::SliceKind::by_day;
    const bool tells_changes = !stream_.list->traits->prefix.empty() && mode_ == ReadMode::incremental;
    return tells_changes ? ads::SliceKind::changes : ads::SliceKind::by_account;
}

ads::SliceColumns Fetcher::columns() const {
    return {.account = "account_id", .day = stream_.report ? "date_start" : "event_date", .part = ""};
}

std::vector<ShapeColumn> Fetcher::known_columns() const { return columns_of(stream_); }

std::shared_ptr<Api> Fetcher::api(RunContext& run) {
    const std::lock_guard lock(mutex_);
    if (api_ == nullptr) api_ = std::make_shared<Api>(run, connection_);
    return api_;
}

Result<ads::StreamPlan> Fetcher::plan(RunContext& run, ads::Memory&) {
    const auto client = api(run);
    TRY(client->inspect_token(run));
    const auto accounts = TRY(run.shared.get<std::vector<ads::Account>>("facebook_ads:accounts:" + connection_.name,
                                                                        [&] { return client->find_accounts(run); }));
    ads::StreamPlan plan;
    plan.accounts = *accounts;
    plan.slice_days = kRecentDays;
    plan.history_days = kHistoryDays;
    plan.slices_at_once = kSlicesAtOnce;
    if (stream_.report) {
        const ads::Day today = std::chrono::floor<std::chrono::days>(run.clock.now());
        const ads::Day oldest = months_before(today, months_kept(*stream_.report)) + std::chrono::days(1);
        plan.retention_days = static_cast<int>((today - oldest).count());
        warn_of_silence(run, today);
    }
    return plan;
}

// The API leaves these metrics out instead of refusing them.
void Fetcher::warn_of_silence(RunContext& run, ads::Day today) const {
    if (stream_.report->breakdowns.empty()) return;
    std::vector<std::string> silent;
    for (const std::string& field : stream_.report->fields) {
        if (is_unique_metric(field)) silent.push_back(field);
    }
    const ads::Day oldest = months_before(today, kMonthsOfUniqueMetrics);
    if (silent.empty() || whole_range(*stream_.report, since_, today).first >= oldest) return;
    run.events.message(Severity::warning, Place::in_stream(connection_.name, stream_.name).to_string(),
                       "fields are empty with breakdowns on days before " + ads::format_day(oldest) + ": " +
                           join(silent, ", ") + "; ask for them in a stream without breakdowns, or set a later since");
}

Result<void> Fetcher::fetch(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) {
    const auto client = api(run);
    if (stream_.list) return fetch_list(run, *client, stream_, kind() == ads::SliceKind::changes, slice, memory, out);
    ReportFetch fetch(*client, client->gate(), stream_, slice, memory, out);
    if (slice.days) return fetch.fetch(run, *slice.days);
    const ads::Zone zone = TRY(ads::Zone::find(slice.account.time_zone));
    return fetch.fetch(run, whole_range(*stream_.report, since_, zone.day_of(run.clock.now())));
}

Result<ReadBatch> Fetcher::parse(const ads::Slice& slice, const ads::Page& page) const {
    const bool as_columns = stream_.report && stream_.report->actions == Actions::columns;
    return as_columns ? read_action_columns(stream_, slice, page.body) : read_rows(stream_, slice, page.body);
}

Result<std::unique_ptr<ads::SliceFetcher>> make_fetcher(const Options& connection, const StreamRequest& request) {
    auto settings = TRY(read_connection(connection, request.connection));
    auto stream = TRY(read_stream(request.options, request.stream));
    return std::unique_ptr<ads::SliceFetcher>(
        std::make_unique<Fetcher>(std::move(settings), std::move(stream), request.mode, request.options.text("since")));
}

}  // namespace shaduf::facebook
