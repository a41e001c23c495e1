#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/kafka/avro_schema.h"
#include "data/type.h"

namespace shaduf::kafka {

// What to do with the bytes of one field, told beforehand, so that a record is read along a flat list.
struct AvroStep {
    enum class Op : uint8_t {
        skip,    // nobody wants it
        nulls,   // a null to each column; takes no bytes
        misfit,  // the row is rejected: the writer's type has no way into the reader's
        boolean,
        integer,  // also date, times and timestamps, by `logical`
        integer_as_float,
        date,
        micros,
        float32,
        float64,
        text,
        bytes,
        fixed,
        symbol,
        decimal,
        uuid_text,
        zoned_text,
        duration,
        json,      // any type, as JSON
        record,    // `steps`, one a field of the writer, then those for what the writer lacks
        nullable,  // one of two branches is null: `null_branch`; the other is steps[0]
        branches,  // `steps`, one a branch
        constant,  // `bytes` are read instead of the message's, by steps[0]
    };
    Op op = Op::skip;
    AvroLogical logical = AvroLogical::none;
    bool is_fixed = false;  // decimal: of `type->size` bytes, without a length
    uint8_t null_branch = 0;
    uint32_t column = 0;  // the first that it fills, and the one behind its last
    uint32_t column_end = 0;
    const AvroType* type = nullptr;  // the writer's
    int precision = 0;
    std::string field;  // for people
    std::string bytes;  // constant: padded; misfit: why
    size_t bytes_size = 0;
    std::vector<std::string> symbols;  // by number; "" has no place in the reader's
    std::vector<AvroStep> steps;
};

// How messages of one schema become columns. Immutable; thread-safe.
struct AvroPlan {
    AvroSchemaPtr writer;
    AvroSchemaPtr reader;  // the writer's own, where nobody wants another
    SchemaPtr schema;
    bool is_single = false;
    AvroStep root;
};

// The columns are those of the reader: records within records become columns a__b, lists, maps and unions of several
// types json, a union of null and one type that type. Of the writer's fields those count that the reader has, by name
// or alias; what it lacks gets the reader's default. Inside json the values stand as the writer has them. bad_data:
// fields of the reader that have neither.
Result<std::shared_ptr<const AvroPlan>> plan_avro(AvroSchemaPtr writer, AvroSchemaPtr reader);

}  // namespace shaduf::kafka
