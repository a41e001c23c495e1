#include "sandbox/clevertap/truth.h"

#include <algorithm>
#include <span>

#include "sandbox/clevertap/events.h"
#include "sandbox/clevertap/reports.h"

namespace shaduf::sandbox::clevertap {
namespace {

// A connection reads one project: that of the credentials that the sandbox gives.
std::span<const Entity> told_projects(const World& world) { return std::span(world.entities(Level::account)).first(1); }

TruthStream events_truth(std::string_view name) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"account_id", TypeKind::string},
                                                                    {"event", TypeKind::string},
                                                                    {"date", TypeKind::date},
                                                                    {"ts", TypeKind::int64},
                                                                    {"profile__identity", TypeKind::string},
                                                                    {"profile__object_id", TypeKind::string}});
    const auto write = [name](const World& world, DayRange days, RecordBatchBuilder& rows) {
        for (const Entity& project : told_projects(world)) {
            for (int32_t day = days.since; day <= days.until; ++day) {
                for_each_event(world, project, name, day, [&](const Event& event) {
                    rows.column(0).append_text(project.id);
                    rows.column(1).append_text(name);
                    rows.column(2).append_date(day);
                    rows.column(3).append_int64(event.ts);
                    rows.column(4).append_text(identity_of(project, event.user));
                    rows.column(5).append_text(object_id_of(project, event.user));
                    rows.end_row();
                });
            }
        }
    };
    return {std::string(name), std::move(schema), {}, true, write};
}

TruthStream counts_truth() {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"account_id", TypeKind::string},
                                                                    {"event", TypeKind::string},
                                                                    {"date", TypeKind::date},
                                                                    {"count", TypeKind::int64}});
    const auto write = [](const World& world, DayRange days, RecordBatchBuilder& rows) {
        for (const Entity& project : told_projects(world)) {
            for (const std::string_view name : kEvents) {
                for (int32_t day = days.since; day <= std::min(days.until, world.details(project).today); ++day) {
                    rows.column(0).append_text(project.id);
                    rows.column(1).append_text(name);
                    rows.column(2).append_date(day);
                    rows.column(3).append_int64(count_events(world, project, name, day));
                    rows.end_row();
                }
            }
        }
    };
    return {"event_counts", std::move(schema), {"account_id", "event", "date"}, true, write};
}

TruthStream sent_truth(std::string name, std::string id_column, Level level) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{
        {"account_id", TypeKind::string}, {std::move(id_column), TypeKind::string}, {"date", TypeKind::date}});
    const auto write = [level](const World& world, DayRange days, RecordBatchBuilder& rows) {
        for (const Entity& entity : world.entities(level)) {
            if (entity.account != told_projects(world).front().account) continue;
            const int32_t day = sent_day(world, entity);
            if (day < days.since || day > days.until) continue;
            rows.column(0).append_text(world.entity(Level::account, entity.account).id);
            rows.column(1).append_text(entity.id);
            rows.column(2).append_date(day);
            rows.end_row();
        }
    };
    const std::string key = schema->fields()[1].name;
    return {std::move(name), std::move(schema), {"account_id", key}, true, write};
}

}  // namespace

std::vector<TruthStream> truth_streams() {
    std::vector<TruthStream> streams;
    for (const std::string_view name : kEvents) streams.push_back(events_truth(name));
    streams.push_back(counts_truth());
    streams.push_back(sent_truth("campaigns", "id", Level::campaign));
    streams.push_back(sent_truth("message_reports", "message_id", Level::ad_group));
    return streams;
}

}  // namespace shaduf::sandbox::clevertap
