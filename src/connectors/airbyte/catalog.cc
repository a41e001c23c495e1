#include "connectors/airbyte/catalog.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "connectors/airbyte/messages.h"
#include "data/json_schema.h"

namespace shaduf::airbyte {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<std::string> texts_of(const Json& json, const char* key) {
    std::vector<std::string> texts;
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array()) return texts;
    for (const Json& text : *found) {
        if (text.is_string()) texts.push_back(text);
    }
    return texts;
}

// Names of the key's columns, as the rows get them.
std::vector<std::string> key_of(const Json& stream) {
    std::vector<std::string> key;
    const auto paths = stream.find("source_defined_primary_key");
    if (paths == stream.end() || !paths->is_array()) return key;
    for (const Json& path : *paths) {
        std::vector<std::string> parts;
        if (path.is_array()) {
            for (const Json& part : path) {
                if (part.is_string()) parts.push_back(part);
            }
        }
        if (!parts.empty()) key.push_back(join(parts, "__"));
    }
    return key;
}

bool supports(const Json& stream, const char* mode) {
    const auto modes = texts_of(stream, "supported_sync_modes");
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

std::vector<ShapeColumn> columns_of(const Json& stream) {
    const auto schema = stream.find("json_schema");
    return schema == stream.end() ? std::vector<ShapeColumn>() : columns_of_json_schema(schema->dump());
}

std::string full_name(const Json& stream) {
    const std::string name_space = text_of(stream, "namespace");
    return (name_space.empty() ? "" : name_space + ".") + text_of(stream, "name");
}

// The API of Airbyte says supportedSyncModes where the protocol says supported_sync_modes.
Json with_protocol_names(const Json& json) {
    if (!json.is_object()) return json;
    Json renamed = Json::object();
    for (const auto& [key, value] : json.items()) {
        std::string name;
        for (const char c : key) {
            const bool is_upper = c >= 'A' && c <= 'Z';
            name += is_upper ? std::string("_") + static_cast<char>(c - 'A' + 'a') : std::string(1, c);
        }
        renamed[name] = value;
    }
    return renamed;
}

}  // namespace

Result<Catalog> Catalog::load(RunContext& run, const std::string& path, const CommandLauncher& launcher) {
    if (!path.empty()) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file) {
            return Error(ErrorKind::invalid_config, "catalog cannot be read: " + path);
        }
        return parse(text.str(), path);
    }
    const RowChildSettings call = launcher.call({"discover", "--config", launcher.config_path()}, "discover");
    const ChildAnswer answer = TRY(ask_child(run, call));
    const ChildLog log(run, "discover", call.secrets);
    MessageReader reader;
    std::string failure;
    for (size_t i = 0; i < answer.lines.rows.size(); ++i) {
        const Message& message = reader.read(answer.lines.row(i));
        // Log lines are not errors of a discovery; what a trace says is.
        if (message.kind == MessageKind::trace && failure.empty()) failure = trace_error_text(message.body);
        if (message.kind == MessageKind::catalog) return parse(message.body, "what discover told");
    }
    return Error(ErrorKind::unavailable,
                 "source tells no catalog: " +
                     (failure.empty() ? end_of_child(answer.exit, answer.tail) : log.without_secrets(failure)) +
                     "; run the command with discover to see why")
        .permanent();
}

Result<std::shared_ptr<const Catalog>> Catalog::share(RunContext& run, const std::string& path,
                                                      const CommandLauncher& launcher) {
    return run.shared.get<Catalog>("airbyte catalog " + path + "\n" + launcher.identity(),
                                   [&] { return load(run, path, launcher); });
}

