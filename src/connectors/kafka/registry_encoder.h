#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connectors/kafka/encoder.h"
#include "connectors/kafka/schema_registry.h"
#include "data/type.h"

namespace shaduf::kafka {

struct RegistryEncoderSettings {
    std::shared_ptr<SchemaRegistry> registry;
    std::string topic;
    SubjectPart part = SubjectPart::value;
    SubjectStrategy strategy = SubjectStrategy::topic;
    std::string record;  // its full name, "sales.Order"; "": the topic's
};

// Encoders of rows in the registry's frame. `prepare` registers the schema of the columns under its subject; conflict:
// the registry does not take it, since it is not compatible with what is there.
//
// Avro: every column may be null, and is so by default; decimals, dates, times, timestamps and UUIDs are logical types,
// json is a string. Names that Avro does not allow get _ in the place of each character.
std::unique_ptr<Encoder> make_avro_encoder(RegistryEncoderSettings settings);
// Protobuf (proto3): every column is optional; timestamps with a zone are google.protobuf.Timestamp, structures
// messages, decimals, dates, times, UUIDs, lists and json strings. A column keeps the number that the subject's latest
// schema has for it.
std::unique_ptr<Encoder> make_protobuf_encoder(RegistryEncoderSettings settings);

// "a-b" is "a_b", "1x" is "_1x".
std::string identifier_of(std::string_view name);
// The name of the record of a topic.
std::string record_name_of(const RegistryEncoderSettings& settings);

}  // namespace shaduf::kafka
