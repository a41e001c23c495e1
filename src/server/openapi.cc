#include "server/openapi.h"

#include <algorithm>
#include <map>

#include "base/json_writer.h"
#include "base/text.h"

namespace shaduf::server {
namespace {

using Schemas = std::map<std::string, const Shape*, std::less<>>;

void collect(const Shape* shape, Schemas& schemas) {
    if (shape == nullptr) return;
    if (!shape->name.empty() && !schemas.try_emplace(std::string(shape->name), shape).second) return;
    for (const ShapeField& field : shape->fields) collect(field.shape, schemas);
    collect(shape->of, schemas);
}

void write_type(JsonWriter& json, std::string_view type, bool or_null) {
    if (!or_null) {
        json.field("type", type);
        return;
    }
    json.key("type").begin_array().text(type).text("null").end_array();
}

void write_schema(JsonWriter& json, const Shape& shape, bool or_null, std::string_view help, bool in_place);

void write_object(JsonWriter& json, const Shape& shape) {
    json.key("properties").begin_object();
    for (const ShapeField& field : shape.fields) {
        json.key(field.name);
        write_schema(json, *field.shape, field.optional, field.help, false);
    }
    json.end_object().key("required").begin_array();
    for (const ShapeField& field : shape.fields) {
        if (!field.optional) json.text(field.name);
    }
    json.end_array().key("additionalProperties").boolean(false);
}

void write_fields(JsonWriter& json, const Shape& shape, bool or_null) {
    switch (shape.kind) {
        case ShapeKind::any: return;
        case ShapeKind::text: write_type(json, "string", or_null); break;
        case ShapeKind::time:
            write_type(json, "string", or_null);
            json.field("format", "date-time");
            return;
        case ShapeKind::integer:
            write_type(json, "integer", or_null);
            json.field("format", "int64");
            return;
        case ShapeKind::number: write_type(json, "number", or_null); return;
        case ShapeKind::boolean: write_type(json, "boolean", or_null); return;
        case ShapeKind::object:
            write_type(json, "object", or_null);
            write_object(json, shape);
            return;
        case ShapeKind::list:
        case ShapeKind::map:
            write_type(json, shape.kind == ShapeKind::list ? "array" : "object", or_null);
            if (shape.of == nullptr) return;
            json.key(shape.kind == ShapeKind::list ? "items" : "additionalProperties");
            write_schema(json, *shape.of, false, "", false);
            return;
    }
    if (shape.choices.empty()) return;
    json.key("enum").begin_array();
    for (const std::string_view choice : shape.choices) json.text(choice);
    if (or_null) json.null();
    json.end_array();
}

// A named shape is a reference, but for where it is defined.
void write_schema(JsonWriter& json, const Shape& shape, bool or_null, std::string_view help, bool in_place) {
    json.begin_object();
    if (shape.name.empty() || in_place) {
        write_fields(json, shape, or_null);
    } else {
        const std::string reference = "#/components/schemas/" + std::string(shape.name);
        if (or_null) {
            json.key("anyOf").begin_array().begin_object().field("$ref", reference).end_object();
            json.begin_object().field("type", "null").end_object().end_array();
        } else {
            json.field("$ref", reference);
        }
    }
    if (!help.empty()) json.field("description", help);
    json.end_object();
}

// "{path...}" takes slashes, which the description has no word for.
std::string plain_path(std::string_view path) {
    std::string plain(path);
    const size_t dots = plain.find("...}");
    if (dots != std::string::npos) plain.erase(dots, 3);
    return plain;
}

void write_parameters(JsonWriter& json, const EndpointSpec& spec) {
    json.key("parameters").begin_array();
    const std::string path = plain_path(spec.path);
    for (const std::string_view word : split(std::string_view(path), '/')) {
        if (!word.starts_with('{')) continue;
        json.begin_object().field("name", word.substr(1, word.size() - 2)).field("in", "path");
        json.key("required").boolean(true).key("schema").begin_object().field("type", "string").end_object();
        json.end_object();
    }
    for (const QueryParamSpec& param : spec.query) {
        json.begin_object().field("name", param.name).field("in", "query").key("required").boolean(false);
        if (!param.help.empty()) json.field("description", param.help);
        json.key("schema").begin_object();
        write_fields(json, *param.shape, false);
        if (!param.default_value.empty()) {
            json.key("default");
            const bool is_text = param.shape->kind == ShapeKind::text || param.shape->kind == ShapeKind::time;
            if (is_text) {
                json.text(param.default_value);
            } else {
                json.raw(param.default_value);
            }
        }
        json.end_object().end_object();
    }
    json.end_array();
}

void write_content(JsonWriter& json, const Shape& shape) {
    json.key("content").begin_object().key("application/json").begin_object().key("schema");
    write_schema(json, shape, false, "", false);
    json.end_object().end_object();
}

void write_operation(JsonWriter& json, const ApiSpec& api, const EndpointSpec& spec) {
    json.key(to_lower(spec.method)).begin_object().field("operationId", spec.id).field("summary", spec.summary);
    json.key("tags").begin_array().text(api.name).end_array();
    json.field("x-role", to_string(spec.role));
    write_parameters(json, spec);
    if (spec.request != nullptr) {
        json.key("requestBody").begin_object().key("required").boolean(true);
        write_content(json, *spec.request);
        json.end_object();
    }
    json.key("responses").begin_object().key("2XX").begin_object().field("description", "Done.");
    if (spec.response != nullptr) write_content(json, *spec.response);
    json.end_object().key("default").begin_object().field("$ref", "#/components/responses/Error").end_object();
    json.end_object();
    if (spec.role == Role::nobody) json.key("security").begin_array().end_array();
    json.end_object();
}

constexpr ShapeField kErrorPlaceFields[] = {{"file", &kText, "Of the project.", true},
                                            {"line", &kInteger, "", true},
                                            {"path", &kText, "Of the body, or in the file.", true},
                                            {"message", &kText}};
constexpr Shape kErrorPlace{.kind = ShapeKind::object, .name = "ErrorPlace", .fields = kErrorPlaceFields};
constexpr ShapeField kErrorFields[] = {
    {"kind", &kText, "invalid_config, denied, not_found, conflict, unavailable, rate_limited, too_large, ..."},
    {"message", &kText, "What happened, and what to do."},
    {"places", &kListOf<kErrorPlace>}};
constexpr Shape kError{.kind = ShapeKind::object, .name = "ErrorInfo", .fields = kErrorFields};
constexpr ShapeField kErrorAnswerFields[] = {{"error", &kError}};
constexpr Shape kErrorAnswer{.kind = ShapeKind::object, .name = "Error", .fields = kErrorAnswerFields};

void write_components(JsonWriter& json, const Schemas& schemas) {
    json.key("components").begin_object().key("schemas").begin_object();
    for (const auto& [name, shape] : schemas) {
        json.key(name);
        write_schema(json, *shape, false, "", true);
    }
    json.end_object().key("responses").begin_object().key("Error").begin_object();
    json.field("description", "What went wrong.");
    write_content(json, kErrorAnswer);
    json.end_object().end_object().key("securitySchemes").begin_object();
    json.key("token").begin_object().field("type", "http").field("scheme", "bearer").end_object();
    json.key("session").begin_object().field("type", "apiKey").field("in", "cookie").field("name", "shaduf_session");
    json.field("description", "What changes something needs the header X-CSRF-Token besides, from /api/v1/me.");
    json.end_object().end_object().end_object();
    json.key("security").begin_array().begin_object().key("token").begin_array().end_array().end_object();
    json.begin_object().key("session").begin_array().end_array().end_object().end_array();
}

}  // namespace

std::string openapi_of(const Registry<ApiSpec>& apis, std::string_view version) {
    Schemas schemas;
    std::map<std::string, std::vector<std::pair<const ApiSpec*, const EndpointSpec*>>> paths;
    collect(&kErrorAnswer, schemas);
    for (const ApiSpec* api : apis.all()) {
        for (const EndpointSpec& spec : api->endpoints) {
            paths[plain_path(spec.path)].emplace_back(api, &spec);
            collect(spec.request, schemas);
            collect(spec.response, schemas);
        }
    }
    JsonWriter json;
    json.begin_object().field("openapi", "3.1.0").key("info").begin_object().field("title", "shaduf");
    json.field("version", version).end_object().key("tags").begin_array();
    for (const ApiSpec* api : apis.all()) {
        json.begin_object().field("name", api->name).field("description", api->summary).end_object();
    }
    json.end_array().key("paths").begin_object();
    for (const auto& [path, operations] : paths) {
        json.key(path).begin_object();
        for (const auto& [api, spec] : operations) write_operation(json, *api, *spec);
        json.end_object();
    }
    json.end_object();
    write_components(json, schemas);
    return json.end_object().str();
}

std::string api_page_of(const Registry<ApiSpec>& apis) {
    std::string page =
        "# The REST API\n\n`shaduf serve` answers these calls. This page is made from their declarations (`make "
        "docs`); "
        "`GET /api/v1/openapi.json` has\nevery field of them, as OpenAPI 3.1.\n\n"
        "- Lists are pages: `{\"items\": [...], \"next\": cursor or null}`, by `limit` (at most 1,000) and `after`.\n"
        "- Errors are `{\"error\": {\"kind\", \"message\", \"places\": [{\"file\", \"line\", \"path\", "
        "\"message\"}]}}`.\n"
        "- Programs call with a token, `Authorization: Bearer shaduf_...`; what a session changes needs the header\n"
        "  `X-CSRF-Token`, which `/api/v1/me` tells. See `docs/security.md`.\n"
        "- `POST /api/v1/flows/{name}/runs` takes an `Idempotency-Key`: the same one within a day gives the same run.\n"
        "- Times are UTC, as `2026-11-22T06:02:11.020Z`.\n";
    for (const ApiSpec* api : apis.all()) {
        page += "\n## " + std::string(api->name) + "\n\n" + std::string(api->summary) +
                "\n\n| call | role | does | answers |\n| --- | --- | --- | --- |\n";
        for (const EndpointSpec& spec : api->endpoints) {
            std::string query;
            for (const QueryParamSpec& param : spec.query) {
                query += (query.empty() ? " `?" : "&") + std::string(param.name);
            }
            if (!query.empty()) query += "`";
            const std::string answers = spec.response == nullptr ? "" : std::string(spec.response->name);
            const bool is_page = spec.response != nullptr && spec.response->name.empty() &&
                                 !spec.response->fields.empty() && spec.response->fields[0].name == "items";
            page += "| `" + std::string(spec.method) + " " + std::string(spec.path) + "`" + query + " | " +
                    std::string(to_string(spec.role)) + " | " + std::string(spec.summary) + " | " +
                    (is_page ? "a page of " + std::string(spec.response->fields[0].shape->of->name) : answers) + " |\n";
        }
    }
    return page;
}

}  // namespace shaduf::server
