#include "server/anomaly_views.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/answers.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kKinds[] = {"freshness", "volume", "zero_rows"};
constexpr Shape kKind{.kind = ShapeKind::text, .choices = kKinds};
constexpr ShapeField kFields[] = {
    {"table", &kText},
    {"kind", &kKind},
    {"flow", &kText, "That loaded it last.", true},
    {"at", &kTime, "When it was found."},
    {"expected", &kNumber, "Rows; of freshness the usual seconds between loads."},
    {"found", &kNumber, "Rows; of freshness the seconds without a load when it was found."},
    {"score", &kNumber, "How far off: in scales of what is usual; of freshness in usual gaps."},
    {"message", &kText},
    {"muted_until", &kTime, "", true},
};

}  // namespace

const Shape kAnomaly{.kind = ShapeKind::object, .name = "Anomaly", .fields = kFields};

void write_anomaly(JsonWriter& json, const observe::AnomalyWatch::TableState& table, const observe::Anomaly& anomaly) {
    json.begin_object().field("table", table.table).field("kind", to_string(anomaly.kind));
    write_text_or_null(json, "flow", table.flow);
    json.field("at", format_timestamp(anomaly.at)).key("expected").number(anomaly.expected);
    json.key("found").number(anomaly.found).key("score").number(anomaly.score).field("message", anomaly.message);
    const auto muted = table.muted_until.find(anomaly.kind);
    write_time(json, "muted_until", muted == table.muted_until.end() ? std::nullopt : std::optional(muted->second));
    json.end_object();
}

Result<std::vector<std::pair<observe::AnomalyWatch::TableState, observe::Anomaly>>> open_anomalies(
    observe::AnomalyWatch* watch) {
    std::vector<std::pair<observe::AnomalyWatch::TableState, observe::Anomaly>> found;
    if (watch == nullptr) return found;
    for (const auto& table : TRY(watch->tables())) {
        for (const observe::Anomaly& anomaly : table.open) found.emplace_back(table, anomaly);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.second.at > b.second.at; });
    return found;
}

}  // namespace shaduf::server
