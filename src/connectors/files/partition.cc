#include "connectors/files/partition.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "io/url.h"

namespace shaduf::files {
namespace {

using Part = PartitionLevel::Part;

constexpr int64_t kMicrosAnHour = 3'600'000'000;
constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";

struct PartName {
    std::string_view name;
    Part part;
    size_t characters;  // of an ISO 8601 timestamp
};
constexpr PartName kParts[] = {{"year", Part::year, 4},
                               {"month", Part::month, 7},
                               {"day", Part::day, 10},
                               {"date", Part::date, 10},
                               {"hour", Part::hour, 13}};

const PartName* find_part(Part part) {
    for (const auto& known : kParts) {
        if (known.part == part) return &known;
    }
    return nullptr;
}

bool has_date(const DataType& type) {
    return type.kind() == TypeKind::date || type.kind() == TypeKind::timestamp || type.kind() == TypeKind::timestamp_tz;
}

std::string value_text(const Column& column, size_t row, Part part) {
    if (column.is_null(row)) return std::string(kNull);
    std::string text = format_value(column, row);
    const PartName* known = find_part(part);
    if (known != nullptr) text.resize(std::min(text.size(), known->characters));
    if (text.empty()) return std::string(kNull);
    return percent_encode(text);
}

}  // namespace

Result<PartitionLevel> PartitionLevel::parse(const std::string& text) {
    const auto open = text.find('(');
    if (open == std::string::npos) return PartitionLevel{text, Part::value};
    const std::string name = to_lower(trim(std::string_view(text).substr(0, open)));
    for (const auto& known : kParts) {
        if (known.name == name && text.back() == ')') {
            return PartitionLevel{std::string(trim(text.substr(open + 1, text.size() - open - 2))), known.part};
        }
    }
    return Error(ErrorKind::invalid_config,
                 "cannot partition by " + text + "; write a column, or year(c), month(c), day(c), date(c), hour(c)");
}

std::string PartitionLevel::folder_name() const {
    const PartName* known = find_part(part);
    return known == nullptr ? column : column + "_" + std::string(known->name);
}

bool Partitioner::holds_whole(std::string_view column) const {
    return std::any_of(levels_.begin(), levels_.end(), [&](const PartitionLevel& level) {
        return level.part == Part::value && equals_ignoring_case(level.column, column);
    });
}

Result<const std::vector<std::vector<uint32_t>>*> Partitioner::split(const RecordBatch& rows) {
    for (const uint32_t number : touched_) rows_[number].clear();
    touched_.clear();
    if (levels_.empty()) {
        const uint32_t number = number_of("");
        for (size_t row = 0; row < rows.rows(); ++row) add(number, static_cast<uint32_t>(row));
        return &rows_;
    }
    if (levels_.size() == 1) {
        const auto index = rows.schema()->index_of(levels_[0].column);
        if (index && split_by_time(rows.column(*index), levels_[0])) return &rows_;
    }
    std::vector<std::string> paths(rows.rows());
    for (const auto& level : levels_) TRY(append_values(rows, level, paths));
    for (size_t row = 0; row < rows.rows(); ++row) add(number_of(paths[row]), static_cast<uint32_t>(row));
    return &rows_;
}

Result<void> Partitioner::append_values(const RecordBatch& rows, const PartitionLevel& level,
                                        std::vector<std::string>& paths) const {
    const auto index = rows.schema()->index_of(level.column);
    if (!index) {
        const auto names = rows.schema()->names();
        return Error(ErrorKind::invalid_config,
                     "column to partition by is not there: " + level.column + did_you_mean(level.column, names));
    }
    const Column& column = rows.column(*index);
    if (level.part != Part::value && !has_date(column.type)) {
        return Error(ErrorKind::invalid_config, "column to partition by has no date: " + level.column + " is " +
                                                    column.type.to_string() + "; declare it as date or timestamp");
    }
    const std::string name = percent_encode(level.folder_name()) + "=";
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (!paths[row].empty()) paths[row] += '/';
        paths[row] += name + value_text(column, row, level.part);
    }
    return {};
}

// Rows of a day, or an hour, are told by a number, and their folder's name is made once. false: of another type.
bool Partitioner::split_by_time(const Column& column, const PartitionLevel& level) {
    const bool is_date = column.type.kind() == TypeKind::date;
    if (!is_date && (!has_date(column.type) || level.part == Part::value)) return false;
    const int64_t unit = is_date ? 1 : level.part == Part::hour ? kMicrosAnHour : kMicrosAnHour * 24;
    const std::string name = percent_encode(level.folder_name()) + "=";
    std::optional<int64_t> last;
    uint32_t number = 0;
    for (size_t row = 0; row < column.length; ++row) {
        int64_t time = INT64_MIN;
        if (!column.is_null(row)) {
            const int64_t value = is_date ? column.date_at(row) : column.int64_at(row);
            time = value / unit - (value % unit < 0 ? 1 : 0);
        }
        if (time != last) {
            auto found = number_of_time_.find(time);
            if (found == number_of_time_.end()) {
                found = number_of_time_.emplace(time, number_of(name + value_text(column, row, level.part))).first;
            }
            number = found->second;
            last = time;
        }
        add(number, static_cast<uint32_t>(row));
    }
    return true;
}

uint32_t Partitioner::number_of(const std::string& folder) {
    const auto [found, is_new] = numbers_.emplace(folder, static_cast<uint32_t>(folders_.size()));
    if (is_new) {
        folders_.push_back(folder);
        rows_.emplace_back();
    }
    return found->second;
}

}  // namespace shaduf::files
