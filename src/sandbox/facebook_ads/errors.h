#pragma once

#include <cstdint>
#include <string>

#include "io/http_server.h"

namespace shaduf::sandbox::facebook {

// An error of the Graph API, as its body has it.
struct GraphError {
    std::string message;
    int64_t code = 100;
    int64_t subcode = 0;  // 0: none
    std::string type = "OAuthException";
    int status = 400;
    bool is_transient = false;
    std::string user_title = {};
    std::string user_message = {};
    std::string blamed = {};  // the parameter, named in error_data
};

HttpServerResponse error_answer(const GraphError& error);
HttpServerResponse json_answer(std::string body);

GraphError bad_param(const std::string& message, const std::string& param = {});
GraphError unknown_object(const std::string& id);

}  // namespace shaduf::sandbox::facebook
