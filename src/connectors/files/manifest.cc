#include "connectors/files/manifest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/run_events.h"
#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
// Every so many versions a manifest holds the whole list of files, so that readers need not go back to the first.
constexpr uint64_t kVersionsBetweenSnapshots = 32;
constexpr std::string_view kFolder = "/_shaduf/manifest/";
constexpr std::string_view kQuarantineFolder = "_shaduf/quarantine/";

// Without a version that stops them, writers at work keep their uploads: a commit comes long before this.
constexpr std::chrono::hours kUploadLifetime{24};
constexpr std::chrono::hours kNone{0};

using Files = std::map<std::string, DataFile>;
using Checkpoints = std::map<std::string, Checkpoint>;

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

// "20260102T030405Z-": how the names of all files begin that sinks make.
bool is_name_of_load(std::string_view name) {
    constexpr std::string_view kForm = "00000000T000000Z-";
    if (name.size() <= kForm.size()) return false;
    return std::equal(kForm.begin(), kForm.end(), name.begin(),
                      [](char form, char c) { return form == '0' ? c >= '0' && c <= '9' : form == c; });
}

// Whether a table's sinks may have made the file: other tables may lie in this one's folder, and people put files
// there.
bool is_of_table(std::string_view path) {
    const auto slash = path.rfind('/');
    if (!is_name_of_load(path.substr(slash == path.npos ? 0 : slash + 1))) return false;
    if (slash == path.npos || path.substr(0, slash + 1) == kQuarantineFolder) return true;
    const auto folders = split(path.substr(0, slash), '/');
    return std::all_of(folders.begin(), folders.end(),
                       [](const auto& folder) { return folder.find('=') != folder.npos; });
}

}  // namespace

ManifestLog::ManifestLog(ObjectStore& store, std::string table_folder)
    : store_(store), folder_(std::move(table_folder)) {}

std::string ManifestLog::key_of(uint64_t version) const {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%020" PRIu64 ".json", version);
    return folder_ + std::string(kFolder) + name.data();
}

Result<void> ManifestLog::refresh(RunContext& run) {
    std::vector<std::string> keys;
    TRY(store_.list(run, folder_ + std::string(kFolder), [&](std::span<const ObjectInfo> page) -> Result<void> {
        for (const auto& object : page) keys.push_back(object.key);
        return {};
    }));
    const std::string last_known = state_.version == 0 ? "" : key_of(state_.version);
    const auto first_new = std::upper_bound(keys.begin(), keys.end(), last_known);
    // From the newest snapshot on is enough, when this log knows nothing yet.
    auto from = first_new;
    if (state_.version == 0 && first_new != keys.end()) {
        const auto count = static_cast<uint64_t>(keys.end() - first_new);
        const uint64_t newest = std::strtoull(keys.back().substr(keys.back().rfind('/') + 1).c_str(), nullptr, 10);
        const uint64_t since_snapshot = newest % kVersionsBetweenSnapshots;
        if (since_snapshot < count && newest >= kVersionsBetweenSnapshots) {
            from = keys.end() - static_cast<int64_t>(since_snapshot) - 1;
        }
    }
    for (; from != keys.end(); ++from) {
        const BufferPtr text = TRY(store_.get(run, *from));
        if (text == nullptr) {
            return Error(ErrorKind::unavailable, "manifest vanished while it was read: " + store_.name_of(*from));
        }
        TRY(apply(*from, text->view()));
    }
    return {};
}

