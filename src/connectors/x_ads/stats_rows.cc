#include "connectors/x_ads/stats_rows.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/time.h"
#include "connectors/ads/json_rows.h"
#include "connectors/x_ads/list_rows.h"
#include "data/batch.h"
#include "data/json_member.h"

namespace shaduf::x_ads {
namespace {

struct Series {
    std::string name;                      // of the column
    bool is_money = false;                 // values are micros
    std::vector<std::string_view> values;  // as they stand in the answer; empty: all are zero
};

struct EntitySeries {
    std::string id;
    std::string segment_name;
    std::string segment_value;
    std::vector<Series> series;
};

bool is_zero(std::string_view raw) {
    return raw == "null" ||
           std::none_of(raw.begin(), raw.end(), [](char c) { return c != '0' && c != '.' && c != '"' && c != '-'; });
}

// Reads one answer into what was read of others.
class AnswerReader {
public:
    AnswerReader(std::vector<EntitySeries>& entities, size_t points) : entities_(entities), points_(points) {
        for (size_t i = 0; i < entities.size(); ++i) index_[key_of(entities[i])] = i;
    }

    Result<void> read(JsonCursor& cursor, const std::string& place) {
        const bool is_read = read_members(cursor, [&](std::string_view key) {
            return key == "data" ? read_list(cursor, [&] { return read_entity(cursor); }) : cursor.skip_value();
        });
        if (wrong_.empty() && !is_read) wrong_ = "statistics are not readable: " + cursor.fault();
        if (!wrong_.empty()) return Error(ErrorKind::bad_data, wrong_ + "; " + place);
        return {};
    }

private:
    using Key = std::tuple<std::string, std::string, std::string>;
    static Key key_of(const EntitySeries& entity) { return {entity.id, entity.segment_name, entity.segment_value}; }

    template <typename Read>
    static bool read_list(JsonCursor& cursor, const Read& read) {
        if (cursor.peek() != '[') return cursor.skip_value();
        bool closed = false;
        if (!cursor.enter(']', closed)) return false;
        if (closed) return true;
        while (!closed) {
            if (!read() || !cursor.next_item(']', closed)) return false;
        }
        cursor.leave();
        return true;
    }

    bool read_entity(JsonCursor& cursor) {
        id_.clear();
        const char* data = nullptr;  // `id` may come behind it
        if (cursor.peek() != '{') return fail(cursor, "an entity is no object");
        if (!read_members(cursor, [&](std::string_view key) {
                if (key == "id") return read_text(cursor, id_);
                if (key == "id_data") data = cursor.at();
                return cursor.skip_value();
            }))
            return false;
        if (id_.empty()) return fail(cursor, "an entity has no id");
        if (data == nullptr) return true;
        const char* end = cursor.at();
        cursor.seek(data);
        if (!read_list(cursor, [&] { return read_segment(cursor); })) return false;
        cursor.seek(end);
        return true;
    }

    bool read_segment(JsonCursor& cursor) {
        EntitySeries found;
        found.id = id_;
        if (cursor.peek() != '{') return fail(cursor, "id_data holds something that is no object");
        const auto read_part = [&](std::string_view key) {
            if (key == "segment" && cursor.peek() == '{') {
                return read_members(cursor, [&](std::string_view name) {
                    if (name == "segment_name") return read_text(cursor, found.segment_name);
                    if (name == "segment_value") return read_text(cursor, found.segment_value);
                    return cursor.skip_value();
                });
            }
            if (key == "metrics" && cursor.peek() == '{') return read_metrics(cursor, "", found.series);
            return cursor.skip_value();
        };
        if (!read_members(cursor, read_part)) return false;
        const auto [at, is_new] = index_.emplace(key_of(found), entities_.size());
        if (is_new) {
            entities_.push_back(std::move(found));
        } else {
            auto& series = entities_[at->second].series;
            std::move(found.series.begin(), found.series.end(), std::back_inserter(series));
        }
        return true;
    }

    bool read_metrics(JsonCursor& cursor, const std::string& prefix, std::vector<Series>& out) {
        return read_members(cursor, [&](std::string_view key) {
            std::string name = prefix + std::string(key);
            if (cursor.peek() == '{') return read_metrics(cursor, name + "__", out);
            Series series;
            series.is_money = name.size() > kMicroSuffix.size() && name.ends_with(kMicroSuffix);
            if (series.is_money) name.resize(name.size() - kMicroSuffix.size());
            series.name = std::move(name);
            return read_values(cursor, series, out);
        });
    }

    bool read_values(JsonCursor& cursor, Series& series, std::vector<Series>& out) {
        const bool is_null = cursor.peek() == 'n';
        if (!is_null && cursor.peek() != '[') return fail(cursor, "metric is no list: " + series.name);
        const auto read_value = [&] {
            std::string_view value;
            if (!read_raw(cursor, value)) return false;
            series.values.push_back(value);
            return true;
        };
        if (!(is_null ? cursor.skip_value() : read_list(cursor, read_value))) return false;
        if (!is_null && series.values.size() != points_)
            return fail(cursor, "series " + series.name + " of " + id_ + " has " +
                                    std::to_string(series.values.size()) + " values where " + std::to_string(points_) +
                                    " were asked for");
        out.push_back(std::move(series));
        return true;
    }

