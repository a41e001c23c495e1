#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "io/http_server.h"

// One call of the REST API is one EndpointSpec: it routes, checks who may, checks the body, and is what the OpenAPI
// description is made of.
namespace shaduf::server {

struct ServeContext;

// What a person may do; each may what those before may.
enum class Role : uint8_t {
    nobody,     // has not signed in
    viewer,     // sees
    editor,     // changes files of the project
    operator_,  // runs, cancels, pauses, replays
    admin,      // users, tokens, secrets, alert routes
};
std::string_view to_string(Role role);
std::optional<Role> role_of(std::string_view name);  // of those that a person may have

enum class ShapeKind : uint8_t { text, integer, number, boolean, time, any, object, list, map };

struct ShapeField;
// What a part of a JSON body is. Static data.
struct Shape {
    ShapeKind kind = ShapeKind::any;
    std::string_view name = {};                      // object: of its schema in the description
    std::span<const ShapeField> fields = {};         // object
    const Shape* of = nullptr;                       // list: of its elements; map: of its values
    std::span<const std::string_view> choices = {};  // text
};
struct ShapeField {
    std::string_view name;
    const Shape* shape;
    std::string_view help = {};
    bool optional = false;  // may be left out, or null
};

inline constexpr Shape kText{.kind = ShapeKind::text};
inline constexpr Shape kInteger{.kind = ShapeKind::integer};
inline constexpr Shape kNumber{.kind = ShapeKind::number};
inline constexpr Shape kBoolean{.kind = ShapeKind::boolean};
inline constexpr Shape kTime{.kind = ShapeKind::time};  // "2026-11-22T06:02:11.020Z"
inline constexpr Shape kAny{};

template <const Shape& Item>
inline constexpr Shape kListOf{.kind = ShapeKind::list, .of = &Item};
template <const Shape& Value>
inline constexpr Shape kMapOf{.kind = ShapeKind::map, .of = &Value};
inline constexpr const Shape& kTextList = kListOf<kText>;

// What every list answers: {"items": [...], "next": "cursor" | null}
template <const Shape& Item>
inline constexpr ShapeField kPageFields[] = {
    {"items", &kListOf<Item>}, {"next", &kText, "What `after` takes for the next page; null: this is the last.", true}};
template <const Shape& Item>
inline constexpr Shape kPageOf{.kind = ShapeKind::object, .fields = kPageFields<Item>};

// A parameter of the query; those of the path stand in braces in it, and are texts.
struct QueryParamSpec {
    std::string_view name;
    const Shape* shape = &kText;
    std::string_view help = {};
    std::string_view default_value = {};
};

// Who calls: signed in by a session or a token.
struct Caller {
    std::string name;  // "" and Role::nobody: nobody has signed in
    Role role = Role::nobody;
    std::vector<std::string> folders;  // of the project, that the role is for; empty: all of it
    std::string address;               // of the client
};

struct ApiCall {
    const HttpServerRequest& request;
    const Caller& caller;
    ServeContext& serve;
    std::map<std::string, std::string, std::less<>> path;  // decoded, by name

    // Of the query: as given or the default; checked against the spec before the handler is called.
    std::string query(std::string_view name) const;
    int64_t query_integer(std::string_view name) const;
    const std::map<std::string, std::string, std::less<>>& defaults;
};

// An answer is JSON unless it says otherwise.
struct ApiAnswer {
    int status = 200;
    std::string body;  // JSON; "": none, then 204
    HttpHeaders headers = {};
    // When set, the whole answer instead: streams of events, downloads.
    std::shared_ptr<HttpServerResponse> raw = {};
};

// Errors become answers by their kind: invalid_config 400 (422 with places, for files), denied 403, not there 404 (see
// `not_found`), conflict 409, unavailable 503; {"error": {"kind", "message", "places": [{"path"|"file", "line",
// "message"}]}}.
using EndpointHandler = Result<ApiAnswer> (*)(ApiCall& call);

struct EndpointSpec {
    std::string_view method;
    std::string_view path;  // "/api/v1/runs/{id}"
    std::string_view id;    // of the operation in the description: "getRun"
    std::string_view summary;
    Role role = Role::viewer;  // who may, at least
    std::span<const QueryParamSpec> query = {};
    const Shape* request = nullptr;   // of a JSON body; checked before the handler is called
    const Shape* response = nullptr;  // nullptr: none
    EndpointHandler handle = nullptr;
    uint64_t body_bytes_max = 1 << 20;
    // What the audit log calls it: "run.cancel"; "": reads only, is not in it. What it was done to is the path.
    std::string_view audited = {};
};

// Calls that belong together, standing at the end of src/server/api/<name>.cc as `extern const server::ApiSpec
// api_<name>` of the namespace shaduf.
struct ApiSpec {
    std::string_view name;
    std::string_view summary;
    std::span<const EndpointSpec> endpoints;
};

// "run not found: 01J8"; it is answered by 404.
Error not_found(std::string_view what, std::string_view name);
bool is_not_found(const Error& error);

// Whether the role of a caller is for this file of the project; elsewhere, who is signed in only sees.
bool is_for_file(const Caller& caller, std::string_view file);

}  // namespace shaduf::server

namespace shaduf {

// One group a file of src/server/api, listed by the build.
Registry<server::ApiSpec> builtin_apis();

}  // namespace shaduf
