// What a loader should end up with, told by the world. Nothing here is shared with what answers requests but for names
// and for how actions are listed.
#include <array>
#include <cmath>

#include "sandbox/facebook_ads/insights_rows.h"
#include "sandbox/facebook_ads/objects.h"
#include "sandbox/facebook_ads/platform.h"

namespace shaduf::sandbox::facebook {
namespace {

constexpr int64_t kMicrosOfCent = 10'000;

struct Column {
    std::string_view name;
    DataType type;
    void (*write)(const World& world, const Entity& entity, ColumnBuilder& out);
};

void put_above(const World& world, const Entity& entity, Level level, ColumnBuilder& out) {
    out.append_text(world.above(entity, level).id);
}

std::vector<Column> object_columns(ObjectType type) {
    const auto id = [](const World&, const Entity& entity, ColumnBuilder& out) { out.append_text(entity.id); };
    const auto name = [](const World&, const Entity& entity, ColumnBuilder& out) { out.append_text(entity.name); };
    const auto account = [](const World& w, const Entity& e, ColumnBuilder& out) {
        put_above(w, e, Level::account, out);
    };
    const auto campaign = [](const World& w, const Entity& e, ColumnBuilder& out) {
        put_above(w, e, Level::campaign, out);
    };
    const auto group = [](const World& w, const Entity& e, ColumnBuilder& out) {
        put_above(w, e, Level::ad_group, out);
    };
    const auto status = [](const World& w, const Entity& e, ColumnBuilder& out) {
        out.append_text(effective_status(w, e));
    };
    const auto updated = [](const World&, const Entity& entity, ColumnBuilder& out) {
        out.append_int64(std::chrono::floor<std::chrono::seconds>(entity.updated).time_since_epoch().count() *
                         1'000'000);
    };
    if (type == ObjectType::account) {
        return {{"id", TypeKind::string,
                 [](const World&, const Entity& entity, ColumnBuilder& out) { out.append_text("act_" + entity.id); }},
                {"account_id", TypeKind::string, id},
                {"name", TypeKind::string, name},
                {"currency", TypeKind::string,
                 [](const World& w, const Entity& e, ColumnBuilder& out) { out.append_text(w.details(e).currency); }},
                {"timezone_name", TypeKind::string,
                 [](const World& w, const Entity& e, ColumnBuilder& out) { out.append_text(w.details(e).time_zone); }}};
    }
    if (type == ObjectType::creative) {
        return {{"id", TypeKind::string,
                 [](const World&, const Entity& entity, ColumnBuilder& out) { out.append_text(creative_id(entity)); }},
                {"account_id", TypeKind::string, account}};
    }
    std::vector<Column> columns{{"id", TypeKind::string, id}, {"account_id", TypeKind::string, account}};
    if (type != ObjectType::campaign) columns.push_back({"campaign_id", TypeKind::string, campaign});
    if (type == ObjectType::ad) columns.push_back({"adset_id", TypeKind::string, group});
    columns.push_back({"name", TypeKind::string, name});
    columns.push_back({"effective_status", TypeKind::string, status});
    columns.push_back({"updated_time", TypeKind::timestamp_tz, updated});
    return columns;
}

SchemaPtr schema_of(const std::vector<Column>& columns) {
    std::vector<Field> fields;
    for (const Column& column : columns) fields.push_back({std::string(column.name), column.type});
    return std::make_shared<const Schema>(std::move(fields));
}

// All of a level, deleted and archived ones as well.
TruthStream object_truth(ObjectType type, Level level) {
    const auto columns = object_columns(type);
    TruthStream stream{.name = std::string(object_stream(type)), .schema = schema_of(columns), .key = {"id"}};
    stream.write = [columns, level](const World& world, DayRange, RecordBatchBuilder& rows) {
        for (const Entity& entity : world.entities(level)) {
            for (size_t i = 0; i < columns.size(); ++i) columns[i].write(world, entity, rows.column(i));
            rows.end_row();
        }
    };
    return stream;
}

constexpr std::array<std::string_view, 4> kIdColumns{"account_id", "campaign_id", "adset_id", "ad_id"};

// Daily rows of a level, by some breakdowns.
struct InsightsTruth {
    Level level;
    std::vector<const Breakdown*> breakdowns;

