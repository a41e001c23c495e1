#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "models/context/adapter_object.h"

// The methods of `adapter` that ask the database what it has, or change it: by macros, with the cache kept true.
namespace shaduf::models {

using jinja::Arguments;
using jinja::Kind;
using jinja::NamedValue;
using jinja::Object;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

namespace {

Ref<Relation> shared(const Relation* relation) { return Ref<Relation>(const_cast<Relation*>(relation)); }  // NOLINT

Value value_of(const Relation& relation) { return {Ref<Object>(const_cast<Relation*>(&relation))}; }  // NOLINT: counted

}  // namespace

Result<const Relation*> AdapterObject::relation_argument(std::string_view function, const Value& value) const {
    if (const auto* relation = value.object_as<Relation>()) return relation;
    return scope_.error("'adapter." + std::string(function) + "' expects a Relation, got: " + value.repr());
}

Result<std::vector<Ref<Relation>>> AdapterObject::relations_in(Vm& vm, const std::string& database,
                                                               const std::string& schema) const {
    const auto list = [&]() -> Result<std::vector<Ref<Relation>>> {
        const RelationStyle& style = scope_.services().adapter.relation_style();
        Relation::Parts parts;
        parts.path = {database, schema, std::nullopt};
        parts.quoted = scope_.services().quoting;
        parts.included = style.included;
        parts.included.identifier = false;
        const NamedValue argument = {"schema_relation", Ref<Object>(new Relation(style, parts))};
        const Value listed = TRY(call_named_macro(vm, "list_relations_without_caching", std::span(&argument, 1)));
        const auto* table = listed.object_as<Table>();
        if (table == nullptr || table->names().size() < 4) {
            return scope_.error("list_relations_without_caching must give a table of database, name, schema and type");
        }
        std::vector<Ref<Relation>> relations;
        for (const Table::Row& row : table->rows()) {
            Relation::Parts found;
            found.path = {row[0].text(), row[2].text(), row[1].text()};
            found.type = relation_type(row[3].text()).value_or(RelationType::external);
            found.included = style.included;
            relations.push_back(jinja::make<Relation>(style, std::move(found)));
        }
        return relations;
    };
    RelationCache& cache = scope_.services().relations;
    auto relations = TRY(cache.relations(database, schema, list));
    TRY(cache.link([&] { return linked_relations(vm, database); }));
    return relations;
}

Result<std::vector<RelationCache::Link>> AdapterObject::linked_relations(Vm& vm, const std::string& database) const {
    std::vector<RelationCache::Link> links;
    const std::string_view macro = scope_.services().adapter.dependencies_macro();
    if (macro.empty()) return links;
    const Value listed = TRY(call_named_macro(vm, macro, {}));
    const auto* table = listed.object_as<Table>();
    if (table == nullptr || table->names().size() < 4) {
        return scope_.error(std::string(macro) +
                            " must give a table of dependent schema and name, referenced schema and name");
    }
    for (const Table::Row& row : table->rows()) {
        links.push_back({.dependent = {database, row[0].text(), row[1].text()},
                         .referenced = {database, row[2].text(), row[3].text()}});
    }
    return links;
}

Result<Value> AdapterObject::find_relation(Vm& vm, const std::string& database, const std::string& schema,
                                           const std::string& identifier) const {
    // Names that are not quoted are folded by the database.
    const bool is_exact = scope_.services().quoting.identifier;
    for (const auto& relation : TRY(relations_in(vm, database, schema))) {
        const std::string_view found = relation->identifier();
        const bool is_it = found == identifier || (!is_exact && equals_ignoring_case(found, identifier));
        if (is_it) return value_of(*relation);
        if (equals_ignoring_case(found, identifier)) {
            return scope_.error(
                "When searching for a relation, dbt found an approximate match. Instead of guessing which "
                "relation to use, dbt will move on. Please delete " +
                relation->render() + ", or rename it to be less ambiguous. Searched for: " + identifier);
        }
    }
    return Value::none();
}

Result<Value> AdapterObject::call_get_relation(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 3> parameters = {{{"database"}, {"schema"}, {"identifier"}}};
    const auto values = TRY(jinja::bind_arguments("get_relation", parameters, arguments));
    if (is_parsing()) return Value::none();
    return find_relation(vm, values[0].text(), values[1].text(), values[2].text());
}

Result<Value> AdapterObject::call_already_exists(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"schema"}, {"name"}}};
    const auto values = TRY(jinja::bind_arguments("already_exists", parameters, arguments));
    if (is_parsing()) return Value(false);
    const std::string database = scope_.services().target->find("database")->text();
    return Value(!TRY(find_relation(vm, database, values[0].text(), values[1].text())).is_none());
}

