#include "connectors/kafka/schema_registry.h"

#include <nlohmann/json.hpp>

#include "io/crypto.h"
#include "io/url.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::json;

constexpr const char* kMediaType = "application/vnd.schemaregistry.v1+json";
constexpr int kReferenceDepthMax = 32;

struct LanguageName {
    std::string_view name;
    SchemaLanguage language;
};
constexpr LanguageName kLanguages[] = {
    {"AVRO", SchemaLanguage::avro}, {"PROTOBUF", SchemaLanguage::protobuf}, {"JSON", SchemaLanguage::json}};

std::string text_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

int64_t number_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

Error no_registry(const std::string& url) {
    return {ErrorKind::invalid_config,
            "schema registry gives an answer of another form: " + printable_url(url) + "; check registry_url"};
}

Result<RegisteredSchema> parse_schema(const std::string& text, const std::string& path) {
    const Json answer = Json::parse(text, nullptr, false);
    if (!answer.is_object() || !answer.contains("schema") || !answer["schema"].is_string()) return no_registry(path);
    RegisteredSchema schema;
    schema.text = answer["schema"].get<std::string>();
    schema.id = static_cast<int32_t>(number_of(answer, "id"));
    const std::string language = text_of(answer, "schemaType");
    bool known = language.empty();
    for (const auto& [name, value] : kLanguages) {
        if (name != language) continue;
        schema.language = value;
        known = true;
    }
    if (!known) {
        return Error(ErrorKind::bad_data, "schema is of a type that is not known: " + language + " of " + path +
                                              "; it is to be AVRO, PROTOBUF or JSON");
    }
    if (!answer.contains("references") || !answer["references"].is_array()) return schema;
    for (const Json& reference : answer["references"]) {
        schema.references.push_back({text_of(reference, "name"), text_of(reference, "subject"),
                                     static_cast<int32_t>(number_of(reference, "version")), nullptr});
    }
    return schema;
}

std::string body_of(const RegisteredSchema& schema) {
    Json body{{"schema", schema.text}};
    for (const auto& [name, language] : kLanguages) {
        if (language == schema.language && language != SchemaLanguage::avro) body["schemaType"] = name;
    }
    for (const auto& reference : schema.references) {
        body["references"].push_back(
            {{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
    }
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string subject_path(const std::string& subject) { return "/subjects/" + percent_encode(subject); }

Error missing(const std::string& path) {
    return {ErrorKind::bad_data, "schema registry does not have the schema: " + path};
}

int64_t code_of(const HttpResponse& response) {
    return number_of(Json::parse(response.text(), nullptr, false), "error_code");
}

// Subject, version or schema are not there, in the registry's own codes: a status of 404 alone may be any server's.
bool says_missing(const HttpResponse& response) {
    const int64_t code = code_of(response);
    return response.status == 404 && (code == 40401 || code == 40402 || code == 40403);
}

// What any other status of four hundred and more means.
Error registry_error(const RunContext& run, const HttpRequest& request, const HttpResponse& response) {
    const std::string what = printable_url(request.url) + ": " +
                             text_of(Json::parse(response.text(), nullptr, false), "message") + " (" +
                             std::to_string(code_of(response)) + ")";
    if (response.status == 409) {
        return Error(ErrorKind::conflict, "schema registry refuses an incompatible schema: " + what +
                                              "; change the table's columns, or the subject's compatibility")
            .permanent();
    }
    if (response.status == 422) return {ErrorKind::bad_data, "schema registry refuses the schema: " + what};
    return http_error(run, request, response);
}

}  // namespace

std::string subject_name(SubjectStrategy strategy, SubjectPart part, std::string_view topic, std::string_view record) {
    switch (strategy) {
        case SubjectStrategy::record: return std::string(record);
        case SubjectStrategy::topic_record: return std::string(topic) + "-" + std::string(record);
        case SubjectStrategy::topic: break;
    }
    return std::string(topic) + (part == SubjectPart::key ? "-key" : "-value");
}

Result<std::shared_ptr<SchemaRegistry>> SchemaRegistry::from_options(const Options& options,
                                                                     const std::string& connection) {
    RegistrySettings settings;
    settings.urls = options.text_list("registry_url");
    settings.username = options.text("registry_username");
    settings.password = options.text("registry_password");
    settings.token = options.text("registry_token");
    settings.connection = connection;
    if (settings.urls.empty()) return std::shared_ptr<SchemaRegistry>();
    auto registry = create(std::move(settings));
    if (!registry.ok()) return registry.release_error().at(options.place_of("registry_url"));
    return registry;
}

Result<std::shared_ptr<SchemaRegistry>> SchemaRegistry::create(RegistrySettings settings) {
    for (std::string& url : settings.urls) {
        TRY(Url::parse(url));
        while (url.ends_with('/')) url.pop_back();
    }
    return std::shared_ptr<SchemaRegistry>(new SchemaRegistry(std::move(settings)));
}

HttpRequest SchemaRegistry::request_of(const std::string& method, std::string body) const {
    HttpRequest request;
    request.method = method;
    request.headers.emplace_back("Accept", kMediaType);
    if (!body.empty()) request.headers.emplace_back("Content-Type", kMediaType);
    if (!settings_.token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + settings_.token);
    } else if (!settings_.username.empty()) {
        request.headers.emplace_back("Authorization",
                                     "Basic " + to_base64(settings_.username + ":" + settings_.password));
    }
    request.body = std::move(body);
    return request;
}

Result<std::optional<std::string>> SchemaRegistry::ask(RunContext& run, const std::string& method,
                                                       const std::string& path, std::string body) {
    HttpRequest request = request_of(method, std::move(body));
    size_t first = 0;
    {
        const std::lock_guard lock(mutex_);
        first = first_url_;
    }
    std::optional<Error> last;
    for (size_t i = 0; i < settings_.urls.size(); ++i) {
        const size_t url = (first + i) % settings_.urls.size();
        request.url = settings_.urls[url] + path;
        auto response = run.http.send(run, request);
        if (response.ok() && response.value().status < 400) {
            const std::lock_guard lock(mutex_);
            first_url_ = url;
            return std::optional(std::string(response.value().text()));
        }
        if (response.ok() && says_missing(response.value())) return std::optional<std::string>();
        last = response.ok() ? registry_error(run, request, response.value()) : response.release_error();
        last = last->at(Place::in_stream(settings_.connection, {}));
        if (last->kind() != ErrorKind::unavailable) break;
    }
    return std::move(*last);
}

Result<RegisteredSchemaPtr> SchemaRegistry::fetch(RunContext& run, const std::string& path, int depth) {
    if (depth > kReferenceDepthMax) {
        return Error(ErrorKind::bad_data,
                     "references of a schema are deeper than " + std::to_string(kReferenceDepthMax) + ": at " + path);
    }
    const auto answer = TRY(ask(run, "GET", path, {}));
    if (!answer) return missing(path).at(Place::in_stream(settings_.connection, {}));
    RegisteredSchema schema = TRY(parse_schema(*answer, path));
    for (SchemaReference& reference : schema.references) {
        reference.schema = TRY(
            cached(run, subject_path(reference.subject) + "/versions/" + std::to_string(reference.version), depth + 1));
    }
    return std::make_shared<const RegisteredSchema>(std::move(schema));
}

Result<RegisteredSchemaPtr> SchemaRegistry::cached(RunContext& run, const std::string& path, int depth) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = schemas_.find(path);
        if (known != schemas_.end()) return known->second;
    }
    auto schema = TRY(fetch(run, path, depth));
    const std::lock_guard lock(mutex_);
    return schemas_.emplace(path, std::move(schema)).first->second;
}

