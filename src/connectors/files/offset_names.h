#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf::files {

// Files named by the first message that stands in them, "orders+3+0000000042", as readers know them who only list: each
// file has rows of one partition of one topic. Where a row comes from stands in three columns, such as _kafka_topic,
// _kafka_partition and _kafka_offset. Not thread-safe.
class OffsetNames {
public:
    explicit OffsetNames(std::string prefix) : prefix_(std::move(prefix)) {}

    // invalid_config when the columns are not there.
    Result<void> prepare(const Schema& schema);
    // Looks at the rows of a batch; those of the next two calls are of it. bad_data for a row that does not say where
    // it comes from. Partitions get small numbers in the order in which they are first seen.
    Result<void> look_at(const RecordBatch& batch);
    const std::vector<size_t>& seen() const { return seen_; }  // by that batch, each once
    // Some of its rows, by partition.
    struct Share {
        size_t source = 0;
        std::vector<uint32_t> rows;
    };
    const std::vector<Share>& shares_of(std::span<const uint32_t> rows);
    std::string name_of(size_t source, const RecordBatch& batch, uint32_t first_row) const;

    // "orders/3"
    std::string part_of(size_t source) const;
    // Whose file that is, of its name; nullopt: another name.
    static std::optional<std::string> part_of_file(std::string_view key);

private:
    size_t number_of(std::string_view topic, int64_t partition);

    const std::string prefix_;
    size_t topic_column_ = 0;
    size_t partition_column_ = 0;
    size_t offset_column_ = 0;
    std::vector<std::pair<std::string, int64_t>> sources_;
    std::map<std::pair<std::string, int64_t>, size_t> numbers_;
    std::vector<size_t> source_of_row_;
    std::vector<size_t> seen_;
    std::vector<Share> shares_;
};

}  // namespace shaduf::files
