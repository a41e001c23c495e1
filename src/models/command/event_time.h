#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "models/command/arguments.h"
#include "models/context/batch.h"

namespace shaduf::models {

// --event-time-start with --event-time-end. nullopt: neither. invalid_config: one alone, no times, or no time between
// them.
Result<std::optional<TimeSpan>> read_event_time(const DbtArguments& arguments);
// --sample: "3 days" up to `now` (microseconds of UTC), or {start: ..., end: ...}.
Result<std::optional<TimeSpan>> read_sample(const DbtArguments& arguments, int64_t now);

}  // namespace shaduf::models
