// Reads any bytes as answers of X Ads: statistics (of one set of metric groups or of two), lists, active entities, a
// header of OAuth. Rows of what is taken are JSON objects as nlohmann-json sees them.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "connectors/x_ads/list_rows.h"
#include "connectors/x_ads/report_unit.h"
#include "connectors/x_ads/stats_rows.h"
#include "io/oauth1.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const Result<RawRows>& rows, bool are_whole) {
    if (!rows.ok()) return;
    for (size_t i = 0; are_whole && i < rows.value().rows.size(); ++i)
        require(nlohmann::json::accept(rows.value().row(i)));
}

BufferPtr body_of(std::string_view text) {
    BufferBuilder bytes;
    bytes.append(text);
    return bytes.finish();
}

void run(std::string_view bytes) {
    if (bytes.empty()) return;
    const BufferPtr body = body_of(bytes.substr(1));
    const ads::Account account{"a", "", "Asia/Kolkata", "INR", ""};
    x_ads::ReportSettings report;
    report.entity = "LINE_ITEM";
    report.hourly = (bytes.front() & 1) != 0;
    if ((bytes.front() & 2) != 0) report.segmentation = "AGE";
    x_ads::SeriesFrame frame;
    frame.placement = "TREND";
    frame.points = 2;
    frame.answers = (bytes.front() & 4) != 0 ? 2 : 1;
    check(x_ads::series_rows(body, frame, report, account, "fuzz"), true);
    // A record of a list is judged when it is decoded.
    check(x_ads::list_rows(body, {{"account_id", "a"}}, "fuzz"), false);
    const ads::DayRange days{ads::Day(std::chrono::days(20'000)), ads::Day(std::chrono::days(20'010))};
    const x_ads::ReportCalendar calendar(ads::Zone::find(account.time_zone).value(), Timestamp(), report.hourly);
    if (auto entities = x_ads::read_active_entities(body, days, calendar); entities.ok()) {
        for (const auto& unit : x_ads::units_of(entities.value(), {"TREND"})) {
            require(!unit.ids.empty() && unit.ids.size() <= x_ads::kEntitiesMax);
            require(unit.days.first >= days.first && unit.days.last <= days.last && unit.days.days() >= 1);
        }
    }
    (void)parse_oauth1_header(bytes);
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
