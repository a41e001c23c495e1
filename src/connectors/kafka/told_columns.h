#pragma once

#include <memory>
#include <string>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/payload_reader.h"
#include "connectors/kafka/settings.h"

namespace shaduf::kafka {

// Asks the brokers of `connection` what the sink of a stream ("pipeline/stream") keeps of its columns. Its errors:
// invalid_config when no such stream has written; what the brokers say.
ColumnsTeller tell_columns_of(Connection connection, std::string stream);

// Of JSON objects that were written with those columns. The columns of a stream only ever become more and wider, so
// that what is told last reads all that came before; the teller is asked again when a message bears a mark that is not
// among those told. A message without a mark is read along the columns told last.
std::unique_ptr<ReaderFinder> find_told(ColumnsTeller teller);

}  // namespace shaduf::kafka
