#include "models/artifacts/artifact_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/run_context.h"
#include "base/time.h"
#include "models/context/services.h"
#include "models/project/version.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kCustomPrefix = "DBT_ENV_CUSTOM_ENV_";

std::map<std::string, std::string> custom_environment(const ContextServices& services) {
    std::map<std::string, std::string> found;
    for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
        const std::string_view entry = *at;
        if (!entry.starts_with(kCustomPrefix)) continue;
        const std::string name(entry.substr(0, entry.find('=')));
        const auto value = services.env ? services.env(name) : std::nullopt;
        if (value) found.emplace(name.substr(kCustomPrefix.size()), *value);
    }
    return found;
}

Timestamp started_at(const ContextServices& services) {
    const auto parsed = parse_timestamp(services.run_started_at.text());
    return parsed ? Timestamp(std::chrono::microseconds(parsed->microseconds)) : services.run.clock.now();
}

}  // namespace

Result<void> write_artifact(const std::string& path, const std::function<void(JsonWriter&)>& write) {
    const std::string beside = path + ".tmp" + std::to_string(::getpid());
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    JsonWriter writer(out);
    write(writer);
    writer.finish();
    out.close();
    failure.clear();
    if (out) std::filesystem::rename(beside, path, failure);
    if (out && !failure) return {};
    std::error_code ignored;
    std::filesystem::remove(beside, ignored);
    return Error(ErrorKind::exhausted, "cannot write an artifact: " + path +
                                           "; is there room, and may it be written? --no-write-json writes none");
}

ArtifactHead artifact_head(const ContextServices& services) {
    return {services.invocation_id, services.run.clock.now(), started_at(services), custom_environment(services)};
}

void write_head(const ArtifactHead& head, std::string_view schema, JsonWriter& out) {
    out.field("dbt_schema_version", "https://schemas.getdbt.com/dbt/" + std::string(schema) + ".json");
    out.field("dbt_version", kDbtVersion);
    out.field("generated_at", format_timestamp(head.generated_at));
    out.field("invocation_id", head.invocation_id);
    out.field("invocation_started_at", format_timestamp(head.started_at));
    out.key("env");
    out.begin_object();
    for (const auto& [name, value] : head.env) out.field(name, value);
    out.end_object();
}

std::string artifact_path(const ContextServices& services, std::string_view name) {
    return (std::filesystem::path(services.project_root) / services.target_path / name).string();
}

}  // namespace shaduf::models
