#pragma once

#include <ostream>
#include <vector>

#include "data/batch.h"

namespace shaduf {

enum class RowFormat { table, json, csv };

// Prints whole batches of one schema: a table for people, a JSON array of objects, or CSV with a header (RFC 4180).
void print_rows(const std::vector<RecordBatch>& batches, RowFormat format, std::ostream& out);

}  // namespace shaduf
