#pragma once

#include <string>
#include <unordered_map>

#include "connectors/connector.h"
#include "data/builder.h"
#include "pipeline/raw_guard.h"

namespace shaduf {

struct StreamJob;

// Gathers rows that were turned away, in the form of quarantine_schema(). Not thread-safe.
class QuarantineBuilder {
public:
    static constexpr size_t kRowsAtOnce = 1000;

    // `job` must outlive it.
    explicit QuarantineBuilder(const StreamJob& job);

    // The row keeps its raw text as the source gave it (a typed source: as JSON), but for what the stream's policies
    // hide (see RawGuard); bytes that are no UTF-8 are replaced. Returns the reason as it is kept.
    Result<std::string> add(const ReadBatch& batch, size_t row, const Error& why,
                            const std::shared_ptr<const Shape>& shape, Timestamp now);
    size_t rows() const { return rows_.rows(); }
    RecordBatch finish() { return rows_.finish(); }

private:
    void append(size_t column, const std::optional<std::string>& value);

    const StreamJob& job_;
    RawGuard guard_;
    RecordBatchBuilder rows_;
    int64_t rows_added_ = 0;
    std::unordered_map<size_t, int64_t> copies_;  // of slices: how often a row came in this load, by its hash
};

}  // namespace shaduf
