#pragma once

namespace shaduf::models {

struct ContextServices;
struct Findings;
struct Manifest;

// Warns of models whose config asks for batches at the same time where the adapter builds them one after another: once,
// with the first of them.
void warn_of_batches_at_once(const ContextServices& services, const Manifest& manifest, Findings& findings);

}  // namespace shaduf::models
