#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/ads/slice.h"
#include "connectors/x_ads/settings.h"
#include "data/buffer.h"
#include "data/raw_rows.h"
#include "data/row_decoder.h"

// Answers of the statistics endpoints hold for each entity a list of values for each metric, one value a day or hour.
// Here they become rows, one an entity, day (hour) and segment. A metric that is null is zero; rows in which all are
// zero are left out, as which of them come depends on what else was asked for.
namespace shaduf::x_ads {

// What an answer does not say itself; kept with it as the note of its page.
struct SeriesFrame {
    std::string placement;
    ads::Day first_day;
    int64_t first_hour = 0;  // hours since 1970-01-01T00:00Z; of hourly reports
    size_t points = 0;
    size_t answers =
        1;  // parts of the body, which then is a list of answers: of metric groups that are asked for apart

    std::string to_json() const;
    static Result<SeriesFrame> parse(const std::string& json);
};

// Columns of a report: those that every row has, and the metrics of its groups.
std::vector<ShapeColumn> report_columns(const ReportSettings& report);
// The metric groups as they may be asked for together.
std::vector<std::vector<std::string>> groups_by_request(const ReportSettings& report);

// bad_data when the answer is no such answer, or a series has not as many values as days or hours were asked for.
Result<RawRows> series_rows(const BufferPtr& body, const SeriesFrame& frame, const ReportSettings& report,
                            const ads::Account& account, std::string place);

}  // namespace shaduf::x_ads
