#include "server/project/check_results.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

std::string text_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// In the words of all checks; "": it was not judged.
std::string state_of(const std::string& status) {
    if (status == "pass" || status == "success") return "passed";
    if (status == "warn") return "warned";
    if (status == "fail") return "failed";
    return status == "error" ? status : "";
}

// The artifact is a file of its own, which any tool may have written: what is not as it should be is passed over.
std::vector<CheckRecord> records_of_artifact(const std::string& path) {
    std::vector<CheckRecord> records;
    std::ifstream file(path, std::ios::binary);
    const Json json = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}), nullptr, false);
    if (!json.is_object() || !json.contains("results") || !json["results"].is_array()) return records;
    const Json metadata = json.value("metadata", Json::object());
    const std::string at = metadata.is_object() ? text_in(metadata, "generated_at") : "";
    for (const Json& result : json["results"]) {
        if (!result.is_object()) continue;
        CheckRecord record{.id = text_in(result, "unique_id"), .run_id = "", .at = at, .state = ""};
        record.state = state_of(text_in(result, "status"));
        const auto failures = result.find("failures");
        if (failures != result.end() && failures->is_number_integer()) record.rows = *failures;
        if (record.state != "passed") record.message = text_in(result, "message");
        if (!record.id.empty() && !record.state.empty()) records.push_back(std::move(record));
    }
    return records;
}

}  // namespace

std::map<std::string, std::vector<CheckRecord>> check_results(const ServeContext& serve) {
    std::map<std::string, std::vector<CheckRecord>> results;
    const std::string path = serve.folder + "/.shaduf/meta.db";
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        const auto store = MetaStore::open(path);
        auto kept = store.ok() ? store.value()->checks() : Result<std::vector<CheckRecord>>(store.error());
        for (CheckRecord& record : kept.ok() ? kept.value() : std::vector<CheckRecord>()) {
            results[record.id].push_back(std::move(record));
        }
    }
    for (CheckRecord& record : records_of_artifact(serve.folder + "/target/run_results.json")) {
        auto& own = results[record.id];
        if (own.empty() || own.back().at < record.at) own.push_back(std::move(record));
    }
    return results;
}

std::map<std::string, std::string> last_states(const ServeContext& serve) {
    std::map<std::string, std::string> states;
    for (const auto& [id, records] : check_results(serve)) states[id] = records.back().state;
    return states;
}

}  // namespace shaduf::server
