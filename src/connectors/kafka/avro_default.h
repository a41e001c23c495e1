#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "connectors/kafka/avro_schema.h"

namespace shaduf::kafka {

// The default of a field, which schemas write as JSON (bytes as a text of characters below 256), in the binary form.
// Of a union the first branch counts that takes it. bad_data: it is no value of the type.
Result<std::string> encode_avro_default(const AvroType& type, std::string_view json);

void append_avro_long(int64_t value, std::string& out);

}  // namespace shaduf::kafka
