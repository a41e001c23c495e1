#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "flow/engine.h"

// How a try has ended, as a worker leaves it for the leader: one JSON object.
namespace shaduf::shared {

std::string to_text(const TaskEnd& end);
// `end` with what the text says; its run, task and attempt stay. internal: no such text.
Result<TaskEnd> read_end(TaskEnd end, std::string_view text);

}  // namespace shaduf::shared
