#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "io/http_server.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::clevertap {

HttpServerResponse json_answer(int status, const nlohmann::ordered_json& body);
// {"status":"fail","error":...,"code":...}
HttpServerResponse fail(int status, const std::string& error, int code);

// Days of a request's body, as numbers or texts; nullopt when they are none.
std::optional<DayRange> read_days(const nlohmann::ordered_json& body);

enum class Exported : uint8_t { events, profiles };
// A question for an export, by POST or in the parameter `query`: answered by a cursor.
HttpServerResponse begin_export(const HttpServerRequest& request);
// A page of what a cursor stands for. It is its own memory: event, days, page size and how much was told.
struct PageFaults {
    bool empty = false;   // no record, and a cursor that goes on
    bool repeat = false;  // the cursor that it was asked for, once more
};
HttpServerResponse answer_page(const HttpServerRequest& request, const Environment& environment, const World& world,
                               const Entity& project, Exported what, const PageFaults& faults);
// GET /1/profile.json
HttpServerResponse answer_profile(const HttpServerRequest& request, const Entity& project);

}  // namespace shaduf::sandbox::clevertap