Result<Value> AdapterObject::call_list_relations(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"database"}, {"schema"}}};
    const auto values = TRY(jinja::bind_arguments("list_relations", parameters, arguments));
    std::vector<Value> relations;
    if (is_parsing()) return Value::list(std::move(relations));
    for (const auto& relation : TRY(relations_in(vm, values[0].text(), values[1].text()))) {
        relations.push_back(value_of(*relation));
    }
    return Value::list(std::move(relations));
}

Result<Value> AdapterObject::call_list_uncached(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"schema_relation"}}};
    const auto values = TRY(jinja::bind_arguments("list_relations_without_caching", parameters, arguments));
    if (is_parsing()) return Value::list({});
    const Relation* schema = TRY(relation_argument("list_relations_without_caching", values[0]));
    scope_.services().relations.drop_schema(std::string(schema->database()), std::string(schema->schema()));
    std::vector<Value> relations;
    for (const auto& relation : TRY(relations_in(vm, std::string(schema->database()), std::string(schema->schema())))) {
        relations.push_back(value_of(*relation));
    }
    return Value::list(std::move(relations));
}

Result<Value> AdapterObject::call_list_schemas(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"database"}}};
    const auto values = TRY(jinja::bind_arguments("list_schemas", parameters, arguments));
    if (is_parsing()) return Value::list({});
    const NamedValue argument = {"database", values[0]};
    const Value listed = TRY(call_named_macro(vm, "list_schemas", std::span(&argument, 1)));
    std::vector<Value> schemas;
    if (const auto* table = listed.object_as<Table>()) {
        for (const Table::Row& row : table->rows()) schemas.push_back(row[0]);
    }
    return Value::list(std::move(schemas));
}

Result<Value> AdapterObject::call_check_schema_exists(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"database"}, {"schema"}}};
    const auto values = TRY(jinja::bind_arguments("check_schema_exists", parameters, arguments));
    if (is_parsing()) return Value(false);
    const std::array<Value, 1> database = {values[0]};
    const Value schemas = TRY(call_list_schemas(vm, {database, {}}));
    const auto& all = schemas.items();
    return Value(std::any_of(all.begin(), all.end(), [&](const Value& schema) {
        return equals_ignoring_case(schema.text(), values[1].text());
    }));
}

Result<Value> AdapterObject::call_get_columns(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("get_columns_in_relation", parameters, arguments));
    if (is_parsing()) return Value::list({});
    const NamedValue argument = {"relation", values[0]};
    return call_named_macro(vm, "get_columns_in_relation", std::span(&argument, 1));
}

Result<std::vector<Ref<Column>>> AdapterObject::columns_of(Vm& vm, const Value& relation) const {
    const std::array<Value, 1> argument = {relation};
    const Value listed = TRY(call_get_columns(vm, {argument, {}}));
    std::vector<Ref<Column>> columns;
    if (listed.kind() != Kind::list && listed.kind() != Kind::tuple) return columns;
    for (const Value& column : listed.items()) {
        if (auto* known = column.object_as<Column>()) columns.emplace_back(known);
    }
    return columns;
}

Result<Value> AdapterObject::call_missing_columns(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"from_relation"}, {"to_relation"}}};
    const auto values = TRY(jinja::bind_arguments("get_missing_columns", parameters, arguments));
    std::vector<Value> missing;
    if (is_parsing()) return Value::list(std::move(missing));
    for (const Value& value : values) TRY(relation_argument("get_missing_columns", value));
    std::set<std::string> known;
    for (const auto& column : TRY(columns_of(vm, values[1]))) known.insert(column->parts().name);
    for (const auto& column : TRY(columns_of(vm, values[0]))) {
        if (!known.contains(column->parts().name)) missing.emplace_back(Ref<Object>(column.get()));
    }
    return Value::list(std::move(missing));
}

