#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "models/parse/package_files.h"
#include "models/project/findings.h"

// What templates read, by their text alone: for warnings of what none of them does.
namespace shaduf::models {

class Invocation;

// Whether a template may ask for a config of that name.
bool is_config_read(std::span<const PackageFiles> packages, std::string_view key);

// The names that a text calls var() with are added to `names`. False: one is not written out, so that any var may be
// meant.
bool collect_vars(std::string_view text, std::set<std::string, std::less<>>& names);

// Warns of each var of the root project's dbt_project.yml that nothing reads, unless some var() takes a name that is
// not written out.
void warn_of_unused_vars(const Invocation& invocation, std::span<const PackageFiles> packages, Findings& findings);

}  // namespace shaduf::models