    std::vector<Field> fields() const {
        std::vector<Field> fields;
        for (size_t i = 0; i <= static_cast<size_t>(level); ++i)
            fields.push_back({std::string(kIdColumns[i]), TypeKind::string});
        for (const char* name : {"date_start", "date_stop"}) fields.push_back({name, TypeKind::date});
        for (const Breakdown* breakdown : breakdowns)
            fields.push_back({std::string(breakdown->name), TypeKind::string});
        for (const char* name : {"impressions", "clicks", "inline_link_clicks", "reach"})
            fields.push_back({name, TypeKind::int64});
        fields.push_back({"spend", DataType::decimal(18, 2)});
        fields.push_back({"purchases", TypeKind::int64});
        return fields;
    }

    void write_row(const World& world, const Entity& entity, int32_t day, const Part& part,
                   RecordBatchBuilder& rows) const {
        size_t at = 0;
        for (size_t i = 0; i <= static_cast<size_t>(level); ++i) {
            rows.column(at++).append_text(world.above(entity, static_cast<Level>(i)).id);
        }
        for (int i = 0; i < 2; ++i) rows.column(at++).append_date(day);
        for (size_t i = 0; i < breakdowns.size(); ++i) {
            rows.column(at++).append_text(breakdowns[i]->dimension.shares[part.shares[i]].value);
        }
        const Metrics& metrics = part.metrics;
        for (const int64_t number : {metrics.impressions, metrics.clicks, metrics.link_clicks}) {
            rows.column(at++).append_int64(number);
        }
        const bool is_old = day < months_before(world.details(entity).today, kReachMonths);
        if (is_old && !breakdowns.empty()) {
            rows.column(at++).append_null();
        } else {
            rows.column(at++).append_int64(metrics.reach());
        }
        rows.column(at++).append_decimal(metrics.spend_micros / kMicrosOfCent);
        rows.column(at++).append_int64(metrics.purchases);
        rows.end_row();
    }

    void write_entity(const World& world, const Entity& entity, int32_t day, RecordBatchBuilder& rows) const {
        if (breakdowns.empty()) {
            const Metrics metrics = world.measure_range(entity, day, day);
            if (metrics.has_delivery()) write_row(world, entity, day, {{}, metrics}, rows);
            return;
        }
        std::vector<const Dimension*> dimensions;
        for (const Breakdown* breakdown : breakdowns) dimensions.push_back(&breakdown->dimension);
        for (const Part& part : break_down(world.measure(entity, day), world.key_of(entity), dimensions,
                                           world.details(entity).coin_micros)) {
            write_row(world, entity, day, part, rows);
        }
    }

    TruthStream stream(std::string name) const {
        TruthStream stream{.name = std::move(name),
                           .schema = std::make_shared<const Schema>(fields()),
                           .key = {std::string(kIdColumns[static_cast<size_t>(level)]), "date_start"},
                           .has_days = true};
        for (const Breakdown* breakdown : breakdowns) stream.key.emplace_back(breakdown->name);
        stream.write = [self = *this](const World& world, DayRange range, RecordBatchBuilder& rows) {
            for (int32_t day = range.since; day <= range.until; ++day) {
                for (const Entity& entity : world.entities(self.level)) {
                    if (day <= world.details(entity).today) self.write_entity(world, entity, day, rows);
                }
            }
        };
        return stream;
    }
};

}  // namespace

std::vector<TruthStream> truth_streams() {
    std::vector<TruthStream> streams{
        object_truth(ObjectType::account, Level::account), object_truth(ObjectType::campaign, Level::campaign),
        object_truth(ObjectType::ad_set, Level::ad_group), object_truth(ObjectType::ad, Level::ad),
        object_truth(ObjectType::creative, Level::ad)};
    for (const Level level : {Level::account, Level::campaign, Level::ad_group, Level::ad}) {
        streams.push_back(InsightsTruth{level, {}}.stream(std::string(insights_stream(level))));
    }
    streams.push_back(InsightsTruth{Level::ad, {find_breakdown("country")}}.stream("ad_insights_country"));
    streams.push_back(InsightsTruth{Level::ad, {find_breakdown("age"), find_breakdown("gender")}}.stream(
        "ad_insights_age_and_gender"));
    streams.push_back(
        InsightsTruth{Level::ad, {find_breakdown("publisher_platform")}}.stream("ad_insights_publisher_platform"));
    return streams;
}

}  // namespace shaduf::sandbox::facebook
