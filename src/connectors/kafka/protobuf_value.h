#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/protobuf_cursor.h"
#include "data/type.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace shaduf::kafka {

// Messages that stand for one value of a type that columns have.
enum class ProtoKnown : uint8_t {
    none,
    timestamp,    // google.protobuf.Timestamp
    duration,     // google.protobuf.Duration, as its text "3.5s"
    wrapper,      // google.protobuf.Int64Value and the like
    date,         // google.type.Date
    time_of_day,  // google.type.TimeOfDay
    decimal,      // confluent.type.Decimal
    any_value,    // google.protobuf.Struct, Value and ListValue: JSON of any form
};
ProtoKnown known_type_of(const google::protobuf::Descriptor& message);

// How a field of a plain type stands in the bytes (a message and a text alike are delimited).
ProtoWire wire_of(const google::protobuf::FieldDescriptor& field);
// Whether lists of it may be packed into one delimited field.
bool is_packable(const google::protobuf::FieldDescriptor& field);
// The values of a packed list; false when it is broken.
bool unpack(const google::protobuf::FieldDescriptor& field, std::string_view packed, std::vector<ProtoValue>& values);

// The integer that a field of an integer type, a bool or an enum has (of uint64 its bits).
int64_t proto_integer(const google::protobuf::FieldDescriptor& field, uint64_t bits);
double proto_float(const google::protobuf::FieldDescriptor& field, uint64_t bits);
// The default of a plain field that is no text, as it would stand in the bytes.
uint64_t default_bits(const google::protobuf::FieldDescriptor& field);
// The name of an enum's value; its number where it has none.
std::string proto_symbol(const google::protobuf::FieldDescriptor& field, uint64_t bits);

// Of known types; nullptr, or what is wrong with the bytes or their value.
const char* read_proto_timestamp(std::string_view bytes, int64_t& micros);
const char* read_proto_duration(std::string_view bytes, std::string& text);
const char* read_proto_date(std::string_view bytes, int32_t& days);
const char* read_proto_time(std::string_view bytes, int64_t& micros);
struct ProtoDecimal {
    std::string_view digits;  // the unscaled value, two's complement, the highest byte first
    int32_t scale = 0;
};
const char* read_proto_decimal(std::string_view bytes, ProtoDecimal& decimal);
// The value in a wrapper; zero when it has none.
const char* read_proto_wrapped(std::string_view bytes, ProtoValue& value);

// Messages that come twice are one: their bytes one behind the other. Each must be whole by itself.
const char* merge_proto_message(std::string_view bytes, std::string& merged);

// Messages and their fields as JSON: enums by name, bytes as "\x6b", times in ISO 8601, fields that are not there as
// null, or as their default where they have one. nullptr, or what is wrong with the bytes.
const char* write_proto_message(const google::protobuf::Descriptor& message, std::string_view bytes, int depth,
                                std::string& out);
// All values of one field: a list, a map, or the last one.
const char* write_proto_field(const google::protobuf::FieldDescriptor& field, const std::vector<ProtoValue>& values,
                              int depth, std::string& out);

}  // namespace shaduf::kafka
