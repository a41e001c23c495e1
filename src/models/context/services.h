#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/vm.h"
#include "models/adapter/adapter.h"
#include "models/adapter/relation_cache.h"
#include "models/context/batch.h"
#include "models/manifest.h"

namespace shaduf {
struct RunContext;
}

namespace shaduf::models {

class ReadNotes;
class Secrets;
class StatementComment;

// Values of vars, found as dbt does: the command line, the root project (for the package, then for all), the package.
class VarLookup {
public:
    virtual ~VarLookup() = default;
    // As written: a text may hold Jinja still.
    virtual std::optional<jinja::Value> find(std::string_view package, std::string_view name) const = 0;
};

// Where templates' messages go. Thread-safe.
class MessageSink {
public:
    enum class Level : uint8_t { debug, info, warning };
    virtual ~MessageSink() = default;
    virtual void message(Level level, const std::string& text) = 0;
    virtual void print(const std::string& text) = 0;  // for people, whatever the level
};

// --defer: where models are in the state that was given, by unique id. Empty: nothing is deferred.
struct Deferral {
    std::map<std::string, RelationPath, std::less<>> relations = {};
    bool favors_state = false;
};

// What became of the batches of a model in the run that a retry goes on with.
struct BatchHistory {
    std::vector<TimeSpan> successful, failed;
};

// What the templates of one command have in common. Made once and immutable, but for what guards itself; outlives all
// scopes.
struct ContextServices {
    RunContext& run;
    Adapter& adapter;
    RelationCache& relations;
    const VarLookup& vars;
    MessageSink& messages;
    const MacroIndex& macros;
    // While parsing, nothing can be looked up in it but macros.
    const Manifest& manifest;

    std::string root_package = {};
    std::string project_root = {};                                               // folder of the root project
    std::string target_path = "target";                                          // below it, unless absolute
    std::vector<std::string> packages = {};                                      // all, the root first
    std::map<std::string, std::vector<std::string>, std::less<>> dispatch = {};  // macro_namespace -> search_order
    RelationPolicy quoting = {};
    jinja::Ref<jinja::Dict> target = {};           // `target` of the context
    jinja::Ref<jinja::Dict> flags = {};            // FULL_REFRESH, WHICH, ...
    jinja::Ref<jinja::Dict> project_flags = {};    // of dbt_project.yml
    jinja::Ref<jinja::Dict> invocation_args = {};  // invocation_args_dict
    std::string invocation_id = {};
    jinja::Value run_started_at = {};
    std::vector<std::string> selected = {};  // unique ids: selected_resources
    Deferral deferral = {};
    bool is_empty_run = false;                // --empty: inputs have no rows
    std::optional<TimeSpan> sample = {};      // --sample: inputs of that time only
    std::optional<TimeSpan> event_time = {};  // --event-time-start and -end: of microbatch models
    std::map<std::string, BatchHistory, std::less<>> batch_history =
        {};  // by unique id: only the failed ones run again
    int threads = 1;
    // Environment variables, with --vars of unit tests before them.
    std::function<std::optional<std::string>(const std::string&)> env = {};
    std::shared_ptr<const Secrets> secrets = {};           // nullptr: there are none
    std::shared_ptr<const StatementComment> comment = {};  // nullptr: statements have none
    ReadNotes* notes = nullptr;                            // while the project is parsed
};

}  // namespace shaduf::models
