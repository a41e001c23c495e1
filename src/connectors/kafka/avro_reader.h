#pragma once

#include <memory>

#include "connectors/kafka/avro_schema.h"
#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// Reads records of `writer` into the columns of `reader`, or of the writer itself where that is nullptr. bad_data: the
// one cannot be read as the other.
Result<PayloadReaderPtr> make_avro_reader(AvroSchemaPtr writer, AvroSchemaPtr reader);

}  // namespace shaduf::kafka
