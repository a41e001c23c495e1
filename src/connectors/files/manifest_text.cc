#include "connectors/files/manifest_text.h"

#include <nlohmann/json.hpp>

#include "base/time.h"

namespace shaduf {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

using Files = std::map<std::string, DataFile>;
using Checkpoints = std::map<std::string, Checkpoint>;
using RetiredFiles = std::map<std::string, Timestamp>;

Json to_json(const DataFile& file) { return {{"key", file.key}, {"rows", file.rows}, {"bytes", file.bytes}}; }

Json files_to_json(const Files& files) {
    Json list = Json::array();
    for (const auto& [key, file] : files) list.push_back(to_json(file));
    return list;
}

// {"add": [...], "remove": [...]}: what leads from `before` to `after`.
Json change_to_json(const Files& before, const Files& after) {
    Json add = Json::array();
    Json remove = Json::array();
    for (const auto& [key, file] : after) {
        if (!before.contains(key)) add.push_back(to_json(file));
    }
    for (const auto& [key, file] : before) {
        if (!after.contains(key)) remove.push_back(key);
    }
    return {{"add", std::move(add)}, {"remove", std::move(remove)}};
}

void read_files(const Json& list, Files& files) {
    for (const auto& item : list) {
        DataFile file{item.at("key"), item.at("rows"), item.at("bytes")};
        files[file.key] = file;
    }
}

void apply_change(const Json& change, Files& files) {
    read_files(change.at("add"), files);
    for (const auto& key : change.at("remove")) files.erase(key.get<std::string>());
}

Json checkpoints_to_json(const Checkpoints& checkpoints) {
    Json object = Json::object();
    for (const auto& [stream, checkpoint] : checkpoints) object[stream] = checkpoint.value();
    return object;
}

Checkpoints read_checkpoints(const Json& object) {
    Checkpoints checkpoints;
    for (const auto& [stream, checkpoint] : object.items())
        checkpoints[stream] = Checkpoint(checkpoint.get<std::string>());
    return checkpoints;
}

Json schema_to_json(const std::optional<Schema>& schema) {
    if (!schema) return nullptr;
    Json columns = Json::array();
    for (const auto& field : schema->fields()) {
        columns.push_back({{"name", field.name}, {"type", field.type.to_string()}});
    }
    return columns;
}

std::optional<Schema> read_schema(const Json& columns) {
    if (columns.is_null()) return std::nullopt;
    std::vector<Field> fields;
    for (const auto& column : columns) {
        const auto type = DataType::parse(column.at("type").get<std::string>());
        fields.push_back({column.at("name"), type.value_or(TypeKind::string)});
    }
    return Schema(std::move(fields));
}

Json retired_to_json(const RetiredFiles& retired) {
    Json list = Json::array();
    for (const auto& [key, until] : retired) list.push_back({{"key", key}, {"until", format_timestamp(until)}});
    return list;
}

Json retired_change_to_json(const RetiredFiles& before, const RetiredFiles& after) {
    RetiredFiles added;
    Json remove = Json::array();
    for (const auto& [key, until] : after) {
        if (!before.contains(key)) added.emplace(key, until);
    }
    for (const auto& [key, until] : before) {
        if (!after.contains(key)) remove.push_back(key);
    }
    return {{"add", retired_to_json(added)}, {"remove", std::move(remove)}};
}

Timestamp read_time(const Json& text) {
    const auto time = parse_timestamp(text.get<std::string>());
    return Timestamp(std::chrono::microseconds(time ? time->microseconds : 0));
}

void read_retired(const Json& list, RetiredFiles& retired) {
    for (const auto& item : list) retired[item.at("key")] = read_time(item.at("until"));
}

// What only some tables have is written only there.
void write_rest(const TableState& before, const TableState& next, const VersionNote& note, Json& manifest) {
    if (before.retired != next.retired) manifest["retired"] = retired_change_to_json(before.retired, next.retired);
    if (!next.claims.empty()) manifest["claims"] = next.claims;
    if (!next.markers_due.empty()) manifest["markers_due"] = next.markers_due;
    if (next.closed_until) manifest["closed_until"] = format_timestamp(*next.closed_until);
    if (!note.swept.empty()) manifest["swept"] = note.swept;
    if (note.kind == VersionKind::joins) manifest["kind"] = "joins";
    for (const auto& move : note.moves)
        manifest["read"].push_back({{"part", move.part}, {"from", move.from}, {"to", move.to}});
}

void read_rest(const Json& manifest, TableState& state) {
    if (manifest.contains("snapshot")) {
        if (manifest["snapshot"].contains("retired")) read_retired(manifest["snapshot"]["retired"], state.retired);
    } else if (manifest.contains("retired")) {
        read_retired(manifest["retired"].at("add"), state.retired);
        for (const auto& key : manifest["retired"].at("remove")) state.retired.erase(key.get<std::string>());
    }
    state.claims.clear();
    if (manifest.contains("claims")) state.claims = manifest["claims"].get<std::map<std::string, std::string>>();
    state.markers_due.clear();
    if (manifest.contains("markers_due")) {
        state.markers_due = manifest["markers_due"].get<std::map<std::string, uint64_t>>();
    }
    state.closed_until.reset();
    if (manifest.contains("closed_until")) state.closed_until = read_time(manifest["closed_until"]);
}

VersionNote read_note(const Json& manifest) {
    VersionNote note;
    note.run_id = manifest.value("run_id", "");
    if (manifest.contains("swept")) note.swept = manifest["swept"].get<std::vector<std::string>>();
    if (manifest.value("kind", "") == "joins") note.kind = VersionKind::joins;
    return note;
}

}  // namespace

