#include "connectors/files/offset_names.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include "base/text.h"
#include "io/url.h"

namespace shaduf::files {

Result<void> OffsetNames::prepare(const Schema& schema) {
    const std::pair<const char*, size_t*> wanted[] = {
        {"topic", &topic_column_}, {"partition", &partition_column_}, {"offset", &offset_column_}};
    for (const auto& [name, column] : wanted) {
        const auto found = schema.index_of(prefix_ + name);
        const TypeKind kind = column == &topic_column_ ? TypeKind::string : TypeKind::int64;
        if (!found || schema[*found].type.kind() != kind) {
            return Error(ErrorKind::invalid_config,
                         "files cannot be named by offsets without the column " + prefix_ + name +
                             "; set metadata: [topic, partition, offset] of the stream, or offsets_prefix to the "
                             "prefix of its columns, or naming: load");
        }
        *column = *found;
    }
    return {};
}

Result<void> OffsetNames::look_at(const RecordBatch& batch) {
    const Column& topics = batch.column(topic_column_);
    const Column& partitions = batch.column(partition_column_);
    source_of_row_.resize(batch.rows());
    seen_.clear();
    std::string_view topic;
    int64_t partition = -1;
    size_t number = SIZE_MAX;
    for (size_t row = 0; row < batch.rows(); ++row) {
        if (topics.is_null(row) || partitions.is_null(row) || batch.column(offset_column_).is_null(row)) {
            return Error(ErrorKind::bad_data, "row has no offset to name its file by; set naming: load");
        }
        if (number == SIZE_MAX || partitions.int64_at(row) != partition || topics.text_at(row) != topic) {
            topic = topics.text_at(row);
            partition = partitions.int64_at(row);
            number = number_of(topic, partition);
            if (std::find(seen_.begin(), seen_.end(), number) == seen_.end()) seen_.push_back(number);
        }
        source_of_row_[row] = number;
    }
    return {};
}

size_t OffsetNames::number_of(std::string_view topic, int64_t partition) {
    const auto [found, is_new] = numbers_.emplace(std::pair(std::string(topic), partition), sources_.size());
    if (is_new) sources_.push_back(found->first);
    return found->second;
}

const std::vector<OffsetNames::Share>& OffsetNames::shares_of(std::span<const uint32_t> rows) {
    shares_.clear();
    for (const uint32_t row : rows) {
        const size_t source = source_of_row_[row];
        auto share = shares_.empty() || shares_.back().source != source
                         ? std::find_if(shares_.begin(), shares_.end(),
                                        [&](const Share& known) { return known.source == source; })
                         : shares_.end() - 1;
        if (share == shares_.end()) share = shares_.insert(share, Share{source, {}});
        share->rows.push_back(row);
    }
    return shares_;
}

std::string OffsetNames::name_of(size_t source, const RecordBatch& batch, uint32_t first_row) const {
    std::array<char, 24> offset{};
    std::snprintf(offset.data(), offset.size(), "%010" PRId64, batch.column(offset_column_).int64_at(first_row));
    return percent_encode(sources_[source].first) + "+" + std::to_string(sources_[source].second) + "+" + offset.data();
}

std::string OffsetNames::part_of(size_t source) const {
    return sources_[source].first + "/" + std::to_string(sources_[source].second);
}

std::optional<std::string> OffsetNames::part_of_file(std::string_view key) {
    const std::string_view name = key.substr(key.rfind('/') + 1);
    const auto parts = split(name.substr(0, name.find('.', name.rfind('+') + 1)), '+');
    const auto is_number = [](std::string_view text) {
        return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    };
    if (parts.size() != 3 || parts[0].empty() || !is_number(parts[1]) || !is_number(parts[2])) return std::nullopt;
    return percent_decode(parts[0]) + "/" + std::string(parts[1]);
}

}  // namespace shaduf::files
