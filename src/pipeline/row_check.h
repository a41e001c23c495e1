#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "config/pipeline_config.h"
#include "data/batch.h"

namespace shaduf {

class DuckDbDatabase;

// The embedded engine that expressions are evaluated in, opened when the first one needs it. Thread-safe.
class ExpressionEngine {
public:
    Result<std::shared_ptr<DuckDbDatabase>> open(RunContext& run);

private:
    std::mutex mutex_;
    std::shared_ptr<DuckDbDatabase> database_;
};

// One expectation that looks at each row by itself. Thread-safe once made: workers check batches side by side.
class RowCheck {
public:
    virtual ~RowCheck() = default;
    // Fills the empty `failing` with the rows that fail, ascending. A column that the batch lacks holds null in every
    // row.
    virtual Result<void> find_failures(RunContext& run, const RecordBatch& rows, std::vector<uint32_t>& failing) = 0;
};

// Kinds not_null, accepted_values, range, regex, expression; nullptr for all others.
// invalid_config: a pattern that is none, a bound that is no number.
Result<std::unique_ptr<RowCheck>> make_row_check(const ExpectConfig& config,
                                                 const std::shared_ptr<ExpressionEngine>& engine);

}  // namespace shaduf