    bool fail(JsonCursor& cursor, std::string what) {
        wrong_ = std::move(what);
        return cursor.fail("unexpected value");
    }

    std::vector<EntitySeries>& entities_;
    const size_t points_;
    std::map<Key, size_t> index_;
    std::string id_;
    std::string wrong_;
};

bool has_point(const EntitySeries& entity, size_t point) {
    return std::any_of(entity.series.begin(), entity.series.end(),
                       [&](const Series& series) { return !series.values.empty() && !is_zero(series.values[point]); });
}

bool is_conversion(std::string_view name) {
    return name.starts_with("conversion_") || name.starts_with("mobile_conversion_");
}

void append_metric(const Series& series, size_t point, std::string& row) {
    // A conversion without any is null as a whole: its parts are not named.
    if (series.values.empty() && is_conversion(series.name) && series.name.find("__") == std::string::npos) return;
    row += ',';
    append_json_string(series.name, row);
    row += ':';
    const std::string_view value = series.values.empty() ? "0" : series.values[point];
    if (value == "null") {
        row += '0';
    } else if (series.is_money) {
        append_micros(value, row);
    } else {
        row += value;
    }
}

// What all rows of an answer begin with.
std::string first_members(const SeriesFrame& frame, const ReportSettings& report, const ads::Account& account) {
    const Members members{{"account_id", account.id},
                          {"account_time_zone", account.time_zone},
                          {"account_currency", account.currency},
                          {"entity", report.entity},
                          {"placement", frame.placement}};
    return "{" + ads::json_members(members);
}

std::string time_members(const SeriesFrame& frame, const ReportSettings& report, const ads::Zone& zone, size_t point) {
    if (!report.hourly) return ",\"date\":\"" + ads::format_day(frame.first_day + std::chrono::days(point)) + "\"";
    const Timestamp start{std::chrono::hours(frame.first_hour + static_cast<int64_t>(point))};
    // By its end: where a zone is off by half an hour, the first hour of a day begins the day before.
    const ads::Day day = zone.day_of(start + std::chrono::hours(1) - std::chrono::microseconds(1));
    return ",\"date\":\"" + ads::format_day(day) + "\",\"hour_start\":\"" + format_timestamp(start) + "\"";
}

}  // namespace

std::string SeriesFrame::to_json() const {
    return nlohmann::json{{"placement", placement},
                          {"first_day", ads::format_day(first_day)},
                          {"first_hour", first_hour},
                          {"points", points},
                          {"answers", answers}}
        .dump();
}

Result<SeriesFrame> SeriesFrame::parse(const std::string& json) {
    try {
        const auto note = nlohmann::json::parse(json);
        const auto day = ads::parse_day(note.at("first_day").get<std::string>());
        if (day) {
            SeriesFrame frame;
            frame.placement = note.at("placement").get<std::string>();
            frame.first_day = *day;
            frame.first_hour = note.at("first_hour").get<int64_t>();
            frame.points = note.at("points").get<size_t>();
            frame.answers = note.at("answers").get<size_t>();
            return frame;
        }
    } catch (const nlohmann::json::exception&) {  // told below
    }
    return Error(ErrorKind::bad_data, "note of an archived page is not readable: " + json);
}

Result<RawRows> series_rows(const BufferPtr& body, const SeriesFrame& frame, const ReportSettings& report,
                            const ads::Account& account, std::string place) {
    std::vector<EntitySeries> entities;
    JsonCursor cursor(body->view());
    cursor.skip_space();
    bool closed = frame.answers == 1;
    if (!closed && (cursor.peek() != '[' || !cursor.enter(']', closed)))
        return Error(ErrorKind::bad_data, "archived answers are not readable; " + place);
    for (size_t i = 0; i < frame.answers; ++i) {
        if (cursor.peek() != '{') return Error(ErrorKind::bad_data, "statistics are no JSON object; " + place);
        TRY(AnswerReader(entities, frame.points).read(cursor, place));
        if (frame.answers > 1 && !cursor.next_item(']', closed))
            return Error(ErrorKind::bad_data, "archived answers are not readable; " + place);
    }
    if (!cursor.finish())
        return Error(ErrorKind::bad_data, "statistics are not readable: " + cursor.fault() + "; " + place);
    const auto zone = TRY(ads::Zone::find(account.time_zone));
    const std::string first = first_members(frame, report, account);
    RawRows out;
    BufferBuilder text;
    std::string row;
    for (size_t point = 0; point < frame.points; ++point) {
        const std::string time = time_members(frame, report, zone, point);
        for (const EntitySeries& entity : entities) {
            if (!has_point(entity, point)) continue;
            row = first + time + ",\"entity_id\":";
            append_json_string(entity.id, row);
            if (!report.segmentation.empty()) {
                row += ",\"segment_name\":";
                append_json_string(entity.segment_name, row);
                row += ",\"segment_value\":";
                append_json_string(entity.segment_value, row);
            }
            for (const Series& series : entity.series) append_metric(series, point, row);
            row += '}';
            out.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(row.size())});
            text.append(row);
            text.append("\n");
        }
    }
    out.text = text.finish();
    out.place = std::move(place);
    return out;
}

}  // namespace shaduf::x_ads
