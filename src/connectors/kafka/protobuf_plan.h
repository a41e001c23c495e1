#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/kafka/protobuf_schema.h"
#include "connectors/kafka/protobuf_value.h"
#include "data/type.h"

namespace shaduf::kafka {

// What to do with one field. Fields come in any order, more than once or not at all: so each has a slot that keeps what
// came last, and the columns are filled from the slots once the message has been passed.
struct ProtoNode {
    enum class Op : uint8_t {
        integer,
        unsigned64,  // decimal(20,0): all of them fit
        boolean,
        float32,
        float64,
        text,
        bytes,
        symbol,
        known,    // one of the messages that stand for one value
        json,     // lists, maps, messages that contain themselves: all values are kept until the end
        message,  // `fields`, each with columns of its own
    };
    Op op = Op::integer;
    ProtoWire wire = ProtoWire::varint;
    ProtoKnown known = ProtoKnown::none;
    bool is_list = false;
    bool is_packable = false;
    bool is_required = false;
    bool has_default = false;  // else a null stands for a field that is not there
    uint32_t slot = 0;         // its own, and the one behind the last of `fields`
    uint32_t slot_end = 0;
    uint32_t column = 0;  // the first that it fills, and the one behind its last
    uint32_t column_end = 0;
    uint32_t oneof = 0;  // of the message's alternatives, from 1; 0: none
    uint64_t default_bits = 0;
    std::string default_text;
    int precision = 0;  // of a decimal, where the schema tells it; 0: as text
    int scale = 0;
    const google::protobuf::FieldDescriptor* field = nullptr;  // of a wrapper the one in it
    std::string name;
    std::vector<ProtoNode> fields;
    std::vector<uint32_t> by_number;  // 1 + index into `fields`, for small numbers; 0: unknown
    const ProtoNode* find(uint32_t number) const;
    int number = 0;
};

// How messages of one type become columns. Immutable; thread-safe.
struct ProtoPlan {
    ProtobufSchemaPtr file;
    SchemaPtr schema;
    ProtoNode root;
    uint32_t slots = 0;
};

// Messages within become columns a__b, lists and maps json.
Result<std::shared_ptr<const ProtoPlan>> plan_protobuf(ProtobufSchemaPtr file,
                                                       const google::protobuf::Descriptor& message);

}  // namespace shaduf::kafka
