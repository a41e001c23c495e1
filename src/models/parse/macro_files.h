#pragma once

#include <vector>

#include "models/manifest.h"
#include "models/parse/package_files.h"
#include "models/project/findings.h"

namespace shaduf::models {

// The built-in macros of an adapter and its parents into the manifest: packages dbt, dbt_<type>. internal: one of them
// is no template.
Result<void> add_builtin_macros(const std::vector<std::string>& lineage, Manifest& manifest);

// Macros, generic tests and materializations of a package's files.
void add_macros(const PackageFiles& package, Manifest& manifest, Findings& findings);

// Which macros each of them calls, as far as their texts say (depends_on). After all were added.
void resolve_macro_calls(Manifest& manifest);

// The tags that define macros.
const jinja::Syntax& macro_syntax();
// The tag that defines blocks of documentation.
const jinja::Syntax& docs_syntax();

}  // namespace shaduf::models
