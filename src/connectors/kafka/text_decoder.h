#pragma once

#include <memory>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// The decoder of json and csv, which gives text as it came: without metadata not a byte is copied, and what is wrong
// with a text is for the contract to find. Metadata is written into the text, so that it stays with a row in
// quarantine: behind the members of a JSON object, where of two members of a name the last one counts, or in front of a
// CSV record. `keys`: of keys in a schema; nullptr for all others.
std::unique_ptr<Decoder> make_text_decoder(DecoderSettings settings, std::unique_ptr<ReaderFinder> keys);

}  // namespace shaduf::kafka
