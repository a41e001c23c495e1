#include "base/json_writer.h"
#include "connectors/connector.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr ShapeField kFieldFields[] = {
    {"name", &kText},
    {"title", &kText},
    {"type", &kText},
    {"help", &kText},
    {"required", &kBoolean},
    {"default", &kText, "", true},
    {"example", &kText, "", true},
    {"secret", &kBoolean},
    {"choices", &kTextList},
    {"children", &kListOf<kAny>, "Fields of what lies below."},
};
constexpr Shape kField{.kind = ShapeKind::object, .name = "Field", .fields = kFieldFields};
constexpr ShapeField kConnectorFields[] = {
    {"name", &kText},
    {"title", &kText},
    {"summary", &kText},
    {"source", &kBoolean},
    {"sink", &kBoolean},
    {"discovers", &kBoolean},
    {"fields", &kListOf<kField>},
    {"stream_fields", &kListOf<kField>},
    {"table_fields", &kListOf<kField>},
    {"docs", &kText, "The section of the documentation."},
};
constexpr Shape kConnector{.kind = ShapeKind::object, .name = "Connector", .fields = kConnectorFields};

std::string_view type_name(FieldType type) {
    switch (type) {
        case FieldType::text: return "text";
        case FieldType::integer: return "integer";
        case FieldType::number: return "number";
        case FieldType::boolean: return "boolean";
        case FieldType::duration: return "duration";
        case FieldType::bytes: return "bytes";
        case FieldType::text_list: return "text_list";
        case FieldType::text_map: return "text_map";
        case FieldType::object: return "object";
        case FieldType::object_list: return "object_list";
        case FieldType::object_map: return "object_map";
        case FieldType::any: return "any";
        case FieldType::json: return "json";
    }
    return "any";
}

// "access_token" is read as "Access token".
std::string title_of(std::string_view name) {
    std::string title(name);
    for (char& c : title) c = c == '_' ? ' ' : c;
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

void write_fields(JsonWriter& json, std::string_view key, std::span<const FieldSpec> fields) {
    json.key(key).begin_array();
    for (const FieldSpec& field : fields) {
        json.begin_object().field("name", field.name).field("title", title_of(field.name));
        json.field("type", type_name(field.type)).field("help", field.help);
        write_flag(json, "required", field.required);
        write_text_or_null(json, "default", field.default_value);
        write_text_or_null(json, "example", field.example);
        write_flag(json, "secret", field.secret);
        json.key("choices").begin_array();
        for (const std::string_view choice : field.choices) json.text(choice);
        json.end_array();
        write_fields(json, "children", field.children);
        json.end_object();
    }
    json.end_array();
}

Result<ApiAnswer> list(ApiCall& call) {
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const ConnectorSpec* spec : call.serve.connectors.all()) {
        json.begin_object().field("name", spec->name).field("title", title_of(spec->name));
        json.field("summary", spec->summary);
        write_flag(json, "source", spec->make_source != nullptr);
        write_flag(json, "sink", spec->make_sink != nullptr);
        write_flag(json, "discovers", spec->discover != nullptr);
        write_fields(json, "fields", spec->fields);
        write_fields(json, "stream_fields", spec->stream_fields);
        write_fields(json, "table_fields", spec->table_fields);
        json.field("docs", "connectors.md#" + std::string(spec->name)).end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/connectors",
     .id = "listConnectors",
     .summary = "The systems that can be connected, with the fields that each takes.",
     .response = &kPageOf<kConnector>,
     .handle = list},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_connectors;
const server::ApiSpec api_connectors{
    .name = "connectors", .summary = "What can be connected.", .endpoints = server::kEndpoints};

}  // namespace shaduf
