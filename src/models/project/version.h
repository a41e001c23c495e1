#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shaduf::models {

// The version of dbt that the engine answers as, wherever a project asks: require-dbt-version, packages, dbt_version.
inline constexpr std::string_view kDbtVersion = "1.11.16";

// One side of a range, as dbt reads it: an operator and a version of semver.org 2.0.0; "=" when none is given.
struct VersionBound {
    enum class Match : uint8_t { exact, above, at_least, below, at_most };
    Match match = Match::exact;
    std::string major, minor, patch;  // digits
    std::string prerelease;           // "rc.1", or ""
    std::string build;

    // ">=1.2.3", "1.2.3-rc1", "<2.0.0+x". invalid_config for anything else.
    static Result<VersionBound> parse(std::string_view text);
    // With its operator; an exact one as "=1.2.3".
    std::string to_string() const;
    std::string version() const;  // without it
    bool is_exact() const { return match == Match::exact; }
    // Negative, 0 or positive. Of equal versions, the operators decide: what ends a range before it is less.
    int compare(const VersionBound& other) const;
};

// Everything between two bounds; without one, it is open there. One exact version stands in both.
struct VersionRange {
    std::vector<VersionBound> start;  // none or one
    std::vector<VersionBound> end;

    std::string to_string() const;  // ">=1.0.0, <2.0.0"; "any"
    // Where both hold. conflict, when nowhere: the message names both sides.
    static Result<VersionRange> all_of(std::span<const VersionBound> bounds);
    bool contains(const VersionBound& exact) const;
};

// ">=1.3.0,<2.0.0" in one text, split at commas: require-dbt-version.
Result<std::vector<VersionBound>> parse_versions(std::string_view text);

// Those of `versions` that may be installed, lowest first: without pre-releases unless these are wanted. Texts that are
// no version are left out.
enum class Prereleases : uint8_t { left_out, wanted };
std::vector<std::string> installable_versions(std::span<const std::string> versions, Prereleases prereleases);
// The highest of `versions` within the range, or "".
std::string highest_in(const VersionRange& range, std::span<const std::string> versions);

}  // namespace shaduf::models
