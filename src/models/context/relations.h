#pragma once

#include "models/context/node_scope.h"

// Relations of resources, with the quoting and the limits of the command.
namespace shaduf::models {

// Of the node of the scope itself: `this`, and what ref() gives while parsing.
Result<jinja::Value> own_relation(const NodeScope& scope);
Result<jinja::Value> node_relation(const NodeScope& scope, const Node& node);
// The same with another path.
Result<jinja::Value> relation_at(const NodeScope& scope, const Node& node, const RelationPath& path);
// The project's quoting does not hold for functions.
Result<jinja::Value> function_relation(const NodeScope& scope, const Node& function);
Result<jinja::Value> source_relation(const NodeScope& scope, const SourceTable& source);
// The name of the CTE that an ephemeral model becomes.
Result<jinja::Value> ephemeral_relation(const NodeScope& scope, const Node& node);
// "database"."schema"."alias" as the manifest has it under relation_name.
std::string relation_name(const ContextServices& services, const Node& node);
std::string relation_name(const ContextServices& services, const SourceTable& source);

}  // namespace shaduf::models