Result<VersionNote> apply_manifest(const std::string& name, std::string_view text, TableState& to) {
    try {
        const Json manifest = Json::parse(text);
        if (manifest.at("format").get<int>() > kFormat) {
            return Error(ErrorKind::invalid_config, "manifest was written by a newer shaduf: " + name + " has format " +
                                                        manifest.at("format").dump() +
                                                        ", this program knows 1; upgrade shaduf");
        }
        const uint64_t version = manifest.at("version");
        const bool snapshot = manifest.contains("snapshot");
        if (!snapshot && version != to.version + 1) {
            return Error(ErrorKind::bad_data, "manifest is missing before " + name + ": version " +
                                                  std::to_string(to.version + 1) + "; restore it");
        }
        TableState state = snapshot ? TableState() : to;
        if (snapshot) {
            read_files(manifest["snapshot"].at("files"), state.files);
            read_files(manifest["snapshot"].at("staged"), state.staged);
            read_files(manifest["snapshot"].at("quarantine"), state.quarantine);
        } else {
            apply_change(manifest.at("files"), state.files);
            apply_change(manifest.at("staged"), state.staged);
            apply_change(manifest.at("quarantine"), state.quarantine);
        }
        state.version = version;
        state.schema = read_schema(manifest.at("schema"));
        state.checkpoints = read_checkpoints(manifest.at("checkpoints"));
        state.staged_checkpoints = read_checkpoints(manifest.at("staged_checkpoints"));
        state.committed_at = manifest.at("committed_at");
        read_rest(manifest, state);
        VersionNote note = read_note(manifest);
        to = std::move(state);
        return note;
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data,
                     "manifest is broken: " + name + ": " + broken.what() + "; restore it from a copy");
    }
}

Result<std::string> write_manifest(const TableState& before, const TableState& next, const VersionNote& note) {
    try {
        Json manifest = {{"format", kFormat},
                         {"version", next.version},
                         {"run_id", note.run_id},
                         {"committed_at", next.committed_at},
                         {"schema", schema_to_json(next.schema)},
                         {"checkpoints", checkpoints_to_json(next.checkpoints)},
                         {"staged_checkpoints", checkpoints_to_json(next.staged_checkpoints)},
                         {"files", change_to_json(before.files, next.files)},
                         {"staged", change_to_json(before.staged, next.staged)},
                         {"quarantine", change_to_json(before.quarantine, next.quarantine)}};
        write_rest(before, next, note, manifest);
        if (next.version % kVersionsBetweenSnapshots == 0) {
            manifest["snapshot"] = {{"files", files_to_json(next.files)},
                                    {"staged", files_to_json(next.staged)},
                                    {"quarantine", files_to_json(next.quarantine)}};
            if (!next.retired.empty()) manifest["snapshot"]["retired"] = retired_to_json(next.retired);
        }
        return manifest.dump(2);
    } catch (const std::exception& broken) {
        return Error(ErrorKind::internal, std::string("cannot write a manifest: ") + broken.what());
    }
}

}  // namespace shaduf
