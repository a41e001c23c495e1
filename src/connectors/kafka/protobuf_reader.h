#pragma once

#include <memory>

#include "connectors/kafka/payload_reader.h"
#include "connectors/kafka/protobuf_schema.h"

namespace shaduf::kafka {

// Reads messages of one type of `file` into columns. bad_data: the type has too many.
Result<PayloadReaderPtr> make_protobuf_reader(ProtobufSchemaPtr file, const google::protobuf::Descriptor& message);

// Of Protobuf in the registry's frame.
std::unique_ptr<ReaderFinder> find_protobuf(std::shared_ptr<SchemaRegistry> registry);

}  // namespace shaduf::kafka
