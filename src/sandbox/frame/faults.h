#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/cancellation.h"
#include "base/clock.h"
#include "io/http_server.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox {

// The kinds of faults that any HTTP server can play, and those that change the world.
std::span<const FaultSpec> general_faults();
// Those that change what there is to read: restate, shift_day, add_field, remove_field, rename_field.
bool changes_world(std::string_view kind);

// Answers a request by `answer`, with those of `faults` that are general and do not change the world. `answer` is not
// called when a fault stands in for the platform.
HttpServerResponse answer_with_faults(std::span<const Fault> faults, const HttpServerRequest& request, Clock& clock,
                                      const Cancellation& cancellation,
                                      const std::function<HttpServerResponse()>& answer);

}  // namespace shaduf::sandbox
