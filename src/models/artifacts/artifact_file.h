#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "models/artifacts/json_writer.h"

namespace shaduf::models {

struct ContextServices;

// Writes a file whole or not at all: beside its place first, then moved there. exhausted: it cannot be written.
Result<void> write_artifact(const std::string& path, const std::function<void(JsonWriter&)>& write);

// What every artifact begins with.
struct ArtifactHead {
    std::string invocation_id;
    Timestamp generated_at, started_at;
    std::map<std::string, std::string> env;  // DBT_ENV_CUSTOM_ENV_<name>
};
ArtifactHead artifact_head(const ContextServices& services);
// The keys of `metadata` that all artifacts share; `schema` as in "manifest/v12".
void write_head(const ArtifactHead& head, std::string_view schema, JsonWriter& out);

// Of the target folder of the command: "<project>/target/manifest.json".
std::string artifact_path(const ContextServices& services, std::string_view name);

}  // namespace shaduf::models
