#pragma once

#include <memory>
#include <string>

#include "flow/shared/sessions.h"
#include "flow/task_log.h"

namespace shaduf::shared {

// Logs that every process can read. A process writes the logs of its tries into files (task_log.h), and sends what is
// new of them to the state store (shaduf.log) every half a second and at their end; of the tries of others it gets what
// it is asked for, and keeps that in the same files. What a killed process had not sent yet is lost, up to half a
// second of it. `sessions` and `clock` outlive it.
std::unique_ptr<LogStore> make_shared_log_store(std::string folder, const Clock& clock, Sessions& sessions);

}  // namespace shaduf::shared
