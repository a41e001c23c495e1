#include "cli/frame/models_after_loads.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "cli/frame/models.h"
#include "cli/frame/session.h"

namespace shaduf {

bool has_models() {
    std::error_code ignored;
    return std::filesystem::exists("dbt_project.yml", ignored);
}

size_t ModelsRun::done() const {
    return static_cast<size_t>(std::count_if(outcomes.begin(), outcomes.end(), [](const models::NodeOutcome& outcome) {
        return !models::is_failure(outcome.status) && outcome.status != models::NodeStatus::skipped;
    }));
}

ModelsRun run_models_after(Session& session, const std::vector<models::LoadedTable>& tables,
                           const std::vector<std::string>& others, models::Readers readers, models::Console& console,
                           bool is_quiet) {
    ModelsRun run;
    const models::NodeFilter filter = [&](models::Invocation& invocation,
                                          const std::vector<const models::Node*>& selected) {
        models::AfterLoads after = models::after_loads(invocation, selected, tables, others, readers);
        for (const models::Node* node : after.held_back) run.held_back.push_back(node->unique_id);
        if (!after.held_back.empty()) {
            console.error("not run, since they read what was not loaded (" + join(after.not_loaded, ", ") +
                          "): " + join(run.held_back, ", "));
        }
        return std::move(after.nodes);
    };
    std::vector<std::string> words = {"build"};
    if (is_quiet) words.emplace_back("--quiet");
    run.status = run_models(session, with_target(session, std::move(words)), console, filter);
    run.outcomes = console.outcomes();
    return run;
}

}  // namespace shaduf
