#include "connectors/facebook_ads/rows.h"

#include <algorithm>

#include "base/time.h"
#include "connectors/ads/json_rows.h"
#include "connectors/facebook_ads/page.h"
#include "data/batch.h"
#include "data/json_cursor.h"
#include "data/json_member.h"

namespace shaduf::facebook {
namespace {

// Of rows without impressions, by hourly breakdowns: the hour is part of the key.
constexpr std::string_view kHourly = "hourly_stats_aggregated_by_";
constexpr std::string_view kFirstHour = "00:00:00 - 00:59:59";

// "creative" of "creative{id,name}".
std::string_view field_name(std::string_view field) { return field.substr(0, field.find_first_of("{(.")); }

ShapeColumn column(std::string_view name, const DataType& type) {
    return {std::string(name), type, {std::string(name)}, true};
}

// Objects of known members; the others show in the rows what they hold.
bool add_object(std::string_view field, std::vector<ShapeColumn>& columns) {
    const auto add = [&](std::string_view member) {
        columns.push_back({std::string(field) + "__" + std::string(member),
                           TypeKind::string,
                           {std::string(field), std::string(member)},
                           true});
    };
    if (field != "creative" && field != "business") return false;
    add("id");
    if (field == "business") add("name");
    return true;
}

void add_common(std::vector<ShapeColumn>& columns) {
    for (const std::string_view name : {"account_id", "account_currency", "account_time_zone"})
        columns.push_back(column(name, TypeKind::string));
}

std::vector<ShapeColumn> list_columns(const ListSettings& list) {
    std::vector<ShapeColumn> columns;
    add_common(columns);
    if (list.traits->kind == ListKind::activities) columns.push_back(column("event_date", TypeKind::date));
    for (const std::string& field : list.fields) {
        const std::string_view name = field_name(field);
        if (name != field || add_object(name, columns)) continue;
        if (const auto type = type_of_list_field(name)) columns.push_back(column(name, *type));
    }
    return columns;
}

std::vector<ShapeColumn> report_columns(const ReportSettings& report) {
    std::vector<ShapeColumn> columns;
    columns.push_back(column("date_start", TypeKind::date));
    columns.push_back(column("date_stop", TypeKind::date));
    add_common(columns);
    columns.push_back(column("attribution_windows", TypeKind::string));
    for (const std::string& field : report.fields) {
        const auto type = type_of_insights_field(field);
        const bool becomes_columns = report.actions == Actions::columns && is_action_list(field);
        if (type && !becomes_columns) columns.push_back(column(field, *type));
    }
    for (const std::string& breakdown : report.breakdowns) {
        const BreakdownTraits* traits = find_breakdown(breakdown);
        if (traits != nullptr && traits->is_object)
            columns.push_back({breakdown + "__id", TypeKind::string, {breakdown, "id"}, true});
        else
            columns.push_back(column(breakdown, TypeKind::string));
    }
    return columns;
}

std::string place_of(const StreamSettings& stream, const ads::Slice& slice) {
    return stream.name + " of " + slice.to_string();
}

// Activities have a time and no day; the day is that of the account's calendar. One outside the slice is another
// slice's.
Result<RawRows> with_days(const BufferPtr& body, std::span<const RawRows::Span> records, const std::string& members,
                          const ads::Slice& slice, const std::string& place) {
    const ads::Zone zone = TRY(ads::Zone::find(slice.account.time_zone));
    RawRows rows;
    BufferBuilder text;
    for (const RawRows::Span& record : records) {
        const std::string time = find_text(body->view().substr(record.offset, record.length), "event_time");
        const auto parsed = parse_timestamp(time);
        std::string all = members;
        if (parsed) {
            const ads::Day day = zone.day_of(Timestamp(std::chrono::microseconds(parsed->microseconds)));
            if (slice.days && (day < slice.days->first || day > slice.days->last)) continue;
            all += R"(,"event_date":")" + ads::format_day(day) + "\"";
        }
        const RawRows one = ads::rows_with_members(body->view(), std::span(&record, 1), all, place);
        rows.rows.push_back({static_cast<uint32_t>(text.size()), one.rows.front().length});
        text.append(one.row(0));
        text.append("\n");
    }
    rows.text = text.finish();
    rows.place = place;
    return rows;
}

}  // namespace

std::string added_members(const StreamSettings& stream, const ads::Slice& slice) {
    std::vector<std::pair<std::string, std::string>> members{{"account_id", slice.account.id},
                                                             {"account_currency", slice.account.currency},
                                                             {"account_time_zone", slice.account.time_zone}};
    if (stream.report) {
        members.emplace_back("attribution_windows", stream.report->windows_text);
        // Where the row has one itself, that one counts, since it comes later.
        for (const std::string& breakdown : stream.report->breakdowns) {
            if (breakdown.starts_with(kHourly)) members.emplace_back(breakdown, kFirstHour);
        }
    }
    return ads::json_members(members);
}

std::vector<ShapeColumn> columns_of(const StreamSettings& stream) {
    return stream.list ? list_columns(*stream.list) : report_columns(*stream.report);
}

Result<ReadBatch> read_rows(const StreamSettings& stream, const ads::Slice& slice, const BufferPtr& body) {
    const auto records = TRY(find_records(body->view()));
    const std::string members = added_members(stream, slice);
    const std::string place = place_of(stream, slice);
    ReadBatch batch;
    batch.place = place;
    if (stream.list && stream.list->traits->kind == ListKind::activities)
        batch.rows = TRY(with_days(body, records, members, slice, place));
    else
        batch.rows = ads::rows_with_members(body->view(), records, members, place);
    return batch;
}

}  // namespace shaduf::facebook
