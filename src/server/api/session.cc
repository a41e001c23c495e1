#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/time.h"
#include "config/node.h"
#include "server/answers.h"
#include "server/audit_log.h"
#include "server/endpoint.h"
#include "server/gate.h"
#include "server/serve_context.h"
#include "server/users.h"

namespace shaduf::server {
namespace {

constexpr ShapeField kPlaceFields[] = {
    {"file", &kText},
    {"line", &kInteger, "From 1; 0: the file as a whole."},
    {"path", &kText, "Where in the file.", true},
    {"message", &kText},
};
constexpr Shape kPlace{.kind = ShapeKind::object, .name = "Place", .fields = kPlaceFields};

constexpr ShapeField kWarehouseFields[] = {{"connection", &kText}, {"type", &kText}};
constexpr Shape kWarehouse{.kind = ShapeKind::object, .name = "Warehouse", .fields = kWarehouseFields};

constexpr ShapeField kMeFields[] = {
    {"name", &kText, "\"\": nobody has signed in; \"local\": nobody has to."},
    {"role", &kText, "nobody, viewer, editor, operator or admin."},
    {"folders", &kTextList, "Of the project, that the role is for; empty: all of it."},
    {"needs_sign_in", &kBoolean},
    {"csrf", &kText, "The header X-CSRF-Token of what a session changes.", true},
    {"project", &kText, "Of who has signed in, as all that follows.", true},
    {"environment", &kText, "", true},
    {"environments", &kTextList, "", true},
    {"version", &kText, "Of the program.", true},
    {"warehouse", &kWarehouse, "", true},
    {"started_at", &kTime, "", true},
    {"config_errors", &kListOf<kPlace>, "What is wrong with the project's files; the project is as it was before.",
     true},
};
constexpr Shape kMe{.kind = ShapeKind::object, .name = "Me", .fields = kMeFields};

constexpr ShapeField kSignInFields[] = {{"name", &kText}, {"password", &kText}};
constexpr Shape kSignIn{.kind = ShapeKind::object, .name = "SignIn", .fields = kSignInFields};
constexpr ShapeField kSignedInFields[] = {{"name", &kText}, {"role", &kText}, {"csrf", &kText}};
constexpr Shape kSignedIn{.kind = ShapeKind::object, .name = "SignedIn", .fields = kSignedInFields};

std::vector<std::string> environments_of(const Project& project) {
    std::vector<std::string> names;
    const auto node = Node::load_yaml(project.folder + "/shaduf.yml");
    if (!node.ok()) return {project.environment};
    for (const auto& entry : node.value()["environments"].entries()) names.push_back(entry.key);
    return names;
}

void write_project(JsonWriter& json, ServeContext& serve) {
    const auto view = serve.room.view();
    if (view.project != nullptr) {
        const Project& project = *view.project;
        json.field("project", project.name).field("environment", project.environment);
        write_texts(json, "environments", environments_of(project));
        if (const auto* warehouse = project.connection(project.warehouse)) {
            json.key("warehouse").begin_object().field("connection", project.warehouse);
            json.field("type", warehouse->type).end_object();
        }
    }
    json.field("version", serve.version).field("started_at", format_timestamp(serve.started));
    write_places(json, "config_errors", view.errors);
}

Result<ApiAnswer> me(ApiCall& call) {
    const Caller& caller = call.caller;
    JsonWriter json;
    json.begin_object().field("name", caller.name).field("role", to_string(caller.role));
    write_texts(json, "folders", caller.folders);
    write_flag(json, "needs_sign_in", !is_open(call.serve));
    const std::string session = session_of(call.request, call.serve.is_tls);
    const bool has_session = caller.role != Role::nobody && !session.empty() && caller.name != "local";
    write_text_or_null(json, "csrf", has_session ? csrf_of(session) : "");
    if (caller.role != Role::nobody) write_project(json, call.serve);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<void> note(ApiCall& call, const std::string& name, const char* action) {
    return call.serve.audit.append(
        {.actor = name, .action = action, .target = "/session", .address = call.caller.address});
}

Result<ApiAnswer> sign_in(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    const std::string name = body["name"];
    const auto result =
        TRY(call.serve.users.sign_in(name, body["password"].get_ref<const std::string&>(), call.caller.address));
    if (result.wait.count() > 0) {
        return Error(ErrorKind::rate_limited,
                     "too many failed sign-ins; wait " + std::to_string(result.wait.count()) + " s, then try again")
            .retry_after(result.wait);
    }
    if (result.session.empty()) {
        TRY(note(call, name, "session.refused"));
        auto refused = std::make_shared<HttpServerResponse>(refuse(401, "denied", "the name or the password is wrong"));
        return ApiAnswer{.status = 401, .raw = std::move(refused)};
    }
    TRY(note(call, name, "session.begin"));
    JsonWriter json;
    json.begin_object().field("name", result.caller.name).field("role", to_string(result.caller.role));
    json.field("csrf", csrf_of(result.session)).end_object();
    return ApiAnswer{.body = json.str(),
                     .headers = {{"Set-Cookie", session_cookie(result.session, call.serve.is_tls)}}};
}

Result<ApiAnswer> sign_out(ApiCall& call) {
    TRY(call.serve.users.sign_out(session_of(call.request, call.serve.is_tls)));
    return ApiAnswer{.headers = {{"Set-Cookie", session_cookie("", call.serve.is_tls)}}};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/me",
     .id = "getMe",
     .summary = "Who calls, and of which project this server is.",
     .role = Role::nobody,
     .response = &kMe,
     .handle = me},
    {.method = "POST",
     .path = "/api/v1/session",
     .id = "signIn",
     .summary = "Signs in by name and password; the session is a cookie.",
     .role = Role::nobody,
     .request = &kSignIn,
     .response = &kSignedIn,
     .handle = sign_in,
     .body_bytes_max = 8 << 10},
    {.method = "DELETE",
     .path = "/api/v1/session",
     .id = "signOut",
     .summary = "Ends the session.",
     .role = Role::viewer,
     .handle = sign_out,
     .audited = "session.end"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_session;
const server::ApiSpec api_session{.name = "session", .summary = "Who calls.", .endpoints = server::kEndpoints};

}  // namespace shaduf
