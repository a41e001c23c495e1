#include "sandbox/facebook_ads/errors.h"

#include "base/text.h"
#include "sandbox/frame/json_text.h"
#include "sandbox/world/dice.h"

namespace shaduf::sandbox::facebook {
namespace {

std::string trace_of(const GraphError& error) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t rolled =
        dice(static_cast<uint64_t>(error.code), static_cast<uint64_t>(error.subcode), error.message.size());
    std::string trace = "A";
    for (int i = 0; i < 10; ++i, rolled /= kAlphabet.size()) trace += kAlphabet[rolled % kAlphabet.size()];
    return trace;
}

}  // namespace

HttpServerResponse error_answer(const GraphError& error) {
    JsonText json;
    json.open('{').key("error").open('{').field("message", make_valid_utf8(error.message)).field("type", error.type);
    json.field("code", error.code);
    if (error.subcode != 0) json.field("error_subcode", error.subcode);
    if (error.is_transient || error.subcode != 0) json.key("is_transient").boolean(error.is_transient);
    if (!error.user_title.empty()) json.field("error_user_title", error.user_title);
    if (!error.user_message.empty()) json.field("error_user_msg", error.user_message);
    if (!error.blamed.empty()) {  // which is text with JSON in it
        JsonText blamed;
        blamed.open('{').key("blame_field_specs").open('[').open('[').text(error.blamed);
        json.field("error_data", blamed.close(']').close(']').close('}').str());
    }
    json.field("fbtrace_id", trace_of(error)).close('}').close('}');
    HttpServerResponse response{.status = error.status, .body = json.take()};
    response.headers = {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", "no-store"}};
    if (error.code == 190) {
        response.headers.emplace_back("WWW-Authenticate",
                                      "OAuth \"Facebook Platform\" \"invalid_token\" \"" + error.message + "\"");
    }
    return response;
}

HttpServerResponse json_answer(std::string body) {
    return {.headers = {{"Content-Type", "application/json; charset=UTF-8"},
                        {"Cache-Control", "private, no-cache, no-store, must-revalidate"}},
            .body = std::move(body)};
}

GraphError bad_param(const std::string& message, const std::string& param) {
    return {.message = "(#100) " + message, .blamed = param};
}

GraphError unknown_object(const std::string& id) {
    return {
        .message = "Unsupported get request. Object with ID '" + id +
                   "' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
        .code = 100,
        .subcode = 33,
        .type = "GraphMethodException"};
}

}  // namespace shaduf::sandbox::facebook
