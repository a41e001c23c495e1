#include "models/run/batch_warnings.h"

#include <string>

#include "models/adapter/adapter.h"
#include "models/context/services.h"
#include "models/manifest.h"
#include "models/project/findings.h"
#include "models/run/batches.h"

namespace shaduf::models {
namespace {

constexpr size_t kNamedMax = 3;

}  // namespace

void warn_of_batches_at_once(const ContextServices& services, const Manifest& manifest, Findings& findings) {
    if (services.adapter.takes_concurrent_batches()) return;
    const jinja::Value* asks = services.project_flags->find("require_batched_execution_for_custom_microbatch_strategy");
    const bool batches_custom = asks != nullptr && asks->truth();
    std::string names;
    size_t count = 0;
    for (const auto& node : manifest.nodes) {
        const jinja::Value asked = node->config.get("concurrent_batches");
        if (asked.kind() != jinja::Kind::boolean || !asked.boolean()) continue;
        if (!runs_in_batches(*node, services.macros, services.packages, batches_custom)) continue;
        if (++count <= kNamedMax) names += (count == 1 ? "" : ", ") + node->place.original_path;
    }
    if (count == 0) return;
    if (count > kNamedMax) names += " and " + std::to_string(count - kNamedMax) + " more";
    findings.warnings.emplace_back(ErrorKind::invalid_config,
                                   "the config concurrent_batches is true, but on " +
                                       std::string(services.adapter.type()) +
                                       " the batches of a model are built one after another; take it out of " + names);
}

}  // namespace shaduf::models
