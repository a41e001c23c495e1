#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf::files {

// One level of folders: a column as it is, or a part of its date.
struct PartitionLevel {
    enum class Part : uint8_t { value, year, month, day, date, hour };
    std::string column;
    Part part = Part::value;
    // "event_date", "month(created_at)". invalid_config for anything else.
    static Result<PartitionLevel> parse(const std::string& text);
    // What stands before "=": "event_date", "created_at_month".
    std::string folder_name() const;
};

// Tells which folder each row belongs to, as Hive names them: "event_date=2023-10-23/platform=web". Folders get small
// numbers in the order in which they are first seen. Null is __HIVE_DEFAULT_PARTITION__; characters that folders or
// URLs take badly are percent-encoded. Not thread-safe.
class Partitioner {
public:
    explicit Partitioner(std::vector<PartitionLevel> levels) : levels_(std::move(levels)) {}

    // The rows of each folder, by its number. invalid_config when a column is not there, or has no date to take a part
    // of.
    Result<const std::vector<std::vector<uint32_t>>*> split(const RecordBatch& rows);
    // The folders that got rows of the last batch, in the order in which they were met.
    const std::vector<uint32_t>& touched() const { return touched_; }
    const std::vector<PartitionLevel>& levels() const { return levels_; }
    const std::string& folder(size_t number) const { return folders_[number]; }
    // Columns that need not stand in the files, since the folders say them.
    bool holds_whole(std::string_view column) const;

private:
    Result<void> append_values(const RecordBatch& rows, const PartitionLevel& level,
                               std::vector<std::string>& paths) const;
    uint32_t number_of(const std::string& folder);
    bool split_by_time(const Column& column, const PartitionLevel& level);
    void add(uint32_t number, uint32_t row) {
        if (rows_[number].empty()) touched_.push_back(number);
        rows_[number].push_back(row);
    }

    std::vector<PartitionLevel> levels_;
    std::vector<std::string> folders_;
    std::map<std::string, uint32_t> numbers_;
    std::unordered_map<int64_t, uint32_t> number_of_time_;  // one level, of time: the usual case; by day or hour
    std::vector<std::vector<uint32_t>> rows_;
    std::vector<uint32_t> touched_;
};

}  // namespace shaduf::files
