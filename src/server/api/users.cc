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

constexpr ShapeField kUserFields[] = {
    {"name", &kText},
    {"role", &kRole},
    {"folders", &kTextList, "Of the project, that the role is for; empty: all of it."},
    {"last_seen", &kTime, "To the minute.", true},
    {"locked", &kBoolean, "May not sign in."},
};
constexpr Shape kUser{.kind = ShapeKind::object, .name = "User", .fields = kUserFields};

constexpr ShapeField kNewUserFields[] = {
    {"name", &kText},
    {"password", &kText, "10 characters or more."},
    {"role", &kRole},
    {"folders", &kTextList, "", true},
};
constexpr Shape kNewUser{.kind = ShapeKind::object, .name = "NewUser", .fields = kNewUserFields};

constexpr ShapeField kChangeFields[] = {
    {"role", &kRole, "", true},
    {"folders", &kTextList, "", true},
    {"password", &kText, "Ends the user's sessions.", true},
    {"locked", &kBoolean, "True ends the user's sessions.", true},
};
constexpr Shape kChange{.kind = ShapeKind::object, .name = "UserChange", .fields = kChangeFields};

void write_user(JsonWriter& json, const UserInfo& user) {
    json.begin_object().field("name", user.name).field("role", to_string(user.role));
    write_texts(json, "folders", user.folders);
    write_time(json, "last_seen", user.last_seen);
    write_flag(json, "locked", user.is_locked);
    json.end_object();
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto users = TRY(call.serve.users.list());
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const UserInfo& user : users) write_user(json, user);
    json.end_array().key("next").null().end_object();
    return ApiAnswer{.body = json.str()};
}

Result<ApiAnswer> answer_with(ApiCall& call, const std::string& name, int status) {
    const auto users = TRY(call.serve.users.list());
    for (const UserInfo& user : users) {
        if (user.name != name) continue;
        JsonWriter json;
        write_user(json, user);
        return ApiAnswer{.status = status, .body = json.str()};
    }
    return not_found("user", name);
}

bool has(const nlohmann::json& body, const char* name) { return body.contains(name) && !body[name].is_null(); }

// Without a user whoever is on the machine may do all: the first one must be able to let others in.
Result<void> check_first(ApiCall& call, const UserInfo& user) {
    if (TRY(call.serve.users.has_any()) || (user.role == Role::admin && user.folders.empty())) return {};
    return Error(ErrorKind::invalid_config,
                 "the first user must be an admin of the whole project; without one nobody could let others in");
}

Result<ApiAnswer> add(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    UserInfo user;
    user.name = body["name"];
    user.role = role_of(body["role"].get<std::string>()).value_or(Role::viewer);
    if (has(body, "folders")) user.folders = body["folders"].get<std::vector<std::string>>();
    TRY(check_first(call, user));
    TRY(call.serve.users.add(user, body["password"].get_ref<const std::string&>()));
    return answer_with(call, user.name, 201);
}

Result<ApiAnswer> change(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    Users::Change change;
    if (has(body, "role")) change.role = role_of(body["role"].get<std::string>());
    if (has(body, "folders")) change.folders = body["folders"].get<std::vector<std::string>>();
    if (has(body, "password")) change.password = body["password"].get<std::string>();
    if (has(body, "locked")) change.locked = body["locked"].get<bool>();
    TRY(call.serve.users.change(call.path["name"], change));
    return answer_with(call, call.path["name"], 200);
}

Result<ApiAnswer> remove(ApiCall& call) {
    TRY(call.serve.users.remove(call.path["name"]));
    return ApiAnswer{};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/users",
     .id = "listUsers",
     .summary = "Who may sign in.",
     .role = Role::admin,
     .response = &kPageOf<kUser>,
     .handle = list},
    {.method = "POST",
     .path = "/api/v1/users",
     .id = "addUser",
     .summary = "Adds a user.",
     .role = Role::admin,
     .request = &kNewUser,
     .response = &kUser,
     .handle = add,
     .audited = "user.add"},
    {.method = "PATCH",
     .path = "/api/v1/users/{name}",
     .id = "changeUser",
     .summary = "Changes what a user may, or the password.",
     .role = Role::admin,
     .request = &kChange,
     .response = &kUser,
     .handle = change,
     .audited = "user.change"},
    {.method = "DELETE",
     .path = "/api/v1/users/{name}",
     .id = "removeUser",
     .summary = "Removes a user, whose sessions end.",
     .role = Role::admin,
     .handle = remove,
     .audited = "user.remove"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_users;
const server::ApiSpec api_users{.name = "users", .summary = "Who may sign in.", .endpoints = server::kEndpoints};

}  // namespace shaduf
