#include "models/context/relations.h"

#include <algorithm>

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Ref;
using jinja::Value;

void apply(RelationPolicy& policy, const Value& quoting) {
    if (quoting.kind() != Kind::dict) return;
    const auto part = [&](std::string_view name, bool& target) {
        const Value* value = quoting.dict().find(name);
        if (value != nullptr && !value->is_none()) target = value->truth();
    };
    part("database", policy.database);
    part("schema", policy.schema);
    part("identifier", policy.identifier);
}

Relation::Parts parts_of(const ContextServices& services, const Node& node) {
    Relation::Parts parts;
    parts.path = {node.database, node.schema, node.alias};
    parts.quoted = services.quoting;
    apply(parts.quoted, node.config.get("quoting"));
    parts.included = services.adapter.relation_style().included;
    return parts;
}

// --empty and --sample bear on what a model reads.
void limit(const NodeScope& scope, const NodeConfig& target, Relation::Parts& parts) {
    const ContextServices& services = scope.services();
    if (services.is_empty_run) parts.limit = 0;
    const std::string event_time = target.text("event_time");
    const Node* node = scope.node();
    const bool reads_by_time =
        node != nullptr && (node->type == ResourceType::model || node->type == ResourceType::snapshot);
    if (services.sample && !event_time.empty() && reads_by_time) {
        parts.event_time_filter = services.sample;
        parts.event_time_filter->field = event_time;
    }
}

Result<Value> relation_value(const ContextServices& services, Relation::Parts parts) {
    const auto relation = TRY(Relation::create(services.adapter.relation_style(), std::move(parts)));
    return Value(Ref<jinja::Object>(relation.get()));
}

}  // namespace

Result<Value> own_relation(const NodeScope& scope) {
    Relation::Parts parts;
    parts.quoted = scope.services().quoting;
    if (scope.node() != nullptr) parts = parts_of(scope.services(), *scope.node());
    return relation_value(scope.services(), std::move(parts));
}

Result<Value> node_relation(const NodeScope& scope, const Node& node) {
    Relation::Parts parts = parts_of(scope.services(), node);
    limit(scope, node.config, parts);
    return relation_value(scope.services(), std::move(parts));
}

// The project's quoting does not hold for sources.
Result<Value> source_relation(const NodeScope& scope, const SourceTable& source) {
    Relation::Parts parts;
    parts.path = {source.database, source.schema, source.identifier};
    parts.quoted = scope.services().adapter.relation_style().quoted;
    apply(parts.quoted, source.quoting);
    parts.included = scope.services().adapter.relation_style().included;
    limit(scope, source.config, parts);
    const Value external = source.meta.kind() == Kind::dict && source.meta.dict().find("external_location") != nullptr
                               ? *source.meta.dict().find("external_location")
                               : source.config.get("external_location");
    if (external.is_string()) {
        std::string location = external.string();
        const auto replace = [&](const std::string& name, const std::string& value) {
            for (size_t at = location.find(name); at != std::string::npos;
                 at = location.find(name, at + value.size())) {
                location.replace(at, name.size(), value);
            }
        };
        replace("{name}", source.name);
        replace("{identifier}", source.identifier);
        replace("{schema}", source.schema);
        const bool is_sql = location.find('(') != std::string::npos || location.starts_with('\'');
        parts.external = is_sql ? location : "'" + location + "'";
    }
    return relation_value(scope.services(), std::move(parts));
}

Result<Value> ephemeral_relation(const NodeScope& scope, const Node& node) {
    Relation::Parts parts;
    parts.path.identifier = std::string(kEphemeralPrefix) + node.alias;
    parts.type = RelationType::cte;
    parts.quoted.identifier = false;
    limit(scope, node.config, parts);
    return relation_value(scope.services(), std::move(parts));
}

std::string relation_name(const ContextServices& services, const Node& node) {
    return Relation(services.adapter.relation_style(), parts_of(services, node)).render();
}

}  // namespace shaduf::models
