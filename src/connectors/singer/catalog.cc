#include "connectors/singer/catalog.h"

#include <fstream>
#include <sstream>

#include "base/text.h"
#include "data/json_schema.h"

namespace shaduf::singer {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<std::string> texts_of(const Json& json, const char* key) {
    std::vector<std::string> texts;
    if (!json.is_object() || !json.contains(key) || !json[key].is_array()) return texts;
    for (const Json& text : json[key]) {
        if (text.is_string()) texts.push_back(text);
    }
    return texts;
}

// What a catalog says of a stream as a whole stands under the empty breadcrumb.
bool is_root(const Json& entry) {
    return entry.is_object() && entry.contains("breadcrumb") && entry["breadcrumb"].is_array() &&
           entry["breadcrumb"].empty();
}

Json metadata_of(const Json& stream) {
    if (stream.contains("metadata") && stream["metadata"].is_array()) {
        for (const Json& entry : stream["metadata"]) {
            if (is_root(entry) && entry.contains("metadata") && entry["metadata"].is_object()) return entry["metadata"];
        }
    }
    return Json::object();
}

std::string id_of(const Json& stream) {
    const std::string id = text_of(stream, "tap_stream_id");
    return id.empty() ? text_of(stream, "stream") : id;
}

std::string first_of(std::initializer_list<std::string> texts) {
    for (const auto& text : texts) {
        if (!text.empty()) return text;
    }
    return "";
}

std::string cursor_of(const Json& stream) {
    const Json metadata = metadata_of(stream);
    const auto valid = texts_of(metadata, "valid-replication-keys");
    return first_of(
        {text_of(metadata, "replication-key"), text_of(stream, "replication_key"), valid.empty() ? "" : valid.front()});
}

std::string forced_method_of(const Json& stream) { return text_of(metadata_of(stream), "forced-replication-method"); }

std::string method_of(const Json& stream) {
    const Json metadata = metadata_of(stream);
    return first_of({text_of(metadata, "forced-replication-method"), text_of(metadata, "replication-method"),
                     text_of(stream, "replication_method")});
}

std::vector<ShapeColumn> columns_of(const Json& stream) {
    return stream.contains("schema") ? columns_of_json_schema(stream["schema"].dump()) : std::vector<ShapeColumn>();
}

// Sets what says whether a stream is read: in the metadata, and where taps of old look for it.
void mark(Json& stream, bool selected, const std::string& method, const std::string& cursor) {
    Json& metadata = stream["metadata"];
    if (!metadata.is_array()) metadata = Json::array();
    bool has_root = false;
    for (const Json& entry : metadata) has_root = has_root || is_root(entry);
    if (!has_root) metadata.push_back({{"breadcrumb", Json::array()}, {"metadata", Json::object()}});
    for (Json& entry : metadata) {
        if (!entry.is_object()) continue;
        Json& about = entry["metadata"];
        if (!about.is_object()) about = Json::object();
        if (is_root(entry)) {
            about["selected"] = selected;
            if (selected) about["replication-method"] = method;
            if (selected && !cursor.empty()) about["replication-key"] = cursor;
        } else if (selected && !about.contains("selected") && text_of(about, "inclusion") != "unsupported") {
            about["selected"] = true;
        }
    }
    stream["selected"] = selected;
    if (stream.contains("schema") && stream["schema"].is_object()) stream["schema"]["selected"] = selected;
    if (!selected) return;
    stream["replication_method"] = method;
    if (!cursor.empty()) stream["replication_key"] = cursor;
}

}  // namespace

Result<Catalog> Catalog::load(RunContext& run, const std::string& path, const CommandLauncher& launcher) {
    std::string text;
    std::string told = path;
    if (path.empty()) {
        const ChildAnswer answer =
            TRY(ask_child(run, launcher.call({"--config", launcher.config_path(), "--discover"}, "discover")));
        if (!answer.exit.ok()) {
            return Error(ErrorKind::unavailable,
                         "tap tells no catalog: " + end_of_child(answer.exit, answer.tail) +
                             "; a tap that knows no --discover needs catalog: none, or the file of one")
                .permanent();
        }
        const std::string_view all = answer.lines.text == nullptr ? std::string_view() : answer.lines.text->view();
        text = all.substr(std::min(all.find('{'), all.size()));
        told = "what --discover told";
    } else {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream content;
        content << file.rdbuf();
        if (!file) return Error(ErrorKind::invalid_config, "catalog cannot be read: " + path);
        text = content.str();
    }
    return parse(text, told);
}

