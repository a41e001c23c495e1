#pragma once

#include <memory>
#include <string_view>

#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// Of JSON as Kafka Connect's converter writes it with schemas.enable: {"schema": {...}, "payload": ...}. Every message
// carries its schema, mostly the same text, of which a reader is made once; the payload alone is read then.
std::unique_ptr<ReaderFinder> find_connect_json();

// Reads payloads of a schema of Connect, given as its JSON. Structures within become columns a__b, lists and maps json;
// Decimal, Date, Time, Timestamp and those of Debezium are what they stand for. "null": any JSON, as one column.
// bad_data: it is no such schema.
Result<PayloadReaderPtr> make_connect_reader(std::string_view schema);

}  // namespace shaduf::kafka
