#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "connectors/kafka/payload_reader.h"
#include "connectors/kafka/schema_registry.h"

namespace shaduf::kafka {

struct MadeReader {
    PayloadReaderPtr reader;
    bool renews = false;  // those that were made before are to be made anew
};
// Makes the reader of a schema. `indexes` is what stood behind the frame to say which type of the schema it is
// (Protobuf). bad_data: the messages of that schema cannot be read; any other error stops the stream.
using MakeReader =
    std::function<Result<MadeReader>(RunContext& run, const RegisteredSchemaPtr& schema, std::string_view indexes)>;
enum class FrameIndexes : uint8_t { absent, present };

// Finds the reader of messages whose schema a registry has, told by the frame in front of the payload or by a header.
std::unique_ptr<ReaderFinder> find_by_registry(std::shared_ptr<SchemaRegistry> registry, FrameIndexes indexes,
                                               MakeReader make);

}  // namespace shaduf::kafka
