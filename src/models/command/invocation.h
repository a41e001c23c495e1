#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/run_context.h"
#include "models/adapter/adapter.h"
#include "models/command/arguments.h"
#include "models/context/read_notes.h"
#include "models/context/services.h"
#include "models/manifest.h"
#include "models/project/findings.h"
#include "models/project/profile.h"
#include "models/project/project.h"

namespace shaduf::models {

// Where a command of dbt's runs: the world outside of the project.
struct InvocationWorld {
    RunContext& run;
    const Registry<AdapterSpec>& adapters;
    MessageSink& messages;
    Environment environment;
    std::string working_folder;
    std::string home_folder;
    // The target of this name (nullopt: the one it takes when none is asked for) that stands outside of profiles.yml,
    // for projects whose profile is in none. Empty, or nullopt: there is none.
    std::function<Result<std::optional<ProfileTarget>>(const std::optional<std::string>& name)> other_target = {};
    std::shared_ptr<Secrets> secrets = {};  // learns of what must not be shown; nullptr: nobody asks
    // The process ends behind the command: what was parsed need not be given back, piece by piece.
    bool ends_with_command = false;
};

// --project-dir, else the folder with a dbt_project.yml here or above.
Result<std::string> project_folder(const InvocationWorld& world, const DbtArguments& arguments);
// --vars. invalid_config: it is no YAML map.
Result<jinja::Ref<jinja::Dict>> read_cli_vars(const DbtArguments& arguments);

// One command of dbt's on one project: the project and its packages, the chosen target, and all that templates see.
// Opened before anything is parsed or connected to; outlived by its world. The manifest is filled by `parse`.
class Invocation {
public:
    // invalid_config: no project, no profile, an unknown adapter, ...: each with its file and line.
    static Result<std::unique_ptr<Invocation>> open(const InvocationWorld& world, const DbtArguments& arguments);
    ~Invocation();

    // Reads the resources of all packages. What is wrong in `findings`; those that are errors stop the command.
    Result<void> parse(Findings& findings);
    // --no-partial-parse, DBT_PARTIAL_PARSE and the flag of dbt_project.yml: whether an earlier parse counts.
    bool parses_partially() const;
    // What was read while parsing, of which no file tells.
    const ReadNotes& notes() const { return *notes_; }
    // Does it on a thread of its own; it is done when finish_beside comes back, or before the invocation ends.
    void run_beside(std::function<void()> work);
    void finish_beside();

    // A YAML file of the project with its Jinja rendered, as dbt_project.yml is. `file` stands in errors.
    Result<YamlTree> render(const YamlTree& tree, const std::string& file) const;

    // Selectors of selectors.yml as the manifest has them: JSON, or "".
    const std::string& selectors_json() const { return selectors_json_; }
    void keep_selectors(std::string json) { selectors_json_ = std::move(json); }

    const DbtArguments& arguments() const { return arguments_; }
    const Project& root() const { return packages_.front(); }
    const std::vector<Project>& packages() const { return packages_; }  // the root first
    const Target& target() const { return target_; }
    Adapter& adapter() { return *adapter_; }
    Manifest& manifest() { return manifest_; }
    ContextServices& services() { return *services_; }
    const ContextServices& services() const { return *services_; }
    MessageSink& messages() { return world_.messages; }
    RunContext& run() { return world_.run; }
    int threads() const;

private:
    Invocation(const InvocationWorld& world, DbtArguments arguments);
    Result<void> read_profile(const std::string& root, const YamlTree& raw);
    Result<ProfileTarget> choose_target(const std::string& root, const YamlTree& raw) const;
    Result<std::optional<ProfileTarget>> other_target() const;
    std::optional<std::string> wanted_target() const;
    Result<void> read_packages(const std::string& root, YamlTree raw);
    Result<Project> read_package(const std::string& root, YamlTree raw);
    void make_services();
    Result<void> read_times();
    void take_project_flags();

    class ProjectVars;
    const std::shared_ptr<ReadNotes> notes_;
    const InvocationWorld world_;
    DbtArguments arguments_;  // with what dbt_project.yml says where the call says nothing
    jinja::Ref<jinja::Dict> cli_vars_;
    std::vector<Project> packages_;
    Target target_;
    jinja::Ref<jinja::Dict> target_value_;
    std::unique_ptr<Adapter> adapter_;
    RelationCache relations_;
    std::unique_ptr<ProjectVars> vars_;
    Manifest manifest_;
    std::unique_ptr<ContextServices> services_;
    std::string selectors_json_;
    std::thread beside_;
};

}  // namespace shaduf::models
