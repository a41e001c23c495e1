#pragma once

#include <string_view>

#include "data/type.h"

// The names that shaduf keeps for itself in every destination.
namespace shaduf {

inline constexpr std::string_view kLoadedAtColumn =
    "_shaduf_loaded_at";                                            // timestamp_tz: when the row's batch was written
inline constexpr std::string_view kRunIdColumn = "_shaduf_run_id";  // string: by which run

// The table of rejected rows, beside the data. Columns: id, pipeline, stream, table_name, position, raw, reason, run_id
// (string), quarantined_at (timestamp_tz), policies (string: JSON, what the stream's policies did to `raw`).
// Columns are only ever added, at the end: tables of older versions are brought up.
inline constexpr std::string_view kQuarantineTable = "_shaduf_quarantine";
const SchemaPtr& quarantine_schema();

}  // namespace shaduf
