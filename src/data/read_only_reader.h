#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf {

struct RunContext;

// Optional power of a Store, asked for by dynamic_cast: SQL of people who may see, and change nothing.
class ReadOnlyReader {
public:
    virtual ~ReadOnlyReader() = default;
    // One SELECT, or what gives rows as one does, in a transaction that only reads. Nothing of it reaches files, the
    // network or settings: what could is refused (invalid_config) before it runs. `each` gets at least one batch, the
    // columns with no rows, and says whether it wants more. Past `timeout` the statement ends with an error.
    using Each = std::function<Result<bool>(const RecordBatch&)>;
    virtual Result<void> read_only(RunContext& run, const std::string& sql, std::chrono::milliseconds timeout,
                                   const Each& each) = 0;
};

}  // namespace shaduf
