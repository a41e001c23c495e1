#pragma once

#include <string>

#include "data/batch.h"

namespace shaduf {
class JsonWriter;
}

namespace shaduf::server {

// One value, so that a browser's numbers lose nothing of it: integers past 2^53 and long decimals are texts, and so are
// values that JSON has no number for.
void write_cell(JsonWriter& json, const Column& column, size_t row);
// [[...], ...]: the first `rows` of a batch, into an array that is open.
void write_rows(JsonWriter& json, const RecordBatch& batch, size_t rows);
// "columns": [{"name", "type"}]
void write_columns(JsonWriter& json, const Schema& schema);

}  // namespace shaduf::server
