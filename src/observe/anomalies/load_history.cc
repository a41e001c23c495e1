#include "observe/anomalies/load_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace shaduf::observe {
namespace {

using Json = nlohmann::json;

// Of so many loads the tries are known, so that one that is told again does not count again.
constexpr size_t kKnownMax = 50;
constexpr int kOff = 1;
constexpr int kGapOff = 2;

int64_t number_of(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t number) { return Timestamp(std::chrono::microseconds(number)); }

int64_t hour_of(const Load& load) { return std::chrono::floor<std::chrono::hours>(load.at).time_since_epoch().count(); }

Json to_value(const Anomaly& anomaly) {
    Json value = {{"at", number_of(anomaly.at)}, {"expected", anomaly.expected}, {"found", anomaly.found},
                  {"score", anomaly.score},      {"message", anomaly.message},   {"by", anomaly.by},
                  {"told", anomaly.is_told}};
    if (anomaly.over) value["over"] = number_of(*anomaly.over);
    return value;
}

Anomaly anomaly_of(AnomalyKind kind, const Json& value) {
    Anomaly anomaly{.kind = kind,
                    .at = time_of(value.value("at", int64_t{0})),
                    .expected = value.value("expected", 0.0),
                    .found = value.value("found", 0.0),
                    .score = value.value("score", 0.0),
                    .message = value.value("message", ""),
                    .by = value.value("by", ""),
                    .is_told = value.value("told", false),
                    .over = {}};
    if (value.contains("over")) anomaly.over = time_of(value["over"].get<int64_t>());
    return anomaly;
}

LoadHistory history_of(const Json& value) {
    LoadHistory history;
    history.flow = value.value("flow", "");
    for (const Json& item : value.value("loads", Json::array())) {
        const int flags = item.at(2).get<int>();
        history.loads.push_back({time_of(item.at(0).get<int64_t>()), item.at(1).get<int64_t>(),
                                 item.size() > 3 ? item.at(3).get<std::string>() : "", (flags & kOff) != 0,
                                 (flags & kGapOff) != 0});
    }
    const Json open = value.value("open", Json::object());
    for (const auto& [name, item] : open.items()) {
        if (const auto kind = anomaly_kind_of(name)) history.open[*kind] = anomaly_of(*kind, item);
    }
    const Json muted = value.value("muted", Json::object());
    for (const auto& [name, item] : muted.items()) {
        if (const auto kind = anomaly_kind_of(name)) history.muted_until[*kind] = time_of(item.get<int64_t>());
    }
    const Json usual = value.value("usual", Json::object());
    history.low_is_usual = usual.value("low", 0.0);
    history.high_is_usual = usual.value("high", 0.0);
    history.gap_is_usual = usual.value("gap", 0.0);
    history.zero_is_usual = usual.value("zero", false);
    return history;
}

}  // namespace

std::string_view to_string(AnomalyKind kind) {
    constexpr std::array<std::string_view, kAnomalyKinds> kNames = {"freshness", "volume", "zero_rows"};
    return kNames[static_cast<size_t>(kind)];
}

std::optional<AnomalyKind> anomaly_kind_of(std::string_view name) {
    for (size_t i = 0; i < kAnomalyKinds; ++i) {
        const auto kind = static_cast<AnomalyKind>(i);
        if (to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

bool LoadHistory::has(std::string_view by) const {
    const auto is_it = [&](const Load& load) { return load.by == by; };
    return std::any_of(loads.rbegin(), loads.rend(), is_it);
}

void LoadHistory::add(Load load) {
    const auto later = [](const Load& a, const Load& b) { return a.at < b.at; };
    loads.insert(std::upper_bound(loads.begin(), loads.end(), load, later), std::move(load));
    for (size_t i = kKnownMax; i < loads.size(); ++i) loads[loads.size() - 1 - i].by.clear();
    if (loads.size() <= kLoadsMax) return;
    // Where there are many a day, a week must still be among them: of the older ones one of each hour stays.
    const size_t old = loads.size() - kWholeMax;
    for (size_t i = 1; i < old; ++i) {
        if (hour_of(loads[i]) != hour_of(loads[i - 1])) continue;
        loads[i + 1].is_gap_off = true;
        loads.erase(loads.begin() + static_cast<std::ptrdiff_t>(i));
        return;
    }
    loads.erase(loads.begin());
}

std::string LoadHistory::to_json() const {
    Json value = {{"flow", flow}, {"loads", Json::array()}};
    for (const Load& load : loads) {
        Json item = {number_of(load.at), load.rows, (load.is_off ? kOff : 0) | (load.is_gap_off ? kGapOff : 0)};
        if (!load.by.empty()) item.push_back(load.by);
        value["loads"].push_back(std::move(item));
    }
    for (const auto& [kind, anomaly] : open) value["open"][std::string(to_string(kind))] = to_value(anomaly);
    for (const auto& [kind, until] : muted_until) value["muted"][std::string(to_string(kind))] = number_of(until);
    value["usual"] = {{"low", low_is_usual}, {"high", high_is_usual}, {"gap", gap_is_usual}, {"zero", zero_is_usual}};
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<LoadHistory> LoadHistory::from_json(std::string_view text) {
    try {
        const Json value = Json::parse(text, nullptr, false);
        if (!value.is_object()) return std::nullopt;
        return history_of(value);
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace shaduf::observe
