#pragma once

#include <string_view>

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// What the flags of logs say (--log-format, --log-level, --log-path, --log-level-file, ...): how the console speaks,
// and which file has the log: <project>/logs/dbt.log. invalid_config: no such format or level.
Result<void> set_up_log(const InvocationWorld& world, const DbtArguments& arguments, Console& console);

// Events of a command as a whole: MainReportVersion and AdapterRegistered; FoundStats; ConcurrencyLine;
// CommandCompleted.
void tell_of_start(const Invocation& invocation, Console& console);
Event found_stats(const Manifest& manifest);
Event concurrency_line(const Invocation& invocation, size_t nodes);
Event command_completed(std::string_view verb, bool is_well, double seconds);

}  // namespace shaduf::models