Result<Value> AdapterObject::call_expand_columns(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"from_relation"}, {"to_relation"}}};
    const auto values = TRY(jinja::bind_arguments("expand_target_column_types", parameters, arguments));
    if (is_parsing()) return Value::none();
    for (const Value& value : values) TRY(relation_argument("expand_target_column_types", value));
    // An engine whose texts have no length has nothing to expand.
    if (scope_.services().adapter.type() == "duckdb") return Value::none();
    const auto wanted = TRY(columns_of(vm, values[0]));
    for (const auto& column : TRY(columns_of(vm, values[1]))) {
        const auto wider = std::find_if(wanted.begin(), wanted.end(), [&](const auto& other) {
            return other->parts().name == column->parts().name && column->can_expand_to(*other);
        });
        if (wider == wanted.end()) continue;
        const std::string type = "character varying(" + std::to_string((*wider)->string_size()) + ")";
        const std::array<NamedValue, 3> change = {
            {{"relation", values[1]}, {"column_name", Value(column->parts().name)}, {"new_column_type", Value(type)}}};
        TRY(call_named_macro(vm, "alter_column_type", change));
    }
    return Value::none();
}

Result<Value> AdapterObject::call_drop_relation(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("drop_relation", parameters, arguments));
    if (is_parsing()) return Value::none();
    const Relation* relation = TRY(relation_argument("drop_relation", values[0]));
    if (!relation->parts().type) {
        return scope_.error("Tried to drop relation " + relation->render() + ", but its type is null");
    }
    scope_.services().relations.drop(*relation);
    const NamedValue argument = {"relation", values[0]};
    TRY(call_named_macro(vm, "drop_relation", std::span(&argument, 1)));
    return Value::none();
}

Result<Value> AdapterObject::call_rename_relation(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"from_relation"}, {"to_relation"}}};
    const auto values = TRY(jinja::bind_arguments("rename_relation", parameters, arguments));
    if (is_parsing()) return Value::none();
    const Relation* from = TRY(relation_argument("rename_relation", values[0]));
    const Relation* to = TRY(relation_argument("rename_relation", values[1]));
    scope_.services().relations.rename(*from, shared(to));
    const std::array<NamedValue, 2> named = {{{"from_relation", values[0]}, {"to_relation", values[1]}}};
    TRY(call_named_macro(vm, "rename_relation", named));
    return Value::none();
}

Result<Value> AdapterObject::call_truncate_relation(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("truncate_relation", parameters, arguments));
    if (is_parsing()) return Value::none();
    const NamedValue argument = {"relation", values[0]};
    TRY(call_named_macro(vm, "truncate_relation", std::span(&argument, 1)));
    return Value::none();
}

Result<Value> AdapterObject::call_create_schema(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("create_schema", parameters, arguments));
    if (is_parsing()) return Value::none();
    const NamedValue argument = {"relation", values[0]};
    TRY(call_named_macro(vm, "create_schema", std::span(&argument, 1)));
    TRY(scope_.session()->commit());
    return Value::none();
}

Result<Value> AdapterObject::call_drop_schema(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("drop_schema", parameters, arguments));
    if (is_parsing()) return Value::none();
    const Relation* relation = TRY(relation_argument("drop_schema", values[0]));
    const NamedValue argument = {"relation", values[0]};
    TRY(call_named_macro(vm, "drop_schema", std::span(&argument, 1)));
    TRY(scope_.session()->commit());
    scope_.services().relations.drop_schema(std::string(relation->database()), std::string(relation->schema()));
    return Value::none();
}

Result<Value> AdapterObject::call_cache_added(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("cache_added", parameters, arguments));
    scope_.services().relations.add(shared(TRY(relation_argument("cache_added", values[0]))));
    return Value("");
}

Result<Value> AdapterObject::call_cache_dropped(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"relation"}}};
    const auto values = TRY(jinja::bind_arguments("cache_dropped", parameters, arguments));
    scope_.services().relations.drop(*TRY(relation_argument("cache_dropped", values[0])));
    return Value("");
}

Result<Value> AdapterObject::call_cache_renamed(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"from_relation"}, {"to_relation"}}};
    const auto values = TRY(jinja::bind_arguments("cache_renamed", parameters, arguments));
    const Relation* from = TRY(relation_argument("cache_renamed", values[0]));
    scope_.services().relations.rename(*from, shared(TRY(relation_argument("cache_renamed", values[1]))));
    return Value("");
}

}  // namespace shaduf::models
