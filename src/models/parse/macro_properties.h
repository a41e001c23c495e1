#pragma once

#include <span>

#include "models/parse/doc_blocks.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// Gives macros what `macros:` of the files say: descriptions, arguments, meta, docs. Warnings: of nothing; errors: two
// of one macro.
void apply_macro_properties(std::span<const PropertyFile> files, const Descriptions& descriptions, Manifest& manifest,
                            Findings& findings);

}  // namespace shaduf::models
