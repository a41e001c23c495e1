#include "sandbox/x_ads/truth.h"

#include "sandbox/x_ads/numbers.h"
#include "sandbox/x_ads/stats.h"

namespace shaduf::sandbox::x_ads {
namespace {

constexpr int kMoneyScale = 6;
constexpr std::string_view kMicro = "_local_micro";

std::vector<const MetricInfo*> loaded_metrics() { return metrics_of({"ENGAGEMENT", "BILLING", "VIDEO"}); }

std::string column_of(const MetricInfo& metric) {
    std::string name(metric.name);
    if (name.ends_with(kMicro)) name.resize(name.size() - kMicro.size());
    return name;
}

SchemaPtr stats_schema() {
    std::vector<Field> fields{{"account_id", TypeKind::string},       {"account_time_zone", TypeKind::string},
                              {"account_currency", TypeKind::string}, {"date", TypeKind::date},
                              {"entity_id", TypeKind::string},        {"placement", TypeKind::string}};
    for (const MetricInfo* metric : loaded_metrics()) {
        const bool is_money = metric->name.ends_with(kMicro);
        fields.push_back({column_of(*metric), is_money ? DataType::decimal(kMoneyScale) : DataType(TypeKind::int64)});
    }
    return std::make_shared<const Schema>(std::move(fields));
}

// One entity, day and placement; nothing where all numbers are zero.
void write_row(const World& world, const Entity& entity, int32_t day, std::string_view placement,
               RecordBatchBuilder& rows) {
    Segments segments;
    for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i)
        add_day(world, world.entity(Level::ad, i), day, placement, nullptr, segments);
    if (segments.empty()) return;
    const AccountDetails& details = world.details(entity);
    size_t column = 0;
    rows.column(column++).append_text(world.entity(Level::account, entity.account).id);
    rows.column(column++).append_text(details.time_zone);
    rows.column(column++).append_text(details.currency);
    rows.column(column++).append_date(day);
    rows.column(column++).append_text(entity.id);
    rows.column(column++).append_text(placement);
    for (const MetricInfo* metric : loaded_metrics()) {
        const int64_t value = metric->of == nullptr ? 0 : metric->of(segments.begin()->second);
        if (metric->name.ends_with(kMicro)) {
            rows.column(column++).append_decimal(value);
        } else {
            rows.column(column++).append_int64(value);
        }
    }
    rows.end_row();
}

template <Level level>
void write_stats(const World& world, DayRange days, RecordBatchBuilder& rows) {
    for (int32_t day = days.since; day <= days.until; ++day) {
        for (const Entity& entity : world.entities(level)) {
            for (const std::string_view placement : kPlacements) write_row(world, entity, day, placement, rows);
        }
    }
}

template <Level level>
TruthStream stats_truth() {
    return {.name = std::string(stats_stream(level)),
            .schema = stats_schema(),
            .key = {"account_id", "date", "entity_id", "placement"},
            .has_days = true,
            .write = write_stats<level>};
}

template <Level level>
void write_list(const World& world, DayRange, RecordBatchBuilder& rows) {
    for (const Entity& entity : world.entities(level)) {
        rows.column(0).append_text(world.entity(Level::account, entity.account).id);
        rows.column(1).append_text(world.details(entity).time_zone);
        rows.column(2).append_text(world.details(entity).currency);
        rows.column(3).append_text(entity.id);
        rows.column(4).append_text(entity.status == Status::active ? "ACTIVE" : "PAUSED");
        rows.column(5).append_boolean(entity.status == Status::removed);
        const auto updated = std::chrono::floor<std::chrono::seconds>(entity.updated);
        rows.column(6).append_int64(Timestamp(updated).time_since_epoch().count());
        rows.end_row();
    }
}

template <Level level>
TruthStream list_truth(std::string name) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"account_id", TypeKind::string},
                                                                    {"account_time_zone", TypeKind::string},
                                                                    {"account_currency", TypeKind::string},
                                                                    {"id", TypeKind::string},
                                                                    {"entity_status", TypeKind::string},
                                                                    {"deleted", TypeKind::boolean},
                                                                    {"updated_at", TypeKind::timestamp_tz}});
    return {.name = std::move(name),
            .schema = std::move(schema),
            .key = {"account_id", "id"},
            .has_days = false,
            .write = write_list<level>};
}

}  // namespace

std::vector<TruthStream> truth_streams() {
    return {list_truth<Level::campaign>("campaigns"),
            list_truth<Level::ad_group>("line_items"),
            list_truth<Level::ad>("promoted_tweets"),
            stats_truth<Level::account>(),
            stats_truth<Level::campaign>(),
            stats_truth<Level::ad_group>(),
            stats_truth<Level::ad>()};
}

}  // namespace shaduf::sandbox::x_ads
