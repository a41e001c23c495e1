#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/serve_context.h"
#include "server/users.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kRoles[] = {"viewer", "editor", "operator", "admin"};
constexpr Shape kRole{.kind = ShapeKind::text, .choices = kRoles};

constexpr ShapeField kTokenFields[] = {
    {"id", &kText},
    {"name", &kText, "What it is for."},
    {"role", &kRole},
    {"folders", &kTextList, "Of the project, that the role is for; empty: all of it."},
    {"created", &kTime},
    {"expires", &kTime, "", true},
    {"last_used", &kTime, "To the minute.", true},
};
constexpr Shape kToken{.kind = ShapeKind::object, .name = "Token", .fields = kTokenFields};

constexpr ShapeField kNewTokenFields[] = {
    {"name", &kText, "What it is for."},
    {"role", &kRole},
    {"folders", &kTextList, "", true},
    {"expires", &kTime, "null: never.", true},
};
constexpr Shape kNewToken{.kind = ShapeKind::object, .name = "NewToken", .fields = kNewTokenFields};

constexpr ShapeField kMadeTokenFields[] = {
    {"id", &kText}, {"token", &kText, "For the header `Authorization: Bearer`; it is told this once."}};
constexpr Shape kMadeToken{.kind = ShapeKind::object, .name = "MadeToken", .fields = kMadeTokenFields};

Result<ApiAnswer> list(ApiCall& call) {
    const auto tokens = TRY(call.serve.users.tokens());
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const TokenInfo& token : tokens) {
        json.begin_object().field("id", token.id).field("name", token.name).field("role", to_string(token.role));
        write_texts(json, "folders", token.folders);
        json.field("created", format_timestamp(token.created));
        write_time(json, "expires", token.expires);
        write_time(json, "last_used", token.last_used);
        json.end_object();
    }
    json.end_array().key("next").null().end_object();
    return ApiAnswer{.body = json.str()};
}

Result<ApiAnswer> add(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    TokenInfo token;
    token.name = body["name"];
    token.role = role_of(body["role"].get<std::string>()).value_or(Role::viewer);
    if (body.contains("folders") && !body["folders"].is_null()) {
        token.folders = body["folders"].get<std::vector<std::string>>();
    }
    if (body.contains("expires") && !body["expires"].is_null()) {
        const auto expires = parse_timestamp(body["expires"].get<std::string>());
        token.expires = Timestamp(std::chrono::microseconds(expires->microseconds));
        if (*token.expires <= call.serve.world.clock.now()) {
            return Error(ErrorKind::invalid_config, "expires: this has passed: " + format_timestamp(*token.expires));
        }
    }
    const auto made = TRY(call.serve.users.add_token(token));
    JsonWriter json;
    json.begin_object().field("id", made.id).field("token", made.secret).end_object();
    return ApiAnswer{.status = 201, .body = json.str()};
}

Result<ApiAnswer> remove(ApiCall& call) {
    TRY(call.serve.users.remove_token(call.path["id"]));
    return ApiAnswer{};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/tokens",
     .id = "listTokens",
     .summary = "What programs may call by.",
     .role = Role::admin,
     .response = &kPageOf<kToken>,
     .handle = list},
    {.method = "POST",
     .path = "/api/v1/tokens",
     .id = "addToken",
     .summary = "Makes a token for a program.",
     .role = Role::admin,
     .request = &kNewToken,
     .response = &kMadeToken,
     .handle = add,
     .audited = "token.add"},
    {.method = "DELETE",
     .path = "/api/v1/tokens/{id}",
     .id = "removeToken",
     .summary = "Ends a token, at once.",
     .role = Role::admin,
     .handle = remove,
     .audited = "token.remove"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_tokens;
const server::ApiSpec api_tokens{
    .name = "tokens", .summary = "What programs call by.", .endpoints = server::kEndpoints};

}  // namespace shaduf
