#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/kafka/schema_registry.h"

// Schemas of Apache Avro 1.11 (https://avro.apache.org/docs/1.11.1/specification/).
namespace shaduf::kafka {

enum class AvroKind : uint8_t {
    null,
    boolean,
    integer,       // 32 bits
    long_integer,  // 64 bits
    float32,
    float64,
    bytes,
    string,
    fixed,
    enumeration,
    record,
    array,
    map,
    alternatives,  // a union
};

// What the bits of a plain type mean. Those of Kafka Connect and Debezium, which Avro does not know, are told by
// `connect.name`.
enum class AvroLogical : uint8_t {
    none,
    decimal,
    date,
    time_millis,
    time_micros,
    time_nanos,
    timestamp_millis,
    timestamp_micros,
    timestamp_nanos,
    local_timestamp_millis,
    local_timestamp_micros,
    local_timestamp_nanos,
    zoned_text,  // an ISO 8601 text with a zone
    uuid,
    duration,
};

struct AvroType;
struct AvroField {
    std::string name;
    std::vector<std::string> aliases;
    const AvroType* type = nullptr;
    std::optional<std::string> default_json;
};

struct AvroType {
    AvroKind kind = AvroKind::null;
    AvroLogical logical = AvroLogical::none;
    std::string name;  // full; of records, enumerations and fixed
    std::vector<AvroField> fields;
    std::vector<std::string> symbols;
    std::optional<std::string> default_symbol;
    const AvroType* items = nullptr;  // of an array's items, a map's values
    std::vector<const AvroType*> branches;
    uint32_t size = 0;  // of fixed, in bytes
    int precision = 0;  // of decimal
    int scale = 0;
};

// A schema with all that it names. Immutable; thread-safe. Types that contain themselves are cycles of pointers.
class AvroSchema {
public:
    // bad_data: what is wrong with it. The types of `references` are known in it by their full names.
    static Result<std::shared_ptr<const AvroSchema>> parse(const RegisteredSchema& schema);
    static Result<std::shared_ptr<const AvroSchema>> parse(std::string_view text);

    const AvroType& root() const { return *root_; }

private:
    friend class AvroSchemaParser;
    AvroSchema() = default;

    std::deque<AvroType> types_;
    const AvroType* root_ = nullptr;
};
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;

}  // namespace shaduf::kafka
