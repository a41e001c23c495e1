#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "connectors/kafka/schema_registry.h"

namespace google::protobuf {
class Descriptor;
}

namespace shaduf::kafka {

// A .proto file with what it imports: references of the registry by their names, and the types that come with Protobuf
// and the registry (google/protobuf/..., confluent/...). Immutable; thread-safe.
class ProtobufSchema {
public:
    // bad_data: what is wrong with it, and in which line.
    static Result<std::shared_ptr<const ProtobufSchema>> parse(const RegisteredSchema& schema);
    ~ProtobufSchema();

    // The message type that the numbers behind the frame say: of the file's the one of the first number, of those in it
    // the one of the second ... Without any ("" or a count of 0) the first. bad_data when there is none.
    Result<const google::protobuf::Descriptor*> message_of(std::string_view indexes) const;
    // The message type of that full name, or the first.
    const google::protobuf::Descriptor* message_named(std::string_view name) const;

private:
    friend class ProtobufSchemaBuilder;
    struct Impl;
    ProtobufSchema();
    std::unique_ptr<Impl> impl_;
};
using ProtobufSchemaPtr = std::shared_ptr<const ProtobufSchema>;

}  // namespace shaduf::kafka
