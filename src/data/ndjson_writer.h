#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/batch.h"

namespace shaduf {

// Rows as newline-delimited JSON: one object a line with all fields of the schema in its order, null where there is
// none. Line ends in the text of json columns become spaces, which means the same there.
void append_ndjson_rows(const RecordBatch& batch, std::span<const uint32_t> rows, std::string& out);

}  // namespace shaduf
