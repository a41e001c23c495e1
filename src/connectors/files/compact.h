#pragma once

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "connectors/files/manifest.h"
#include "io/object_store.h"

namespace shaduf::files {

// Joins small Parquet files of each folder, in the order in which they were written, each group in a version of its
// own: its rows are never missing, and never there twice, for who reads by manifests. Files that were joined stay for
// `keep`, as retired. Files named by offsets are left as they are: those who only list them would find rows twice.
// Writers at work are not hindered; where one has taken an input away (another compaction), the group is left out.
Result<CompactReport> compact_table(RunContext& run, ObjectStore& store, ManifestLog& log,
                                    const CompactRequest& request);

}  // namespace shaduf::files
