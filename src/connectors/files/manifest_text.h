#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "connectors/files/manifest.h"

// Manifests as JSON. What is not in every table (retired files, claims, markers) is left out where it is empty.
namespace shaduf {

// Every so many versions a manifest holds the whole list of files, so that readers need not go back to the first.
inline constexpr uint64_t kVersionsBetweenSnapshots = 32;

// The manifest that leads from `before` to `next`.
Result<std::string> write_manifest(const TableState& before, const TableState& next, const VersionNote& note);
// Makes `to` the state behind the manifest; after an error it is as it was. bad_data: it is broken, or one before it
// is missing; invalid_config: of a newer format. `name` is for errors.
Result<VersionNote> apply_manifest(const std::string& name, std::string_view text, TableState& to);

}  // namespace shaduf
