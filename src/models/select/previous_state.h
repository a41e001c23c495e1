#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {

struct ContextServices;
struct Macro;
struct Manifest;
struct Member;

// The artifacts of another run, that of --state. Immutable.
class PreviousState {
public:
    // `folder` is below the project unless it is absolute. What is not there stays null; invalid_config: what is no
    // artifact.
    static Result<PreviousState> load(const ContextServices& services, const std::string& folder);

    bool has_manifest() const { return manifest_.root().is_map(); }
    bool has_results() const { return results_.root().is_map(); }
    // A node, source, exposure, ... of the manifest; nullptr: there was none.
    const YamlNode* find(std::string_view unique_id) const;
    const YamlNode& manifest() const { return manifest_.root(); }
    const YamlNode& results() const { return results_.root(); }
    const YamlNode& sources() const { return sources_.root(); }
    const YamlNode& current_sources() const { return current_sources_.root(); }
    const std::string& folder() const { return folder_; }

private:
    std::string folder_;
    YamlTree manifest_, results_, sources_, current_sources_;
};

// Which resources are not as they were. Macros that come with the program do not count: state of another version, or
// of dbt's own, would have everything changed.
class StateComparison {
public:
    StateComparison(const Manifest& manifest, const PreviousState& state);

    // `what`: new, old, modified, unmodified, modified.body, ... nullopt: no such word.
    std::optional<bool> is(std::string_view what, const Member& member) const;
    static std::vector<std::string> words();
    // Macros of the project that were edited, or are new, and that the member calls, itself or through others.
    std::vector<std::string> edited_macros(const Member& member) const;
    // The keys of its configuration that are not as they were written; none of what is new.
    std::vector<std::string> changed_settings(const Member& member) const;

private:
    bool is_modified(const Member& member, const YamlNode* old) const;
    bool has_modified_macro(const Member& member) const;

    const PreviousState& state_;
    // And those that call them: each with the one whose edit made it so.
    std::unordered_map<std::string, std::string> modified_macros_;
};

}  // namespace shaduf::models
