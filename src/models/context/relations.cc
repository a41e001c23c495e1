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

// The project's quoting does not hold for sources.
Relation::Parts parts_of(const ContextServices& services, const SourceTable& source) {
    Relation::Parts parts;
    parts.path = {source.database, source.schema, source.identifier};
    parts.quoted = services.adapter.relation_style().quoted;
    apply(parts.quoted, source.quoting);
    parts.included = services.adapter.relation_style().included;
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
    return parts;
}

// The config event_time of what is read, quoted as its column is.
std::string time_field(const NodeConfig& config, const std::vector<ColumnProperties>& columns, const Value& quoting) {
    const std::string field = config.text("event_time");
    const Value* own = quoting.kind() == Kind::dict ? quoting.dict().find("column") : nullptr;
    bool is_quoted = own != nullptr && own->truth();
    for (const ColumnProperties& column : columns) {
        if (column.name == field && column.quote) is_quoted = *column.quote;
    }
    return is_quoted && !field.empty() ? "\"" + field + "\"" : field;
}

// Which time of its inputs a node reads: its batch's, that of --sample, or what both have in common.
std::optional<TimeSpan> time_read(const NodeScope& scope) {
    const Node* node = scope.node();
    const std::optional<TimeSpan>& sample = scope.services().sample;
    const bool reads_by_time =
        node != nullptr && (node->type == ResourceType::model || node->type == ResourceType::snapshot);
    if (!reads_by_time) return std::nullopt;
    if (scope.run() == nullptr || !scope.run()->batch) return sample;
    const TimeSpan& batch = scope.run()->batch->time;
    if (!sample) return batch;
    return TimeSpan{std::max(batch.start, sample->start), std::min(batch.end, sample->end)};
}

// --empty, --sample and batches bear on what a model reads.
void limit(const NodeScope& scope, const std::string& field, Relation::Parts& parts) {
    const ContextServices& services = scope.services();
    if (services.is_empty_run) parts.limit = 0;
    if (field.empty()) return;
    if (const auto time = time_read(scope)) {
        parts.event_time_filter = {.field = field, .start = utc_text(time->start), .end = utc_text(time->end)};
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

Result<Value> relation_at(const NodeScope& scope, const Node& node, const RelationPath& path) {
    Relation::Parts parts = parts_of(scope.services(), node);
    parts.path = path;
    return relation_value(scope.services(), std::move(parts));
}

Result<Value> node_relation(const NodeScope& scope, const Node& node) {
    Relation::Parts parts = parts_of(scope.services(), node);
    limit(scope, time_field(node.config, node.columns, Value()), parts);
    return relation_value(scope.services(), std::move(parts));
}

Result<Value> function_relation(const NodeScope& scope, const Node& function) {
    const ContextServices& services = scope.services();
    Relation::Parts parts;
    parts.path = {function.database, function.schema, function.alias};
    const auto deferred = services.deferral.relations.find(function.unique_id);
    const bool is_selected =
        std::find(services.selected.begin(), services.selected.end(), function.unique_id) != services.selected.end();
    if (deferred != services.deferral.relations.end() && !is_selected) parts.path = deferred->second;
    parts.type = RelationType::function;
    parts.quoted = services.adapter.relation_style().quoted;
    parts.included = services.adapter.relation_style().included;
    return relation_value(services, std::move(parts));
}

Result<Value> source_relation(const NodeScope& scope, const SourceTable& source) {
    Relation::Parts parts = parts_of(scope.services(), source);
    limit(scope, time_field(source.config, source.columns, source.quoting), parts);
    return relation_value(scope.services(), std::move(parts));
}

Result<Value> ephemeral_relation(const NodeScope& scope, const Node& node) {
    Relation::Parts parts;
    parts.path.identifier = std::string(kEphemeralPrefix) + node.alias;
    parts.type = RelationType::cte;
    parts.quoted.identifier = false;
    limit(scope, time_field(node.config, node.columns, Value()), parts);
    return relation_value(scope.services(), std::move(parts));
}

std::string relation_name(const ContextServices& services, const Node& node) {
    return Relation(services.adapter.relation_style(), parts_of(services, node)).render();
}

std::string relation_name(const ContextServices& services, const SourceTable& source) {
    return Relation(services.adapter.relation_style(), parts_of(services, source)).render();
}

}  // namespace shaduf::models
