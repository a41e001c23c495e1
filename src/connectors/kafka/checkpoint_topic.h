#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "connectors/kafka/settings.h"
#include "connectors/kafka/topic_reader.h"
#include "io/kafka.h"

// Where the streams that are written to topics stand: a compacted topic beside them, a record a stream, written in the
// transaction of the rows.
namespace shaduf::kafka {

inline constexpr std::string_view kCheckpointTopic = "_shaduf_checkpoints";

struct StandingRecord {
    std::string pipeline;
    std::string stream;
    std::optional<Checkpoint> checkpoint;
    std::optional<Schema> table;
    std::string committed_at;  // ISO 8601
    // Marks of all columns that messages were written with, each of which `table` holds; where messages tell them.
    std::vector<std::string> marks = {};

    std::string key() const { return pipeline + "/" + stream; }
    // Whether it writes the topic of the stream `key`: the stream itself, or a replay of it ("<stream>~replay").
    bool writes_for(std::string_view key) const;
    // Its columns become those that hold what both hold.
    void join_columns(const StandingRecord& other);
    std::string to_json() const;
    // nullopt: not one of ours.
    static std::optional<StandingRecord> parse(std::string_view text);
};

// The header of a message that says which columns it was written with, where its table wants that.
inline constexpr std::string_view kColumnsHeader = "shaduf.columns";
// What stands there: the same for the same names and types in the same order.
std::string mark_of(const Schema& columns);

KafkaTopicSpec checkpoint_topic();
// The last of each stream.
Result<std::vector<StandingRecord>> read_standing(RunContext& run, const Connection& connection, Absence absence);
// With it a producer fences whoever else writes for this stream.
std::string transactional_id(const std::string& pipeline, const std::string& stream);

}  // namespace shaduf::kafka