Result<RegisteredSchemaPtr> SchemaRegistry::by_id(RunContext& run, int32_t id) {
    return cached(run, "/schemas/ids/" + std::to_string(static_cast<uint32_t>(id)), 0);
}

Result<RegisteredSchemaPtr> SchemaRegistry::by_guid(RunContext& run, const std::string& guid) {
    return cached(run, "/schemas/guids/" + guid, 0);
}

Result<RegisteredSchemaPtr> SchemaRegistry::latest(RunContext& run, const std::string& subject) {
    return fetch(run, subject_path(subject) + "/versions/latest", 0);
}

Result<int32_t> SchemaRegistry::register_schema(RunContext& run, const std::string& subject,
                                                const RegisteredSchema& schema) {
    std::string body = body_of(schema);
    const std::string key = subject + '\n' + body;
    {
        const std::lock_guard lock(mutex_);
        const auto known = ids_.find(key);
        if (known != ids_.end()) return known->second;
    }
    const std::string path = subject_path(subject) + "/versions";
    const auto text = TRY(ask(run, "POST", path, std::move(body)));
    if (!text) return missing(path).at(Place::in_stream(settings_.connection, {}));
    const Json answer = Json::parse(*text, nullptr, false);
    if (!answer.is_object() || !answer.contains("id") || !answer["id"].is_number_integer()) return no_registry(path);
    const auto id = answer["id"].get<int32_t>();
    const std::lock_guard lock(mutex_);
    ids_[key] = id;
    return id;
}

Result<bool> SchemaRegistry::is_compatible(RunContext& run, const std::string& subject,
                                           const RegisteredSchema& schema) {
    const std::string path = "/compatibility" + subject_path(subject) + "/versions/latest";
    const auto text = TRY(ask(run, "POST", path, body_of(schema)));
    if (!text) return true;
    const Json answer = Json::parse(*text, nullptr, false);
    if (!answer.is_object() || !answer.contains("is_compatible") || !answer["is_compatible"].is_boolean()) {
        return no_registry(path);
    }
    return answer["is_compatible"].get<bool>();
}

}  // namespace shaduf::kafka
