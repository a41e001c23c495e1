#include "connectors/x_ads/report_unit.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace shaduf::x_ads {
namespace {

using std::chrono::days;
using std::chrono::hours;

std::optional<Timestamp> read_time(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    const auto parsed = parse_timestamp(found->get<std::string>());
    if (!parsed) return std::nullopt;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}

std::vector<std::string> read_texts(const nlohmann::json& object, const char* name) {
    std::vector<std::string> texts;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array()) return texts;
    for (const auto& text : *found) {
        if (text.is_string()) texts.push_back(text.get<std::string>());
    }
    return texts;
}

bool is_in(const std::vector<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

ReportCalendar::ReportCalendar(const ads::Zone& zone, Timestamp now, bool hourly)
    : zone_(zone), offset_(zone.offset_at(now)), hourly_(hourly) {}

Timestamp ReportCalendar::start_of(ads::Day day) const {
    if (hourly_) return std::chrono::floor<hours>(zone_.start_of(day));
    return Timestamp(day) - offset_;
}

ads::Day ReportCalendar::day_of(Timestamp time) const {
    if (hourly_) return zone_.day_of(time);
    return std::chrono::floor<days>(time + offset_);
}

SeriesFrame ReportCalendar::frame_of(const ReportUnit& unit) const {
    SeriesFrame frame;
    frame.placement = unit.placement;
    frame.first_day = unit.days.first;
    frame.points = static_cast<size_t>(unit.days.days());
    if (hourly_) {
        const Timestamp start = start_of(unit.days.first);
        frame.first_hour = std::chrono::floor<hours>(start.time_since_epoch()).count();
        frame.points = static_cast<size_t>(std::chrono::floor<hours>(end_of(unit.days.last) - start).count());
    }
    return frame;
}

QueryParams unit_params(const ReportUnit& unit, const ReportSettings& report, const ReportCalendar& calendar,
                        const std::vector<std::string>& metric_groups) {
    const auto time = [](Timestamp at) { return format_timestamp(std::chrono::floor<std::chrono::seconds>(at)); };
    QueryParams params{{"entity", report.entity},
                       {"entity_ids", join(unit.ids, ",")},
                       {"start_time", time(calendar.start_of(unit.days.first))},
                       {"end_time", time(calendar.end_of(unit.days.last))},
                       {"granularity", report.hourly ? "HOUR" : "DAY"},
                       {"metric_groups", join(metric_groups, ",")},
                       {"placement", unit.placement}};
    if (!report.segmentation.empty()) params.emplace_back("segmentation_type", report.segmentation);
    if (!report.country.empty()) params.emplace_back("country", report.country);
    if (!report.platform.empty()) params.emplace_back("platform", report.platform);
    return params;
}

std::vector<ReportUnit> split_unit(const ReportUnit& unit) {
    ReportUnit first = unit;
    ReportUnit second = unit;
    first.failures = second.failures = 0;
    if (unit.days.days() > 1) {
        first.days.last = unit.days.first + days(unit.days.days() / 2 - 1);
        second.days.first = first.days.last + days(1);
    } else if (unit.ids.size() > 1) {
        const auto middle = static_cast<std::ptrdiff_t>(unit.ids.size() / 2);
        first.ids.assign(unit.ids.begin(), unit.ids.begin() + middle);
        second.ids.assign(unit.ids.begin() + middle, unit.ids.end());
    } else {
        return {};
    }
    return {std::move(first), std::move(second)};
}

std::vector<ReportUnit> cut_unit(const ReportUnit& unit, int days_max) {
    std::vector<ReportUnit> units;
    for (ads::Day day = unit.days.first; day <= unit.days.last; day += days(days_max)) {
        units.push_back(unit);
        units.back().days = {day, std::min(unit.days.last, day + days(days_max - 1))};
    }
    return units;
}

Result<std::vector<ActiveEntity>> read_active_entities(const BufferPtr& body, const ads::DayRange& days,
                                                       const ReportCalendar& calendar) {
    const auto answer = nlohmann::json::parse(body->view(), nullptr, false);
    if (!answer.is_object() || !answer.contains("data") || !answer["data"].is_array())
        return Error(ErrorKind::bad_data, "active entities are not readable: the answer has no list data");
    std::vector<ActiveEntity> entities;
    for (const auto& item : answer["data"]) {
        if (!item.is_object() || !item.contains("entity_id") || !item["entity_id"].is_string()) continue;
        ActiveEntity entity{item["entity_id"].get<std::string>(), days, read_texts(item, "placements")};
        if (const auto start = read_time(item, "activity_start_time"))
            entity.days.first = std::max(days.first, calendar.day_of(*start));
        if (const auto end = read_time(item, "activity_end_time"))
            entity.days.last = std::min(days.last, calendar.day_of(*end));
        if (entity.days.first <= entity.days.last) entities.push_back(std::move(entity));
    }
    return entities;
}

std::vector<ReportUnit> units_of(std::vector<ActiveEntity> entities, const std::vector<std::string>& placements) {
    std::map<std::string, ActiveEntity> by_id;  // one may come in several windows
    for (ActiveEntity& entity : entities) {
        const auto [found, is_new] = by_id.try_emplace(entity.id, entity);
        if (is_new) continue;
        ActiveEntity& known = found->second;
        known.days = {std::min(known.days.first, entity.days.first), std::max(known.days.last, entity.days.last)};
        if (entity.placements.empty()) known.placements.clear();
        if (known.placements.empty()) continue;
        known.placements.insert(known.placements.end(), entity.placements.begin(), entity.placements.end());
    }
    entities.clear();
    for (auto& [id, entity] : by_id) entities.push_back(std::move(entity));
    std::stable_sort(entities.begin(), entities.end(), [](const ActiveEntity& a, const ActiveEntity& b) {
        return std::pair(a.days.first, a.days.last) < std::pair(b.days.first, b.days.last);
    });
    std::vector<ReportUnit> units;
    for (const std::string& placement : placements) {
        bool is_full = true;
        for (const ActiveEntity& entity : entities) {
            if (!entity.placements.empty() && !is_in(entity.placements, placement)) continue;
            if (is_full) units.push_back({{}, entity.days, placement});
            ReportUnit& unit = units.back();
            unit.ids.push_back(entity.id);
            unit.days = {std::min(unit.days.first, entity.days.first), std::max(unit.days.last, entity.days.last)};
            is_full = unit.ids.size() == kEntitiesMax;
        }
    }
    return units;
}

ads::Page page_of(const ReportUnit& unit, const ReportCalendar& calendar, const std::vector<BufferPtr>& answers) {
    SeriesFrame frame = calendar.frame_of(unit);
    frame.answers = answers.size();
    if (answers.size() == 1) return {answers.front(), frame.to_json()};
    BufferBuilder body;
    for (const BufferPtr& answer : answers) {
        body.append(body.size() == 0 ? "[" : ",");
        body.append(trim(answer->view()));
    }
    body.append("]");
    return {body.finish(), frame.to_json()};
}

}  // namespace shaduf::x_ads
