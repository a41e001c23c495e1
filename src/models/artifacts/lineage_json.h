#pragma once

#include "base/result.h"
#include "models/artifacts/json_writer.h"
#include "models/lineage/lineage.h"

namespace shaduf::models {

struct ContextServices;

// {"columns": {name: {"sources": [...], "unknown": null}}, "conditions": [...], "absent": [...], "unknown": null}
void write_lineage(const NodeLineage& lineage, JsonWriter& out);
void write_column_name(const ColumnName& name, JsonWriter& out);  // the two keys of an object

// Writes <target>/column_lineage.json.
Result<void> write_column_lineage(const ContextServices& services, const ProjectLineage& lineage);

}  // namespace shaduf::models
