#pragma once

#include <optional>

#include "connectors/connector.h"

namespace shaduf {

// The first rows that a source gives, at most `count`; raw ones are decoded along `shape`, whose columns they widen.
// nullopt: there are none.
Result<std::optional<RecordBatch>> read_first_rows(RunContext& run, Source& source, Shape& shape, size_t count);

}  // namespace shaduf
