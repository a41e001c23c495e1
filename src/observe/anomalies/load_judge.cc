#include "observe/anomalies/load_judge.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time.h"
#include "observe/anomalies/load_model.h"

namespace shaduf::observe {
namespace {

constexpr size_t kSettledAfter = 7;
constexpr int kExtraPart = 4;  // of the usual gap
constexpr double kUsualMargin = 1.1;

std::string count_text(double rows) { return format_count(std::llround(rows)); }

void begin(LoadHistory& history, Anomaly anomaly) {
    const auto [at, is_new] = history.open.try_emplace(anomaly.kind, anomaly);
    Anomaly& open = at->second;
    if (is_new) return;
    // It goes on, or comes again before its end was told: it is the same matter.
    anomaly.at = open.over ? anomaly.at : open.at;
    anomaly.is_told = open.is_told;
    open = std::move(anomaly);
}

void end(LoadHistory& history, AnomalyKind kind, Timestamp at) {
    const auto open = history.open.find(kind);
    if (open != history.open.end() && !open->second.over) open->second.over = at;
}

Anomaly zero_rows(const LoadHistory& history, const Load& load) {
    Anomaly anomaly{.kind = AnomalyKind::zero_rows, .at = load.at, .by = load.by, .over = {}};
    const auto rows = LoadModel(history).rows_at(load.at);
    anomaly.message = "loaded without any row";
    if (rows) {
        anomaly.expected = rows->expected;
        anomaly.score = (0 - rows->center) / rows->scale;
        anomaly.message += " where about " + count_text(rows->expected) + " are usual";
    } else {
        anomaly.message += " though there usually are some";
    }
    return anomaly;
}

Anomaly volume(const LoadModel::Rows& rows, const Load& load) {
    const auto found = static_cast<double>(load.rows);
    const bool is_low = found < rows.expected;
    return {.kind = AnomalyKind::volume,
            .at = load.at,
            .expected = rows.expected,
            .found = found,
            .score = (std::log1p(found) - rows.center) / rows.scale,
            .message = "loaded " + count_text(found) + " rows where about " + count_text(rows.expected) +
                       " are usual, at " + (is_low ? "least " + count_text(rows.low) : "most " + count_text(rows.high)),
            .by = load.by,
            .over = {}};
}

// The last loads that are off, all of them as far as they lie on one side of what is usual.
void settle_when_steady(LoadHistory& history) {
    std::vector<Load>& loads = history.loads;
    if (loads.size() <= kSettledAfter) return;
    const size_t first = loads.size() - kSettledAfter;
    const LoadModel model(history);
    std::vector<double> off_by;
    for (size_t i = first; i < loads.size(); ++i) {
        const auto rows = model.rows_at(loads[i].at);
        if (!loads[i].is_off || loads[i].rows <= 0 || !rows) return;
        off_by.push_back(std::log1p(static_cast<double>(loads[i].rows)) - rows->center);
        if ((off_by.back() < 0) != (off_by.front() < 0)) return;
    }
    // What was learned of hours and weekdays stays true at the new level.
    const double factor = std::exp(median_of(std::move(off_by)));
    for (size_t i = 0; i < first; ++i) {
        if (loads[i].rows > 0) {
            loads[i].rows = std::max<int64_t>(std::llround(static_cast<double>(loads[i].rows) * factor), 1);
        }
    }
    for (size_t i = first; i < loads.size(); ++i) loads[i].is_off = false;
    end(history, AnomalyKind::volume, loads.back().at);
}

// Judges rows that are known, and says whether they are off.
bool judge_rows(LoadHistory& history, const Load& load, bool is_extra) {
    if (load.rows == 0) {
        if (!has_rows_at(history, load.at)) {
            end(history, AnomalyKind::zero_rows, load.at);
            return is_extra;
        }
        if (!is_extra) begin(history, zero_rows(history, load));
        return true;
    }
    end(history, AnomalyKind::zero_rows, load.at);
    const auto rows = LoadModel(history).rows_at(load.at);
    if (!rows) return false;
    const auto found = static_cast<double>(load.rows);
    const bool is_low = found < rows->low;
    const bool is_high = found > rows->high;
    if (!is_low && !is_high) {
        end(history, AnomalyKind::volume, load.at);
        return false;
    }
    // What has gathered while no load came is much, and what is asked for again at once is little.
    const bool has_reason = is_low ? is_extra : load.is_gap_off;
    if (!has_reason) begin(history, volume(*rows, load));
    return true;
}

}  // namespace

void take_load(LoadHistory& history, Load load) {
    bool is_extra = false;
    if (!history.loads.empty()) {
        const Load& last = history.loads.back();
        const auto late = late_after(history, last.at);
        const auto usual = usual_gap(history);
        load.is_gap_off = late && load.at - last.at > *late;
        is_extra = history.loads.size() >= LoadModel::kLoadsMin && load.at - last.at < usual / kExtraPart;
    }
    end(history, AnomalyKind::freshness, load.at);
    if (load.rows >= 0) load.is_off = judge_rows(history, load, is_extra);
    const bool is_off = load.is_off;
    history.add(std::move(load));
    if (is_off) settle_when_steady(history);
}

std::optional<Timestamp> check_freshness(LoadHistory& history, Timestamp now, bool rests) {
    if (rests) end(history, AnomalyKind::freshness, now);
    const auto open = history.open.find(AnomalyKind::freshness);
    if (rests || history.loads.empty() || (open != history.open.end() && !open->second.over)) return std::nullopt;
    const Timestamp last = history.loads.back().at;
    const auto late = late_after(history, last);
    if (!late) return std::nullopt;
    if (now <= last + *late) return last + *late;
    const auto usual = usual_gap(history);
    const std::chrono::duration<double> since = now - last;
    begin(history, {.kind = AnomalyKind::freshness,
                    .at = now,
                    .expected = static_cast<double>(usual.count()),
                    .found = since.count(),
                    .score = usual.count() > 0 ? since.count() / static_cast<double>(usual.count()) : 0,
                    .message = "not loaded for " + format_duration(now - last) + " where " + format_duration(usual) +
                               " is usual, " + format_duration(*late) + " at most",
                    .by = "since " + format_timestamp(last),
                    .over = {}});
    return std::nullopt;
}

void call_usual(LoadHistory& history, AnomalyKind kind, Timestamp now) {
    const auto open = history.open.find(kind);
    if (open == history.open.end()) return;
    const Anomaly& anomaly = open->second;
    if (kind == AnomalyKind::freshness && !history.loads.empty()) {
        history.gap_is_usual =
            std::max(history.gap_is_usual, std::chrono::duration<double>(now - history.loads.back().at).count());
    }
    if (kind == AnomalyKind::volume) {
        const double off_by = std::log1p(anomaly.found) - std::log1p(anomaly.expected);
        history.low_is_usual = std::min(history.low_is_usual, off_by * kUsualMargin);
        history.high_is_usual = std::max(history.high_is_usual, off_by * kUsualMargin);
    }
    if (kind == AnomalyKind::zero_rows) history.zero_is_usual = true;
    for (auto load = history.loads.rbegin(); load != history.loads.rend() && load->is_off; ++load) {
        if ((load->rows == 0) == (kind == AnomalyKind::zero_rows)) load->is_off = false;
    }
    end(history, kind, now);
}

}  // namespace shaduf::observe