Result<void> ManifestLog::apply(const std::string& name, std::string_view text) {
    try {
        const Json manifest = Json::parse(text);
        if (manifest.at("format").get<int>() > kFormat) {
            return Error(ErrorKind::invalid_config, "manifest was written by a newer shaduf: " + store_.name_of(name) +
                                                        " has format " + manifest.at("format").dump() +
                                                        ", this program knows 1; upgrade shaduf");
        }
        const uint64_t version = manifest.at("version");
        const bool snapshot = manifest.contains("snapshot");
        if (!snapshot && version != state_.version + 1) {
            return Error(ErrorKind::bad_data, "manifest is missing before " + store_.name_of(name) + ": version " +
                                                  std::to_string(state_.version + 1) + "; restore it");
        }
        if (snapshot) {
            state_ = {};
            read_files(manifest["snapshot"].at("files"), state_.files);
            read_files(manifest["snapshot"].at("staged"), state_.staged);
            read_files(manifest["snapshot"].at("quarantine"), state_.quarantine);
        } else {
            apply_change(manifest.at("files"), state_.files);
            apply_change(manifest.at("staged"), state_.staged);
            apply_change(manifest.at("quarantine"), state_.quarantine);
        }
        state_.version = version;
        state_.schema = read_schema(manifest.at("schema"));
        state_.checkpoints = read_checkpoints(manifest.at("checkpoints"));
        state_.staged_checkpoints = read_checkpoints(manifest.at("staged_checkpoints"));
        state_.committed_at = manifest.at("committed_at");
        return {};
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data,
                     "manifest is broken: " + store_.name_of(name) + ": " + broken.what() + "; restore it from a copy");
    }
}

Result<void> ManifestLog::commit(RunContext& run, TableState next, const std::string& run_id) {
    next.version = state_.version + 1;
    next.committed_at = format_timestamp(run.clock.now());
    std::string text;
    try {
        Json manifest = {{"format", kFormat},
                         {"version", next.version},
                         {"run_id", run_id},
                         {"committed_at", next.committed_at},
                         {"schema", schema_to_json(next.schema)},
                         {"checkpoints", checkpoints_to_json(next.checkpoints)},
                         {"staged_checkpoints", checkpoints_to_json(next.staged_checkpoints)},
                         {"files", change_to_json(state_.files, next.files)},
                         {"staged", change_to_json(state_.staged, next.staged)},
                         {"quarantine", change_to_json(state_.quarantine, next.quarantine)}};
        if (next.version % kVersionsBetweenSnapshots == 0) {
            manifest["snapshot"] = {{"files", files_to_json(next.files)},
                                    {"staged", files_to_json(next.staged)},
                                    {"quarantine", files_to_json(next.quarantine)}};
        }
        text = manifest.dump(2);
    } catch (const std::exception& broken) {
        return Error(ErrorKind::internal, std::string("cannot write a manifest: ") + broken.what());
    }
    if (!TRY(store_.put_if_absent(run, key_of(next.version), text))) {
        return Error(ErrorKind::conflict, "another writer has changed the table: " +
                                              store_.name_of(key_of(next.version)) + " is there already; run again");
    }
    state_ = std::move(next);
    return {};
}

Result<int64_t> ManifestLog::sweep(RunContext& run, const std::string& run_id) {
    std::vector<std::string> orphans;
    bool holds_others = false;  // tables, whose uploads look like those of this one
    TRY(store_.list(run, folder_ + "/", [&](std::span<const ObjectInfo> page) -> Result<void> {
        for (const auto& object : page) {
            holds_others = holds_others || object.key.find("/_shaduf/", folder_.size() + 1) != object.key.npos;
            const bool known = state_.files.contains(object.key) || state_.staged.contains(object.key) ||
                               state_.quarantine.contains(object.key);
            if (!known && is_of_table(std::string_view(object.key).substr(folder_.size() + 1))) {
                orphans.push_back(object.key);
            }
        }
        return {};
    }));
    if (orphans.empty()) {
        TRY(remove_unfinished(run, run.clock.now() - kUploadLifetime));
        return 0;
    }
    TRY(commit(run, state_, run_id));
    for (const auto& key : orphans) TRY(store_.remove(run, key));
    TRY(remove_unfinished(run, run.clock.now() - (holds_others ? kUploadLifetime : kNone)));
    return static_cast<int64_t>(orphans.size());
}

// What is left over costs money, but hinders nobody: so neither does a server or a key that cannot list uploads.
Result<void> ManifestLog::remove_unfinished(RunContext& run, Timestamp begun_before) {
    auto removed = store_.remove_unfinished(run, folder_ + "/", begun_before);
    TRY(run.cancellation.check());
    if (!removed.ok()) {
        run.events.message(Severity::info, store_.name_of(folder_),
                           "uploads that were not finished cannot be removed: " + removed.error().to_string());
    }
    return {};
}

}  // namespace shaduf