Result<std::shared_ptr<const Catalog>> Catalog::share(RunContext& run, const std::string& path,
                                                      const CommandLauncher& launcher) {
    return run.shared.get<Catalog>("singer catalog " + path + "\n" + launcher.identity(),
                                   [&] { return load(run, path, launcher); });
}

Result<Catalog> Catalog::parse(std::string_view text, const std::string& told) {
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("streams") || !json["streams"].is_array()) {
        return Error(ErrorKind::bad_data, "catalog has no list of streams: " + told);
    }
    for (const Json& stream : json["streams"]) {
        if (id_of(stream).empty()) return Error(ErrorKind::bad_data, "catalog has a stream without a name: " + told);
    }
    return Catalog(std::move(json));
}

std::vector<Catalog::Choice> Catalog::choices() const {
    std::vector<Choice> all;
    for (const Json& stream : json_["streams"]) {
        const Json metadata = metadata_of(stream);
        const auto is_true = [](const Json& json, const char* key) {
            return json.is_object() && json.contains(key) && json[key] == Json(true);
        };
        const bool in_schema = stream.contains("schema") && is_true(stream["schema"], "selected");
        all.push_back({is_true(metadata, "selected") || is_true(stream, "selected") || in_schema, method_of(stream)});
    }
    return all;
}

std::vector<StreamInfo> Catalog::streams() const {
    std::vector<StreamInfo> all;
    for (const Json& stream : json_["streams"]) {
        StreamInfo info;
        info.name = id_of(stream);
        std::vector<Field> fields;
        for (const auto& column : columns_of(stream)) fields.push_back({column.name, column.type});
        if (!fields.empty()) info.schema = Schema(std::move(fields));
        info.key = texts_of(metadata_of(stream), "table-key-properties");
        if (info.key.empty()) info.key = texts_of(stream, "key_properties");
        info.cursor_field = cursor_of(stream);
        const std::string forced = forced_method_of(stream);
        info.modes = {ReadMode::full_refresh};
        if (forced == "INCREMENTAL" || (forced.empty() && !info.cursor_field.empty())) {
            info.modes.push_back(ReadMode::incremental);
        }
        all.push_back(std::move(info));
    }
    return all;
}

Result<Catalog::Selected> Catalog::select(const StreamRequest& request) const {
    const bool incremental = request.mode == ReadMode::incremental;
    std::vector<std::string> names;
    Selected selected;
    Json catalog = json_;
    for (Json& stream : catalog["streams"]) {
        const std::string id = id_of(stream);
        const bool is_it = id == request.stream;
        names.push_back(id);
        const std::string cursor = first_of({request.options.text("cursor_field"), cursor_of(stream)});
        if (is_it) {
            const std::string forced = forced_method_of(stream);
            if (incremental && forced == "FULL_TABLE") {
                return Error(ErrorKind::invalid_config,
                             "stream cannot be read by mode incremental: " + id + "; set mode: full_refresh");
            }
            const bool by_log = method_of(stream) == "LOG_BASED";
            if (incremental && cursor.empty() && forced.empty() && !by_log) {
                return request.options.error("cursor_field", "is needed: the tap has none for stream " + id +
                                                                 "; name the field that grows with each change");
            }
            selected.stream_name = first_of({text_of(stream, "stream"), id});
            selected.columns = columns_of(stream);
        }
        const std::string log_based = incremental && method_of(stream) == "LOG_BASED" ? "LOG_BASED" : "";
        const std::string method =
            first_of({forced_method_of(stream), log_based, incremental ? "INCREMENTAL" : "FULL_TABLE"});
        mark(stream, is_it, method, method == "INCREMENTAL" ? cursor : "");
    }
    if (selected.stream_name.empty()) {
        return Error(ErrorKind::invalid_config,
                     "stream not found: " + request.stream + did_you_mean(request.stream, names));
    }
    selected.catalog = catalog.dump();
    return selected;
}

}  // namespace shaduf::singer
