#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "config/options.h"
#include "connectors/connector.h"
#include "connectors/kafka/messages.h"

namespace shaduf::kafka {

enum class Format : uint8_t {
    json,         // a JSON object a message; with a registry's frame in front of it or without
    json_schema,  // {"schema": ..., "payload": ...}, as Kafka Connect writes with schemas.enable
    avro,         // in the registry's frame
    protobuf,     // in the registry's frame
    csv,          // a record a message, without a header
    text,         // UTF-8: one column, `value`
    raw,          // bytes: one column, `value`, of type binary
};

class SchemaRegistry;  // connectors/kafka/schema_registry.h

// Columns as the sink keeps them that wrote the messages, and the marks of all that they hold.
struct ToldColumns {
    SchemaPtr schema;
    std::vector<std::string> marks;
};
using ColumnsTeller = std::function<Result<ToldColumns>(RunContext& run)>;

struct DecoderSettings {
    Format value = Format::json;
    Format key = Format::text;  // read only where the metadata wants keys
    MetadataColumns metadata;
    Tombstones tombstones = Tombstones::quarantine;
    std::shared_ptr<SchemaRegistry> registry;  // nullptr: none is configured
    std::shared_ptr<const CsvDialect> csv;
    std::string reader_schema;   // avro: "latest" or the path of a file; "": columns as the messages bring them
    std::string reader_subject;  // of "latest"
    ColumnsTeller teller;        // json, avro, protobuf: says the columns; empty: as the messages have them
    std::string connection;      // for errors
    std::string stream;
};

// invalid_config: formats and settings that do not go together.
Result<std::unique_ptr<Decoder>> make_decoder(DecoderSettings settings);

// The options of a stream that say how messages are read: format, key_format, metadata, metadata_prefix, tombstones,
// reader_schema, csv_columns,
// csv_delimiter; and of a connection the registry: registry_url, registry_username, registry_password,
// registry_token. The tables stand in decoder_settings.cc; the connector's file joins them with its own.
std::span<const FieldSpec> decoder_stream_fields();
std::span<const FieldSpec> registry_connection_fields();
Result<DecoderSettings> read_decoder_settings(const Options& connection, const StreamRequest& request);

}  // namespace shaduf::kafka
