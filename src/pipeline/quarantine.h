#pragma once

#include <string>

#include "connectors/connector.h"
#include "data/builder.h"

namespace shaduf {

struct StreamJob;

// Gathers rows that were turned away, in the form of quarantine_schema(). Not thread-safe.
class QuarantineBuilder {
public:
    static constexpr size_t kRowsAtOnce = 1000;

    // `job` must outlive it.
    explicit QuarantineBuilder(const StreamJob& job);

    // The row keeps its raw text as the source gave it (a typed source: as JSON); bytes that are no UTF-8 are replaced.
    void add(const ReadBatch& batch, size_t row, const Error& why, Timestamp now);
    size_t rows() const { return rows_.rows(); }
    RecordBatch finish() { return rows_.finish(); }

private:
    const StreamJob& job_;
    RecordBatchBuilder rows_;
};

}  // namespace shaduf
