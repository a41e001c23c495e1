#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/vm.h"
#include "models/adapter/session.h"
#include "models/context/batch.h"
#include "models/context/services.h"
#include "models/manifest.h"

namespace shaduf::models {

class NodeScope;

// While parsing, nothing is read from the database: refs give the node's own relation, and what a template asks for is
// noted. While running, names are looked up in the manifest.
enum class Phase : uint8_t { parse, run };

// What a text asked for while it was parsed.
struct Captured {
    std::vector<ModelRef> refs;
    std::vector<SourceRef> sources;
    std::vector<std::vector<std::string>> metrics, functions;
    std::vector<jinja::Ref<jinja::Dict>> config_calls;  // in their order
    std::vector<std::string> macros;                    // unique ids of those called by the text itself
    std::vector<std::string> env_vars;
};

// What running a node's templates leaves behind; one thread's.
struct NodeRun {
    Session* session = nullptr;                   // nullptr: nothing may be run
    std::map<std::string, jinja::Value> results;  // of store_result, by name
    std::string compiled_code;
    std::vector<std::string> ctes;  // unique ids of ephemeral models that were referred to
    std::string build_path;         // of the file that `write` wrote
    std::string built_code;         // what stands in it
    struct Refused {
        std::string sql;
        Error error;
    };
    std::optional<std::string> comment;  // that its statements carry, once there was one
    std::optional<Refused> refused;      // the last statement that the database refused
    std::optional<Batch> batch;          // of a microbatch model
};

// One name of the context and how its value comes to be. Values are made once a scope, when they are asked for.
struct ContextEntry {
    std::string_view name;
    Result<jinja::Value> (*make)(const NodeScope& scope);
};

// The names that the templates of one node see, as dbt has them. One thread; outlived by the services and the node.
class NodeScope final : public jinja::Scope {
public:
    struct Subject {
        const Node* node = nullptr;           // nullptr: a macro or the project itself is run
        const SourceTable* source = nullptr;  // of a freshness query
        std::string package;                  // whose macros come first
        std::string label;                    // for errors: "model customers (models/customers.sql)"
        std::string connection = "master";    // what statements of no node are told to be of, as dbt names it
    };
    // How ref() is resolved when it is not as usual: by unit tests and by defer.
    using Resolve = std::function<Result<std::optional<jinja::Value>>(const ModelRef& ref, const Node& target)>;
    using ResolveSource = std::function<Result<std::optional<jinja::Value>>(const SourceTable& target)>;

    NodeScope(const ContextServices& services, Phase phase, Subject subject);

    // REQUIRES: phase parse / run
    void capture_into(Captured& captured) { captured_ = &captured; }
    void run_with(NodeRun& run) { run_ = &run; }
    void resolve_refs_by(Resolve resolve) { resolve_ = std::move(resolve); }
    void resolve_sources_by(ResolveSource resolve) { resolve_source_ = std::move(resolve); }
    // Makes all values anew when they are asked for: what the node compiled to is known now.
    void forget_values() { made_.assign(made_.size(), std::nullopt); }
    // Values of vars that go before those of the project.
    void override_vars(jinja::Ref<jinja::Dict> vars) { vars_ = std::move(vars); }
    // A name that goes before all others.
    void set(std::string name, jinja::Value value);

    Result<std::optional<jinja::Value>> find(jinja::Vm& vm, std::string_view name) const override;
    // A macro as a name without a package finds it: of the node's package, the root, the built-in ones.
    const Macro* find_macro(std::string_view name) const;
    // `package` "": as a name alone finds it.
    const Macro* find_macro(std::string_view package, std::string_view name) const;
    // What the context itself has under a name, whatever macros there are.
    Result<std::optional<jinja::Value>> find_builtin(std::string_view name) const;
    Result<jinja::Value> call_macro(jinja::Vm& vm, const Macro& macro, const jinja::Arguments& arguments) const;
    // A variable's value, its Jinja rendered. nullopt: there is none.
    Result<std::optional<jinja::Value>> variable(jinja::Vm& vm, std::string_view name) const;

    const ContextServices& services() const { return services_; }
    Phase phase() const { return phase_; }
    const Subject& subject() const { return subject_; }
    const Node* node() const { return subject_.node; }
    Captured* captured() const { return captured_; }
    NodeRun* run() const { return run_; }
    Session* session() const { return run_ == nullptr ? nullptr : run_->session; }
    const Resolve& resolve() const { return resolve_; }
    const ResolveSource& resolve_source() const { return resolve_source_; }
    Error error(std::string message) const;
    // Runs a statement of the templates, as the project wants it to be sent; one that is refused is noted in the run.
    // REQUIRES: there is a session
    Result<QueryResult> execute(Statement statement) const;
    Result<std::vector<Session::ResultColumn>> describe(const std::string& sql) const;

private:
    const ContextServices& services_;
    const Phase phase_;
    const Subject subject_;
    Captured* captured_ = nullptr;
    NodeRun* run_ = nullptr;
    Resolve resolve_;
    ResolveSource resolve_source_;
    jinja::Ref<jinja::Dict> vars_;
    std::vector<std::pair<std::string, jinja::Value>> names_;
    mutable std::vector<std::optional<jinja::Value>> made_;  // by the index of the entry
};

// The scope that a template runs in. REQUIRES: it is a NodeScope
const NodeScope& scope_of(jinja::Vm& vm);

// The parts of the context, one file each.
std::span<const ContextEntry> base_entries();
std::span<const ContextEntry> project_entries();
std::span<const ContextEntry> reference_entries();
std::span<const ContextEntry> config_entries();
std::span<const ContextEntry> result_entries();
std::span<const ContextEntry> adapter_entries();

// A macro as a value that can be called.
jinja::Value macro_value(const Macro& macro);
// The macros of a package as a value: package.macro(...).
std::optional<jinja::Value> package_value(const NodeScope& scope, std::string_view package);

inline constexpr std::string_view kBuiltinPackage = "dbt";

}  // namespace shaduf::models