Result<Catalog> Catalog::parse(std::string_view text, const std::string& what) {
    const Json json = Json::parse(text, nullptr, false);
    const Json* inner = &json;
    for (const char* around : {"catalog", "syncCatalog"}) {  // a whole message; an answer of the API
        if (inner->is_object() && inner->contains(around)) inner = &(*inner)[around];
    }
    if (!inner->is_object() || !inner->contains("streams") || !(*inner)["streams"].is_array()) {
        return Error(ErrorKind::bad_data, "catalog has no list of streams: " + what);
    }
    Catalog catalog;
    for (const Json& entry : (*inner)["streams"]) {
        if (!entry.is_object()) continue;
        const Json stream = with_protocol_names(entry.contains("stream") ? entry["stream"] : entry);
        if (!stream.is_object() || text_of(stream, "name").empty()) continue;
        catalog.streams_.push_back(stream);
        catalog.configured_.push_back(with_protocol_names(entry.contains("config") ? entry["config"] : entry));
    }
    return catalog;
}

std::vector<std::string> Catalog::names() const {
    std::vector<std::string> names;
    for (const Json& stream : streams_) {
        const auto same = [&](const Json& other) { return text_of(other, "name") == text_of(stream, "name"); };
        const bool is_only = std::count_if(streams_.begin(), streams_.end(), same) == 1;
        names.push_back(is_only ? text_of(stream, "name") : full_name(stream));
    }
    return names;
}

Result<Json> Catalog::stream(const std::string& name) const {
    const auto known = names();
    for (size_t i = 0; i < known.size(); ++i) {
        if (known[i] == name || full_name(streams_[i]) == name) return streams_[i];
    }
    return Error(ErrorKind::invalid_config, "stream not found: " + name + did_you_mean(name, known));
}

std::vector<StreamInfo> Catalog::streams() const {
    std::vector<StreamInfo> all;
    const auto known = names();
    for (size_t i = 0; i < known.size(); ++i) {
        const Json& stream = streams_[i];
        StreamInfo info;
        info.name = known[i];
        std::vector<Field> fields;
        for (const auto& column : columns_of(stream)) fields.push_back({column.name, column.type});
        if (!fields.empty()) info.schema = Schema(std::move(fields));
        info.key = key_of(stream);
        info.cursor_field = join(texts_of(stream, "default_cursor_field"), "__");
        info.modes = {ReadMode::full_refresh};
        if (supports(stream, "incremental")) info.modes.push_back(ReadMode::incremental);
        all.push_back(std::move(info));
    }
    return all;
}

Result<ConfiguredStream> configure(const Json& stream, const StreamRequest& request) {
    const bool incremental = request.mode == ReadMode::incremental;
    if (!incremental && request.mode != ReadMode::full_refresh) {
        return Error(ErrorKind::invalid_config,
                     "an airbyte stream is read by mode full_refresh or incremental only: " + request.stream);
    }
    if (incremental && !supports(stream, "incremental")) {
        return Error(ErrorKind::invalid_config,
                     "stream cannot be read by mode incremental: " + request.stream + "; set mode: full_refresh");
    }
    // A source that only knows increments gives all of them when it is told no state.
    const bool by_increments = incremental || (supports(stream, "incremental") && !supports(stream, "full_refresh"));
    auto cursor = request.options.text_list("cursor_field");
    if (cursor.empty()) cursor = texts_of(stream, "default_cursor_field");
    const bool has_own_cursor = stream.value("source_defined_cursor", Json(false)) == Json(true);
    if (by_increments && cursor.empty() && !has_own_cursor) {
        return request.options.error("cursor_field", "is needed: the source has none for stream " + request.stream +
                                                         "; name the field that grows with each change");
    }
    const auto key = stream.find("source_defined_primary_key");
    ConfiguredStream configured;
    configured.name = text_of(stream, "name");
    configured.name_space = text_of(stream, "namespace");
    configured.columns = columns_of(stream);
    configured.resumes = by_increments || stream.value("is_resumable", Json(false)) == Json(true);
    configured.catalog =
        Json{{"streams", Json::array({Json{{"stream", stream},
                                           {"sync_mode", by_increments ? "incremental" : "full_refresh"},
                                           {"destination_sync_mode", "append"},
                                           {"cursor_field", cursor},
                                           {"primary_key", key == stream.end() ? Json::array() : *key},
                                           {"generation_id", 0},
                                           {"minimum_generation_id", 0},
                                           {"sync_id", 0}}})}}
            .dump();
    return configured;
}

}  // namespace shaduf::airbyte
