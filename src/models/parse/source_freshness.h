#pragma once

#include "models/parse/property_files.h"

namespace shaduf::models {

// What the config of a table of a source is, by all that may say it: the source, its config:, the table, its config:.
// Gives the map that counts as its properties: everything of both configs, with freshness, loaded_at_field,
// loaded_at_query, meta and tags merged. Errors: a field and a query of one level.
Result<YamlTree> source_config(const YamlNode& source, const YamlNode& table, const PropertyFile& file);

}  // namespace shaduf::models
