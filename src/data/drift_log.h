#pragma once

#include <string>
#include <vector>

#include "data/row_decoder.h"

namespace shaduf {

// Gathers what the values of a batch ask for beyond the shape, one entry a path. A row's entries count once it is kept.
class DriftLog {
public:
    void add(std::vector<std::string> path, DataType type, bool is_new, size_t row) {
        of_row_.push_back({std::move(path), std::move(type), is_new, row});
    }
    void keep_row() {
        if (!of_row_.empty()) [[unlikely]]
            merge_row();
    }
    void drop_row() { of_row_.clear(); }
    std::vector<DriftColumn> release() { return std::move(columns_); }

private:
    void merge_row();

    std::vector<DriftColumn> of_row_;
    std::vector<DriftColumn> columns_;
};

}  // namespace shaduf
