#pragma once

#include <array>
#include <string_view>

#include "config/options.h"

// The options that decoder_settings.cc reads, as values, so that the connector's table can hold them.
namespace shaduf::kafka {

inline constexpr std::string_view kFormats[] = {"json", "json_schema", "avro", "protobuf", "csv", "text", "raw"};
inline constexpr std::string_view kKeyFormats[] = {"text", "json", "json_schema", "avro", "protobuf", "raw"};
inline constexpr std::string_view kTombstones[] = {"quarantine", "skip", "row"};

inline constexpr std::array<FieldSpec, 9> kDecoderStreamFields{{
    {.name = "format",
     .help =
         "What the values of messages are: json (an object a message), json_schema (Kafka Connect's schema and "
         "payload), avro and protobuf (in the registry's frame), csv (a record a message), text or raw (one column, "
         "value).",
     .default_value = "json",
     .choices = kFormats},
    {.name = "key_format",
     .help = "What the keys are, where metadata has key.",
     .default_value = "text",
     .choices = kKeyFormats},
    {.name = "metadata",
     .type = FieldType::text_list,
     .help = "Columns of the message itself: any of key, headers, timestamp, topic, partition, offset, tombstone.",
     .example = "[key, timestamp, partition, offset]"},
    {.name = "metadata_prefix",
     .help = "What the names of those columns begin with: letters, digits and _.",
     .default_value = "_kafka_"},
    {.name = "tombstones",
     .help = "What becomes of messages without a value: quarantine, skip, or row (the metadata alone).",
     .default_value = "quarantine",
     .choices = kTombstones},
    {.name = "reader_schema",
     .help = "Of avro: the schema that the columns follow, whatever a message was written with: latest (of the topic's "
             "subject) or the path of an .avsc file. Without it the columns are those that the messages bring.",
     .example = "schemas/order.avsc"},
    {.name = "reader_subject",
     .help =
         "Of reader_schema: latest: the subject in the registry; by default that of the one topic which is read, or "
         "of the stream's name: <topic>-value.",
     .example = "sales.Order"},
    {.name = "csv_columns", .type = FieldType::text_list, .help = "Of csv: the names of the fields, in their order."},
    {.name = "csv_delimiter", .help = "Of csv: the character between fields.", .default_value = ","},
}};

inline constexpr std::array<FieldSpec, 4> kRegistryFields{{
    {.name = "registry_url",
     .type = FieldType::text_list,
     .help = "The schema registry (Confluent's REST interface); several are tried in turn.",
     .example = "https://registry.example.com:8081"},
    {.name = "registry_username", .help = "Name for the registry's basic authentication."},
    {.name = "registry_password", .help = "Password for the registry's basic authentication.", .secret = true},
    {.name = "registry_token",
     .help = "Bearer token for the registry, instead of a name and password.",
     .secret = true},
}};

}  // namespace shaduf::kafka
