#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "config/options.h"
#include "io/http.h"

namespace shaduf::kafka {

enum class SchemaLanguage : uint8_t { avro, protobuf, json };

struct RegisteredSchema;
using RegisteredSchemaPtr = std::shared_ptr<const RegisteredSchema>;

// Another schema that one builds on: by the name it has there (a full name of Avro, the path of an import).
struct SchemaReference {
    std::string name;
    std::string subject;
    int32_t version = 0;
    RegisteredSchemaPtr schema;  // as the registry gave it; may be null in a schema that is to be registered
};

// Immutable once got.
struct RegisteredSchema {
    int32_t id = 0;  // 0: not told
    SchemaLanguage language = SchemaLanguage::avro;
    std::string text;
    std::vector<SchemaReference> references;
};

// How the subject of a schema is called: by the topic, by the record's full name, or by both.
enum class SubjectStrategy : uint8_t { topic, record, topic_record };
enum class SubjectPart : uint8_t { key, value };
std::string subject_name(SubjectStrategy strategy, SubjectPart part, std::string_view topic, std::string_view record);

struct RegistrySettings {
    std::vector<std::string> urls;  // tried in turn
    std::string username;
    std::string password;
    std::string token;
    std::string connection;  // for errors
};

// A schema registry with Confluent's REST interface. What has an id never changes and is asked for once. Thread-safe.
// Errors: bad_data for what the registry does not have or refuses (a message with such an id can never be read), auth,
// unavailable (may be retried; no URL answered), invalid_config for what is no registry.
class SchemaRegistry {
public:
    // nullptr: none is configured. The options are registry_connection_fields().
    static Result<std::shared_ptr<SchemaRegistry>> from_options(const Options& options, const std::string& connection);
    static Result<std::shared_ptr<SchemaRegistry>> create(RegistrySettings settings);

    // With all that they refer to.
    Result<RegisteredSchemaPtr> by_id(RunContext& run, int32_t id);
    Result<RegisteredSchemaPtr> by_guid(RunContext& run, const std::string& guid);
    // Asked anew each time.
    Result<RegisteredSchemaPtr> latest(RunContext& run, const std::string& subject);

    // The id of `schema` under `subject`; registered when it is not there yet. conflict: the registry does not take it,
    // since it is not compatible with what is there.
    Result<int32_t> register_schema(RunContext& run, const std::string& subject, const RegisteredSchema& schema);
    // Whether `subject` would take it; a subject that does not exist takes all.
    Result<bool> is_compatible(RunContext& run, const std::string& subject, const RegisteredSchema& schema);

private:
    explicit SchemaRegistry(RegistrySettings settings) : settings_(std::move(settings)) {}
    // The text of an answer; nullopt: there is no such thing. `path` begins with a slash.
    Result<std::optional<std::string>> ask(RunContext& run, const std::string& method, const std::string& path,
                                           std::string body);
    HttpRequest request_of(const std::string& method, std::string body) const;
    Result<RegisteredSchemaPtr> fetch(RunContext& run, const std::string& path, int depth);
    Result<RegisteredSchemaPtr> cached(RunContext& run, const std::string& path, int depth);

    const RegistrySettings settings_;
    std::mutex mutex_;
    std::map<std::string, RegisteredSchemaPtr> schemas_;  // by the path that was asked for
    std::map<std::string, int32_t> ids_;                  // by subject and text
    size_t first_url_ = 0;                                // that answered last
};

}  // namespace shaduf::kafka
