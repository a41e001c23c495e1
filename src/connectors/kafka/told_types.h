#pragma once

#include <vector>

#include "data/batch.h"
#include "data/row_decoder.h"

namespace shaduf::kafka {

// The rows of messages in the types and under the names that they were written from: what Avro or Protobuf have no type
// for comes as a text, lists as JSON, structures as columns a__b. A structure all of whose fields are null is null.
// Columns that were not told stay as they are. What does not fit is null, and its row is added to `rejected`.
RecordBatch with_told_types(const RecordBatch& rows, const Schema& told, std::vector<RejectedRow>& rejected);

}  // namespace shaduf::kafka
