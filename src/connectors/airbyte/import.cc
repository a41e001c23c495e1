#include "connectors/airbyte/import.h"

#include <map>

#include "base/text.h"
#include "connectors/airbyte/catalog.h"
#include "connectors/airbyte/protocol.h"

namespace shaduf::airbyte {
namespace {

using Json = nlohmann::ordered_json;

const Json& member(const Json& json, const char* key) {
    static const Json kNone;
    if (!json.is_object()) return kNone;
    const auto found = json.find(key);
    return found == json.end() ? kNone : *found;
}

std::string text_of(const Json& json, const char* key) {
    const Json& text = member(json, key);
    return text.is_string() ? text.get<std::string>() : "";
}

// A path is a list of keys; a key, a list of paths.
std::string column_of(const Json& path) {
    std::vector<std::string> parts;
    for (const Json& part : path.is_array() ? path : Json::array({path})) {
        if (part.is_string()) parts.push_back(part);
    }
    return join(parts, "__");
}

// The states of a file, by stream; "" stands for all others.
class States {
public:
    static Result<States> parse(std::string_view text) {
        States states;
        if (trim(text).empty()) return states;
        const Json json = Json::parse(text, nullptr, false);
        if (json.is_array()) {
            for (const Json& message : json) states.add_message(message);
        } else if (json.is_object() && json.contains("stateType")) {
            states.add_answer(json);
        } else if (json.is_object() && json.contains("type")) {
            states.add_message(text_of(json, "type") == "STATE" ? member(json, "state") : json);
        } else if (json.is_object()) {
            states.positions_[""] = Position::of_legacy(json.dump());
        } else {
            return Error(ErrorKind::bad_data, "state is no JSON object or list; give the file that the source takes");
        }
        return states;
    }
    const Position* of(const std::string& name, const std::string& name_space) const {
        for (const auto& key : {name_space + "." + name, "." + name, std::string()}) {
            if (const auto found = positions_.find(key); found != positions_.end()) return &found->second;
        }
        return nullptr;
    }

private:
    void add_message(const Json& state) {
        const Position position = Position::of_states(Json::array({state}).dump());
        const std::string type = text_of(state, "type");
        if (type == "STREAM") {
            const Json& descriptor = member(member(state, "stream"), "stream_descriptor");
            positions_[text_of(descriptor, "namespace") + "." + text_of(descriptor, "name")] = position;
        } else if (type == "GLOBAL") {
            positions_[""] = position;
        } else {
            positions_[""] = Position::of_legacy(member(state, "data").dump());
        }
    }
    // What the API of Airbyte answers, in its own names.
    void add_answer(const Json& answer) {
        const std::string type = text_of(answer, "stateType");
        if (type == "legacy") {
            positions_[""] = Position::of_legacy(member(answer, "state").dump());
        } else if (type == "global") {
            const Json& global = member(answer, "globalState");
            Json states = Json::array();
            for (const Json& state : member(global, "streamStates")) states.push_back(stream_of(state));
            add_message({{"type", "GLOBAL"},
                         {"global", {{"shared_state", member(global, "sharedState")}, {"stream_states", states}}}});
        } else {
            for (const Json& state : member(answer, "streamState")) {
                add_message({{"type", "STREAM"}, {"stream", stream_of(state)}});
            }
        }
    }
    static Json stream_of(const Json& state) {
        return {{"stream_descriptor", member(state, "streamDescriptor")},
                {"stream_state", member(state, "streamState")}};
    }

    std::map<std::string, Position> positions_;
};

ImportedStream import_stream(const StreamInfo& info, const Json& configured) {
    ImportedStream stream;
    stream.name = info.name;
    const std::string mode = text_of(configured, "sync_mode");
    const bool can_increment = info.modes.size() > 1;
    const bool incremental = mode.empty() ? can_increment : mode == "incremental";
    const std::string destination = text_of(configured, "destination_sync_mode");
    for (const Json& path : member(configured, "primary_key")) stream.key.push_back(column_of(path));
    if (stream.key.empty()) stream.key = info.key;
    stream.read = incremental ? ReadMode::incremental : ReadMode::full_refresh;
    const bool merges = destination.find("dedup") != std::string::npos || (destination.empty() && incremental);
    stream.write = merges && !stream.key.empty()       ? WriteMode::merge
                   : destination == "append" || merges ? WriteMode::append
                   : incremental                       ? WriteMode::append
                                                       : WriteMode::replace;
    if (merges && stream.key.empty() && !destination.empty()) stream.note = "has no key: its rows are appended";
    if (stream.write == WriteMode::append) stream.key.clear();
    if (incremental) stream.cursor_field = column_of(member(configured, "cursor_field"));
    return stream;
}

}  // namespace

Result<std::vector<ImportedStream>> import_streams(std::string_view catalog_text, std::string_view state_text) {
    const Catalog catalog = TRY(Catalog::parse(catalog_text, "the file"));
    const States states = TRY(States::parse(state_text));
    const auto infos = catalog.streams();
    std::vector<ImportedStream> imported;
    for (size_t i = 0; i < infos.size(); ++i) {
        const Json& configured = catalog.configured()[i];
        if (member(configured, "selected") == Json(false)) continue;
        ImportedStream stream = import_stream(infos[i], configured);
        if (stream.read == ReadMode::incremental) {
            const Json described = TRY(catalog.stream(stream.name));
            const Position* position = states.of(text_of(described, "name"), text_of(described, "namespace"));
            if (position != nullptr) stream.checkpoint = Checkpoint(position->text);
        }
        imported.push_back(std::move(stream));
    }
    return imported;
}

}  // namespace shaduf::airbyte
