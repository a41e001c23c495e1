#pragma once

#include <memory>
#include <string>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// Of Avro in the registry's frame. A reader's schema is got with the first message: that of the file, or the latest of
// the settings' subject, which is asked for again with each schema that was not met before.
std::unique_ptr<ReaderFinder> find_avro(const DecoderSettings& settings, const std::string& reader_schema);

}  // namespace shaduf::kafka
