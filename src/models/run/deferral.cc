#include "models/run/deferral.h"

#include <algorithm>

#include "base/run_context.h"
#include "models/context/native.h"

namespace shaduf::models {
namespace {

using jinja::Value;

// Asked as templates do: the adapter's methods call macros.
constexpr std::string_view kAsk = "{{ adapter.get_relation(database_, schema_, identifier_) is none }}";

Result<bool> is_missing(const ContextServices& services, Session& session, const Node& target) {
    NodeRun run;
    run.session = &session;
    NodeScope scope(services, Phase::run, {.package = services.root_package, .label = "defer"});
    scope.run_with(run);
    scope.set("database_", target.database ? Value(*target.database) : Value::none());
    scope.set("schema_", target.schema);
    scope.set("identifier_", target.alias);
    const auto code = TRY(jinja::Template::compile(std::string(kAsk), "defer", {}));
    jinja::Vm vm(vm_options(RenderMode::text), &services.run.cancellation);
    return TRY(vm.render_value(*code, scope)).text() == "True";
}

Result<std::optional<Value>> deferred(const ContextServices& services, Session& session, const Node& target) {
    const auto known = services.deferral.relations.find(target.unique_id);
    const bool is_ephemeral = target.type == ResourceType::model && target.config.text("materialized") == "ephemeral";
    if (known == services.deferral.relations.end() || is_ephemeral) return std::optional<Value>();
    const auto& selected = services.selected;
    const bool is_favored = services.deferral.favors_state &&
                            std::find(selected.begin(), selected.end(), target.unique_id) == selected.end();
    if (!is_favored && !TRY(is_missing(services, session, target))) return std::optional<Value>();
    Relation::Parts parts;
    parts.path = known->second;
    parts.quoted = services.quoting;
    parts.included = services.adapter.relation_style().included;
    if (services.is_empty_run) parts.limit = 0;
    const auto relation = TRY(Relation::create(services.adapter.relation_style(), std::move(parts)));
    return std::optional(Value(jinja::Ref<jinja::Object>(relation.get())));
}

}  // namespace

void defer_refs(NodeScope& scope, Session& session) {
    const ContextServices& services = scope.services();
    if (services.deferral.relations.empty()) return;
    scope.resolve_refs_by(
        [&services, &session](const ModelRef&, const Node& target) { return deferred(services, session, target); });
}

}  // namespace shaduf::models
