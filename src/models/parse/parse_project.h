#pragma once

#include <string>

#include "base/result.h"
#include "models/project/findings.h"

namespace shaduf::models {

class Invocation;
struct ContextServices;

// Reads the files of all packages into the manifest of the invocation, as dbt parses them: macros first, then models,
// snapshots, seeds, tests and analyses (each rendered once, to know its config and what it refers to), properties in
// YAML, tests that these declare, sources, exposures, hooks. Files are rendered by several threads.
// All that is wrong is in `findings`, each with its file and line; the manifest is of use when these have no errors. An
// Error: what stops at once (a package cannot be read).
// What an earlier parse left below the target path is used as far as it holds (see PartialParse), and replaced.
Result<void> parse_project(Invocation& invocation, Findings& findings);
// Where that is.
std::string partial_parse_path(const ContextServices& services);

}  // namespace shaduf::models
