#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_server.h"

// Answers in X's form.
namespace shaduf::sandbox::x_ads {

// One error of an answer; also what a check of parameters ends in.
struct Refusal {
    int status = 400;
    std::string code = "INVALID_PARAMETER";
    std::string message;
    std::string parameter;  // "": none is to blame
};

HttpServerResponse refuse(const HttpServerRequest& request, const Refusal& refusal);
// `data` is what the call gives; `more` are members beside it, such as next_cursor.
HttpServerResponse reply(const HttpServerRequest& request, int status, nlohmann::ordered_json data,
                         const nlohmann::ordered_json& more);

// "a,b" as a and b; of a parameter that is not there: none.
std::vector<std::string> list_param(const HttpServerRequest& request, std::string_view name);

}  // namespace shaduf::sandbox::x_ads
