#pragma once

#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// Reads JSON objects whose members are columns, as a topic is written (encoder.h), into the same columns: each value
// becomes what it was, also where its column has become wider since. A member that is no column, and a value that does
// not fit, reject the message; a column without a member is null.
PayloadReaderPtr make_columns_reader(SchemaPtr columns);

}  // namespace shaduf::kafka
