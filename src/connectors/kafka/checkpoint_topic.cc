#include "connectors/kafka/checkpoint_topic.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::ordered_json;

Json columns_of(const std::optional<Schema>& table) {
    if (!table) return nullptr;
    Json columns = Json::array();
    for (const auto& field : table->fields()) {
        columns.push_back({{"name", field.name}, {"type", field.type.to_string()}});
    }
    return columns;
}

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Schema> table_of(const Json& columns) {
    if (!columns.is_array()) return std::nullopt;
    std::vector<Field> fields;
    for (const auto& column : columns) {
        if (!column.is_object()) return std::nullopt;
        const auto type = DataType::parse(text_of(column, "type"));
        fields.push_back({text_of(column, "name"), type.value_or(TypeKind::string)});
    }
    return Schema(std::move(fields));
}

}  // namespace

std::string StandingRecord::to_json() const {
    const Json at = checkpoint ? Json(checkpoint->value()) : Json(nullptr);
    Json json{{"pipeline", pipeline},
              {"stream", stream},
              {"checkpoint", at},
              {"committed_at", committed_at},
              {"columns", columns_of(table)}};
    if (!marks.empty()) json["marks"] = marks;
    return json.dump();
}

std::optional<StandingRecord> StandingRecord::parse(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    StandingRecord record;
    record.pipeline = text_of(json, "pipeline");
    record.stream = text_of(json, "stream");
    record.committed_at = text_of(json, "committed_at");
    if (record.pipeline.empty() || record.stream.empty()) return std::nullopt;
    if (const auto at = json.find("checkpoint"); at != json.end() && at->is_string()) {
        record.checkpoint = Checkpoint(at->get<std::string>());
    }
    if (const auto columns = json.find("columns"); columns != json.end()) record.table = table_of(*columns);
    if (const auto marks = json.find("marks"); marks != json.end() && marks->is_array()) {
        for (const auto& mark : *marks) {
            if (mark.is_string()) record.marks.push_back(mark.get<std::string>());
        }
    }
    return record;
}

bool StandingRecord::writes_for(std::string_view wanted) const {
    const std::string own = key();
    const auto base = [](std::string_view name) { return name.substr(0, name.find('~')); };
    return base(own) == base(wanted);
}

void StandingRecord::join_columns(const StandingRecord& other) {
    if (!other.table) return;
    std::vector<Field> fields = table ? table->fields() : std::vector<Field>();
    for (const Field& field : other.table->fields()) {
        const auto index = Schema(fields).index_of(field.name);
        if (!index) {
            fields.push_back(field);
        } else {
            fields[*index].type = widen(fields[*index].type, field.type);
        }
    }
    table = Schema(std::move(fields));
    for (const std::string& mark : other.marks) {
        if (std::find(marks.begin(), marks.end(), mark) == marks.end()) marks.push_back(mark);
    }
}

std::string mark_of(const Schema& columns) {
    constexpr size_t kMarkLength = 16;
    return to_hex(sha256(columns_of(columns).dump())).substr(0, kMarkLength);
}

KafkaTopicSpec checkpoint_topic() { return {std::string(kCheckpointTopic), 1, -1, {{"cleanup.policy", "compact"}}}; }

Result<std::vector<StandingRecord>> read_standing(RunContext& run, const Connection& connection, Absence absence) {
    std::map<std::string, StandingRecord> last;
    TRY(read_whole_topic(run, connection, std::string(kCheckpointTopic), absence,
                         [&](const KafkaMessage& message) -> Result<void> {
                             const std::string key(message.key.value_or(""));
                             auto record = message.value ? StandingRecord::parse(*message.value) : std::nullopt;
                             if (record && record->key() == key) {
                                 last[key] = std::move(*record);
                             } else if (!message.value) {
                                 last.erase(key);
                             }
                             return {};
                         }));
    std::vector<StandingRecord> records;
    for (auto& [key, record] : last) records.push_back(std::move(record));
    return records;
}

std::string transactional_id(const std::string& pipeline, const std::string& stream) {
    return "shaduf-" + pipeline + "-" + stream;
}

}  // namespace shaduf::kafka
