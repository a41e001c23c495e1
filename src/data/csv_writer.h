#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/batch.h"

// Rows as CSV (RFC 4180, lines ended by \n): a null is an empty field, an empty text is "", lists and structures are
// their JSON. What was written is read back as it was with the same types declared.
namespace shaduf {

void append_csv_header(const Schema& schema, std::string& out);
void append_csv_rows(const RecordBatch& batch, std::span<const uint32_t> rows, std::string& out);

}  // namespace shaduf
