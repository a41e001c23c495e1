#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/options.h"
#include "connectors/connector.h"
#include "io/kafka.h"

namespace shaduf::kafka {

inline constexpr std::array<std::string_view, 3> kWrittenFormats{"json", "avro", "protobuf"};
inline constexpr std::array<std::string_view, 3> kSubjects{"topic", "record", "topic_record"};
inline constexpr std::array<std::string_view, 5> kCompressions{"none", "gzip", "snappy", "lz4", "zstd"};
inline constexpr std::array<std::string_view, 3> kCleanups{"delete", "compact", "both"};

// The options of a table that is a topic.
inline constexpr std::array kTableFields{
    FieldSpec{.name = "value_format",
              .help = "Format of the messages' values; avro and protobuf register their schema with the connection's "
                      "registry.",
              .default_value = "json",
              .choices = kWrittenFormats},
    FieldSpec{.name = "subject",
              .help = "Of avro and protobuf: what the schema's subject is called by: the topic (<topic>-value), the "
                      "record (<record>), or both (<topic>-<record>).",
              .default_value = "topic",
              .choices = kSubjects},
    FieldSpec{.name = "record",
              .help = "Of avro and protobuf: full name of the record; default: the topic's.",
              .example = "sales.Order"},
    FieldSpec{.name = "message_key",
              .type = FieldType::text_list,
              .help = "Columns that make the key of a message: the text of one, a JSON object of several; default: the "
                      "key of the stream, where it is merged.",
              .example = "user_id"},
    FieldSpec{.name = "partition_by",
              .type = FieldType::text_list,
              .help = "Columns that choose the partition, in the place of the key.",
              .example = "account_id"},
    FieldSpec{.name = "message_time",
              .help = "Column of the time that a message has; default: when it is written.",
              .example = "created_at"},
    FieldSpec{.name = "partitions",
              .type = FieldType::integer,
              .help = "Partitions of a topic that is created; default: what the brokers say."},
    FieldSpec{.name = "replication",
              .type = FieldType::integer,
              .help = "Copies of each partition of a topic that is created; default: what the brokers say."},
    FieldSpec{.name = "retention",
              .type = FieldType::duration,
              .help = "How long a topic that is created keeps messages; default: what the brokers say.",
              .example = "7d"},
    FieldSpec{.name = "cleanup",
              .help = "What a topic that is created does with old messages: delete them, keep the last of each key "
                      "(compact), or both; default: delete, and compact where the stream is merged.",
              .choices = kCleanups},
    FieldSpec{.name = "topic_config",
              .type = FieldType::text_map,
              .help = "Other properties of a topic that is created, by Kafka's names.",
              .example = "{min.insync.replicas: 2}"},
    FieldSpec{.name = "compression", .help = "Of what is sent.", .default_value = "zstd", .choices = kCompressions},
    FieldSpec{.name = "tell_columns",
              .type = FieldType::boolean,
              .help = "Whether the topic is made when a run begins, and each message says in its header shaduf.columns "
                      "which columns it was written with, for a stream that reads by columns_of.",
              .default_value = "false"},
    FieldSpec{
        .name = "transactional",
        .type = FieldType::boolean,
        .help = "Whether rows and checkpoint are one transaction; without, messages may come twice after a crash.",
        .default_value = "true"},
};

struct SinkSettings {
    KafkaTopicSpec topic;
    std::vector<std::string> key;
    std::vector<std::string> partition_by;
    std::string time;  // "": none
    std::string compression;
    bool transactional = true;
    bool tells_columns = false;
};

// invalid_config, at its line: what a topic cannot be.
Result<SinkSettings> read_sink_settings(const TableTarget& table);

}  // namespace shaduf::kafka
