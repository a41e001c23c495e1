#pragma once

#include <string>
#include <vector>

#include "models/manifest.h"
#include "models/parse/doc_blocks.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// The columns of an entry, or those of one version of a model: which of the model's it includes, and its own.
std::vector<YamlNode> columns_of(const YamlNode& entry, const YamlNode& version);
// As they stand in the manifest; of two with one name the last counts. Errors: a name that is none, a constraint of no
// known type, a description that cannot be rendered.
std::vector<ColumnProperties> read_columns(const std::vector<YamlNode>& columns, const PropertyFile& file,
                                           const Descriptions& descriptions, Findings& findings);

// `tags`: a text or a list, here and in `config:`; each once.
std::vector<std::string> own_tags(const YamlNode& entry);
// `meta` here and in `config:`; none: neither.
jinja::Value own_meta(const YamlNode& entry);
// Constraints with all of dbt's keys. `of_model`: with columns.
enum class ConstraintLevel : uint8_t { column, model };
Result<jinja::Value> read_constraints(const YamlNode& list, ConstraintLevel level, const std::string& of,
                                      const PropertyFile& file);

}  // namespace shaduf::models
