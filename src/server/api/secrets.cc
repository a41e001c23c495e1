#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/project/secrets.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr ShapeField kSecretFields[] = {
    {"name", &kText},
    {"set", &kBoolean, "Whether there is a value in .secrets; its text is never given."},
    {"changed_at", &kTime, "", true},
    {"used_by", &kTextList},
};
constexpr Shape kSecret{.kind = ShapeKind::object, .name = "Secret", .fields = kSecretFields};
constexpr ShapeField kValueFields[] = {{"value", &kText}};
constexpr Shape kValue{.kind = ShapeKind::object, .name = "SecretValue", .fields = kValueFields};

Result<ApiAnswer> list(ApiCall& call) {
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const Secrets::Info& secret : TRY(Secrets(call.serve.folder).list())) {
        json.begin_object().field("name", secret.name);
        write_flag(json, "set", secret.set);
        write_time(json, "changed_at", secret.changed_at);
        write_texts(json, "used_by", secret.used_by);
        json.end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> put(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    TRY(Secrets(call.serve.folder).write(call.path["name"], body["value"].get<std::string>()));
    call.serve.room.reload();
    return ApiAnswer{.status = 204};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/secrets",
     .id = "listSecrets",
     .summary = "The names of secrets, and who uses them.",
     .response = &kPageOf<kSecret>,
     .handle = list},
    {.method = "PUT",
     .path = "/api/v1/secrets/{name}",
     .id = "putSecret",
     .summary = "Writes the value of a secret, which no call reads back.",
     .role = Role::editor,
     .request = &kValue,
     .handle = put,
     .body_bytes_max = 128 << 10,
     .audited = "secret.put"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_secrets;
const server::ApiSpec api_secrets{
    .name = "secrets", .summary = "Values that YAML names.", .endpoints = server::kEndpoints};

}  // namespace shaduf
