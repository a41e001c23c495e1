#include "connectors/files/close_markers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/failpoint.h"
#include "base/text.h"
#include "base/time.h"
#include "io/url.h"

namespace shaduf::files {
namespace {

using std::chrono::hours;

// Folders end on the hour: between two of them none is closed anew.
auto hour_of(Timestamp time) { return std::chrono::floor<hours>(time); }

// "2026", "2026-01", "2026-01-02", "2026-01-02T03": when it is over.
std::optional<Timestamp> end_of(std::string_view text) {
    const auto number = [&](size_t from, size_t count) {
        return std::strtol(std::string(text.substr(from, count)).c_str(), nullptr, 10);
    };
    const std::string date = text.size() == 4   ? std::string(text) + "-01-01"
                             : text.size() == 7 ? std::string(text) + "-01"
                                                : std::string(text.substr(0, 10));
    const auto days = parse_date(date);
    if (!days) return std::nullopt;
    const auto start = Timestamp(hours(24) * *days);
    if (text.size() == 4) {
        return Timestamp(hours(24) * days_from_civil(static_cast<int>(number(0, 4)) + 1, 1, 1));
    }
    if (text.size() == 7) {
        const auto month = static_cast<unsigned>(number(5, 2));
        const int year = static_cast<int>(number(0, 4)) + (month == 12 ? 1 : 0);
        return Timestamp(hours(24) * days_from_civil(year, month % 12 + 1, 1));
    }
    if (text.size() == 10) return start + hours(24);
    if (text.size() == 13) return start + hours(number(11, 2) + 1);
    return std::nullopt;
}

}  // namespace

CloseMarkers::CloseMarkers(std::string name, std::chrono::milliseconds lateness, std::vector<PartitionLevel> levels,
                           std::string table_folder)
    : name_(std::move(name)), lateness_(lateness), levels_(std::move(levels)), table_folder_(std::move(table_folder)) {}

Result<void> CloseMarkers::prepare(const Schema& schema) {
    if (name_.empty()) return {};
    time_level_.reset();
    for (size_t i = 0; i < levels_.size(); ++i) {
        const auto column = schema.index_of(levels_[i].column);
        const bool is_date = column && schema[*column].type.kind() == TypeKind::date;
        if (levels_[i].part != PartitionLevel::Part::value || is_date) time_level_ = i;
    }
    if (time_level_) return {};
    return Error(ErrorKind::invalid_config,
                 "close_marker needs folders of a time; set partition_by to a column of type date, date(c) or hour(c)");
}

std::optional<CloseMarkers::Period> CloseMarkers::period_of(std::string_view key) const {
    if (!time_level_ || !key.starts_with(table_folder_ + "/")) return std::nullopt;
    const auto folders = split(key.substr(table_folder_.size() + 1), '/');
    if (folders.size() != levels_.size() + 1) return std::nullopt;
    std::string folder = table_folder_;
    for (size_t i = 0; i <= *time_level_; ++i) folder += "/" + std::string(folders[i]);
    const std::string_view last = folders[*time_level_];
    const auto end = end_of(percent_decode(last.substr(last.find('=') + 1)));
    if (!end) return std::nullopt;
    return Period{std::move(folder), *end};
}

void CloseMarkers::forget_put(TableState& next) const {
    for (const auto& [folder, version] : put_) {
        const auto due = next.markers_due.find(folder);
        if (due != next.markers_due.end() && due->second <= version) next.markers_due.erase(due);
    }
}

void CloseMarkers::mark(const TableState& before, const std::optional<Timestamp>& seen, std::span<const DataFile> added,
                        TableState& next) const {
    if (name_.empty() || !time_level_) return;
    forget_put(next);
    const auto closed_before = before.closed_until;
    std::optional<Timestamp> closed = closed_before;
    if (seen) closed = closed ? std::max(*closed, *seen - lateness_) : *seen - lateness_;
    if (!closed) return;
    next.closed_until = closed;
    const auto is_due = [&](const DataFile& file, bool is_new) {
        const auto period = period_of(file.key);
        if (!period || period->end > *closed) return;
        if (is_new || !closed_before || period->end > *closed_before) {
            next.markers_due[period->folder] = before.version + 1;
        }
    };
    for (const auto& file : added) is_due(file, true);
    if (closed_before && hour_of(*closed_before) == hour_of(*closed)) return;
    for (const auto& [key, file] : next.files) is_due(file, false);
}

Result<void> CloseMarkers::put(RunContext& run, ObjectStore& store, const TableState& state) {
    if (name_.empty()) return {};
    std::erase_if(put_, [&](const auto& put) { return !state.markers_due.contains(put.first); });
    for (const auto& [folder, since] : state.markers_due) {
        const auto known = put_.find(folder);
        if (known != put_.end() && known->second >= since) continue;
        int64_t rows = 0;
        int64_t files = 0;
        const std::string prefix = folder + "/";
        for (auto file = state.files.lower_bound(prefix); file != state.files.end() && file->first.starts_with(prefix);
             ++file) {
            rows += file->second.rows;
            ++files;
        }
        const nlohmann::ordered_json marker = {{"rows", rows},
                                               {"files", files},
                                               {"closed_at", format_timestamp(run.clock.now())},
                                               {"version", state.version}};
        TRY(failpoint("files.marker.before"));
        TRY(store.put(run, prefix + name_, marker.dump() + "\n"));
        put_[folder] = state.version;
    }
    return {};
}

}  // namespace shaduf::files
