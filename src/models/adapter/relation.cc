#include "models/adapter/relation.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/text.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

constexpr const char* kViewChanges = "get_materialized_view_config_change_collection";

constexpr std::array<std::pair<RelationType, std::string_view>, 7> kTypeNames = {{
    {RelationType::table, "table"},
    {RelationType::view, "view"},
    {RelationType::cte, "cte"},
    {RelationType::materialized_view, "materialized_view"},
    {RelationType::external, "external"},
    {RelationType::pointer_table, "pointer_table"},
    {RelationType::function, "function"},
}};

// What templates ask a relation or its class for by the name of a type: relation.View.
std::optional<Value> type_constant(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, RelationType>, 7> kNames = {{
        {"Table", RelationType::table},
        {"View", RelationType::view},
        {"CTE", RelationType::cte},
        {"MaterializedView", RelationType::materialized_view},
        {"External", RelationType::external},
        {"PointerTable", RelationType::pointer_table},
        {"Function", RelationType::function},
    }};
    for (const auto& [constant, type] : kNames) {
        if (constant == name) return Value(to_string(type));
    }
    return std::nullopt;
}

void change(bool& part, const Value& value) {
    if (!value.is_none() && !value.is_undefined()) part = value.truth();
}

Result<RelationPolicy> changed_policy(std::string_view function, RelationPolicy policy, const Arguments& arguments) {
    const std::array<Parameter, 3> parameters = {
        {{"database", Value::none()}, {"schema", Value::none()}, {"identifier", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments(function, parameters, arguments));
    change(policy.database, values[0]);
    change(policy.schema, values[1]);
    change(policy.identifier, values[2]);
    return policy;
}

void change_policy(RelationPolicy& policy, const Value& parts) {
    if (parts.kind() != jinja::Kind::dict) return;
    for (const auto& [key, value] : parts.dict().entries()) {
        if (key.text() == "database") change(policy.database, value);
        if (key.text() == "schema") change(policy.schema, value);
        if (key.text() == "identifier") change(policy.identifier, value);
    }
}

void change_path(RelationPath& path, std::string_view part, const Value& value) {
    if (part == "database") path.database = optional_text(value);
    if (part == "schema") path.schema = optional_text(value);
    if (part == "identifier") path.identifier = optional_text(value);
}

Result<std::optional<RelationType>> type_of(const Value& value) {
    const auto name = optional_text(value);
    if (!name) return std::optional<RelationType>();
    const auto type = relation_type(*name);
    if (!type) {
        return Error(ErrorKind::invalid_config,
                     "not a type of relation: " + *name + "; one of table, view, materialized_view, external, cte");
    }
    return type;
}

Result<Value> scd_arguments(const Arguments& arguments) {
    const std::array<Parameter, 2> parameters = {{{"primary_key"}, {"updated_at"}}};
    const auto values = TRY(jinja::bind_arguments("scd_args", parameters, arguments));
    std::vector<Value> all;
    if (values[0].kind() == jinja::Kind::list)
        all = values[0].items();
    else
        all.push_back(values[0]);
    all.push_back(values[1]);
    return Value::list(std::move(all));
}

Result<Value> ephemeral_name(const Arguments& arguments) {
    const std::array<Parameter, 1> parameters = {{{"name"}}};
    const auto values = TRY(jinja::bind_arguments("add_ephemeral_prefix", parameters, arguments));
    return Value(std::string(kEphemeralPrefix) + values[0].text());
}

Value policy_value(const RelationPolicy& policy) {
    auto dict = jinja::make<jinja::Dict>();
    dict->set("database", policy.database);
    dict->set("schema", policy.schema);
    dict->set("identifier", policy.identifier);
    return dict;
}

std::string filter_text(const EventTimeFilter& filter) {
    std::string text;
    if (filter.start) text += filter.field + " >= '" + *filter.start + "'";
    if (filter.start && filter.end) text += " and ";
    if (filter.end) text += filter.field + " < '" + *filter.end + "'";
    return text;
}

}  // namespace

std::string_view to_string(RelationType type) {
    for (const auto& [known, name] : kTypeNames) {
        if (known == type) return name;
    }
    return "";
}

std::optional<RelationType> relation_type(std::string_view name) {
    for (const auto& [type, known] : kTypeNames) {
        if (known == name) return type;
    }
    return std::nullopt;
}

Result<Ref<Relation>> Relation::create(const RelationStyle& style, Parts parts) {
    const auto& identifier = parts.path.identifier;
    if (style.identifier_bytes_max > 0 && identifier && parts.type && identifier->size() > style.identifier_bytes_max) {
        return Error(ErrorKind::invalid_config, "Relation name '" + *identifier + "' is longer than " +
                                                    std::to_string(style.identifier_bytes_max) +
                                                    " characters; give the model a shorter alias");
    }
    return jinja::make<Relation>(style, std::move(parts));
}

std::string Relation::quoted(std::string_view name) const { return style_.quote + std::string(name) + style_.quote; }

std::string Relation::render() const {
    if (parts_.external) return *parts_.external;
    std::string text;
    const auto add = [&](const std::optional<std::string>& part, bool is_included, bool is_quoted) {
        if (!part || !is_included) return;
        if (!text.empty()) text += '.';
        text += is_quoted ? quoted(*part) : *part;
    };
    add(parts_.path.database, parts_.included.database, parts_.quoted.database);
    add(parts_.path.schema, parts_.included.schema, parts_.quoted.schema);
    add(parts_.path.identifier, parts_.included.identifier, parts_.quoted.identifier);
    if (parts_.information_view) add(parts_.information_view, true, false);
    return text;
}

std::string Relation::text() const {
    std::string text = render();
    if (parts_.type == RelationType::function) return text;
    const auto alias = [&](std::string_view what) {
        if (!style_.subquery_needs_alias) return std::string();
        return " _dbt_" + std::string(what) + "_subq_" + std::string(identifier());
    };
    if (parts_.limit) {
        const std::string limit =
            *parts_.limit == 0 ? " where false limit 0" : " limit " + std::to_string(*parts_.limit);
        text = "(select * from " + text + limit + ")" + alias("limit");
    }
    if (parts_.event_time_filter) {
        const std::string filter = filter_text(*parts_.event_time_filter);
        if (!filter.empty()) text = "(select * from " + text + " where " + filter + ")" + alias("et_filter");
    }
    return text;
}

std::string Relation::repr() const { return "<" + std::string(style_.type_name) + " " + render() + ">"; }

bool Relation::equals(const jinja::Object& other) const {
    const auto* that = dynamic_cast<const Relation*>(&other);
    return that != nullptr && parts_.path == that->parts_.path && parts_.type == that->parts_.type &&
           parts_.quoted == that->parts_.quoted && parts_.included == that->parts_.included &&
           parts_.limit == that->parts_.limit && parts_.external == that->parts_.external &&
           parts_.information_view == that->parts_.information_view;
}

size_t Relation::hash() const { return std::hash<std::string>()(render()); }

std::span<const Relation::Method> Relation::methods() {
    static constexpr std::array<Method, 16> kMethods = {{
        {"render", &Relation::call_render},
        {"render_limited", &Relation::call_render},
        {"quote", &Relation::call_quote},
        {"include", &Relation::call_include},
        {"quoted", &Relation::call_quoted},
        {"incorporate", &Relation::call_incorporate},
        {"replace_path", &Relation::call_replace_path},
        {"without_identifier", &Relation::call_without_identifier},
        {"information_schema", &Relation::call_information_schema},
        {"matches", &Relation::call_matches},
        {"get", &Relation::call_get},
        {"add_ephemeral_prefix", &Relation::call_add_ephemeral_prefix},
        {"scd_args", &Relation::call_scd_args},
        {"get_function_config", &Relation::call_function_config},
        {"get_function_macro_name", &Relation::call_function_macro_name},
        {"relation_max_name_length", &Relation::call_name_length_max},
    }};
    return kMethods;
}

Result<std::optional<Value>> Relation::property(Vm&, std::string_view name) const {
    if (name == "database") return std::optional(text_or_none(parts_.path.database));
    if (name == "schema") return std::optional(text_or_none(parts_.path.schema));
    if (name == "identifier" || name == "name" || name == "table") {
        return std::optional(text_or_none(parts_.path.identifier));
    }
    const auto is = [&](RelationType type) { return std::optional(Value(parts_.type == type)); };
    if (name == "type") return std::optional(parts_.type ? Value(to_string(*parts_.type)) : Value::none());
    if (name == "is_table") return is(RelationType::table);
    if (name == "is_view") return is(RelationType::view);
    if (name == "is_cte") return is(RelationType::cte);
    if (name == "is_materialized_view") return is(RelationType::materialized_view);
    if (name == "is_pointer") return is(RelationType::pointer_table);
    if (name == "is_function") return is(RelationType::function);
    if (name == "can_be_renamed" || name == "can_be_replaced") {
        const bool is_table_or_view = parts_.type == RelationType::table || parts_.type == RelationType::view;
        return std::optional(Value(style_.tables_and_views_are_replaceable && is_table_or_view));
    }
    if (name == "quote_policy") return std::optional(policy_value(parts_.quoted));
    if (name == "include_policy") return std::optional(policy_value(parts_.included));
    if (name == "quote_character") return std::optional(Value(std::string(1, style_.quote)));
    if (name == "limit") return std::optional(parts_.limit ? Value(*parts_.limit) : Value::none());
    if (name == "external") return std::optional(text_or_none(parts_.external));
    if (name == "information_schema_view") return std::optional(text_or_none(parts_.information_view));
    if (name == "path") {
        auto path = jinja::make<jinja::Dict>();
        path->set("database", text_or_none(parts_.path.database));
        path->set("schema", text_or_none(parts_.path.schema));
        path->set("identifier", text_or_none(parts_.path.identifier));
        return std::optional(Value(path));
    }
    if (name == kViewChanges) return view_changes_method();
    return type_constant(name);
}

std::optional<Value> Relation::view_changes_method() const {
    if (style_.materialized_view_changes == nullptr) return std::nullopt;
    return jinja::make_function(kViewChanges, [&style = style_](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"relation_results"}, {"relation_config"}}};
        const auto values = TRY(jinja::bind_arguments(kViewChanges, parameters, arguments));
        return style.materialized_view_changes(values[0], values[1]);
    });
}

Result<Value> Relation::call_render(Vm&, const Arguments&) const { return Value(render()); }

Result<Value> Relation::call_quote(Vm&, const Arguments& arguments) const {
    Parts parts = parts_;
    parts.quoted = TRY(changed_policy("quote", parts.quoted, arguments));
    return Value(Ref<Object>(new Relation(style_, std::move(parts))));
}

Result<Value> Relation::call_include(Vm&, const Arguments& arguments) const {
    Parts parts = parts_;
    parts.included = TRY(changed_policy("include", parts.included, arguments));
    return Value(Ref<Object>(new Relation(style_, std::move(parts))));
}

Result<Value> Relation::call_quoted(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"identifier"}}};
    return Value(quoted(TRY(jinja::bind_arguments("quoted", parameters, arguments))[0].text()));
}

Result<Value> Relation::call_incorporate(Vm&, const Arguments& arguments) const {
    Parts parts = parts_;
    for (const auto& [name, value] : arguments.named) {
        if (name == "path" && value.kind() == jinja::Kind::dict) {
            for (const auto& [key, part] : value.dict().entries()) change_path(parts.path, key.text(), part);
        } else if (name == "type") {
            parts.type = TRY(type_of(value));
        } else if (name == "quote_policy") {
            change_policy(parts.quoted, value);
        } else if (name == "include_policy") {
            change_policy(parts.included, value);
        } else if (name == "limit") {
            parts.limit = value.kind() == jinja::Kind::integer ? std::optional(value.integer()) : std::nullopt;
        } else if (name == "external") {
            parts.external = optional_text(value);
        } else {
            return Error(ErrorKind::invalid_config,
                         "incorporate() of a relation has no argument named so: " + std::string(name) +
                             "; it has path, type, quote_policy, "
                             "include_policy, limit, external");
        }
    }
    return Value(Ref<Object>(TRY(create(style_, std::move(parts))).get()));
}

Result<Value> Relation::call_replace_path(Vm&, const Arguments& arguments) const {
    Parts parts = parts_;
    for (const auto& [name, value] : arguments.named) change_path(parts.path, name, value);
    return Value(Ref<Object>(TRY(create(style_, std::move(parts))).get()));
}

Result<Value> Relation::call_without_identifier(Vm&, const Arguments&) const {
    Parts parts = parts_;
    parts.path.identifier.reset();
    parts.included.identifier = false;
    return Value(Ref<Object>(new Relation(style_, std::move(parts))));
}

Result<Value> Relation::call_information_schema(Vm&, const Arguments& arguments) const {
    Parts parts = parts_;
    parts.path = {parts_.path.database, std::nullopt, "INFORMATION_SCHEMA"};
    parts.type.reset();
    parts.included = {.database = parts_.path.database.has_value(), .schema = false, .identifier = true};
    parts.quoted.identifier = false;
    parts.is_information_schema = true;
    const bool has_view = !arguments.positional.empty() && arguments.positional[0].is_string();
    parts.information_view = has_view ? std::optional(arguments.positional[0].string()) : std::nullopt;
    return Value(Ref<Object>(new Relation(style_, std::move(parts))));
}

Result<Value> Relation::call_matches(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 3> parameters = {
        {{"database", Value::none()}, {"schema", Value::none()}, {"identifier", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("matches", parameters, arguments));
    const std::array<const std::optional<std::string>*, 3> own = {&parts_.path.database, &parts_.path.schema,
                                                                  &parts_.path.identifier};
    for (size_t i = 0; i < own.size(); ++i) {
        const auto wanted = optional_text(values[i]);
        if (wanted && *own[i] != wanted) return Value(false);
    }
    return Value(true);
}

Result<Value> Relation::call_get(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"key"}, {"default", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("get", parameters, arguments));
    if (values[0].text() == "metadata") {
        auto metadata = jinja::make<jinja::Dict>();
        metadata->set("type", style_.type_name);
        return Value(metadata);
    }
    return TRY(property(vm, values[0].text())).value_or(values[1]);
}

Result<Value> Relation::call_add_ephemeral_prefix(Vm&, const Arguments& arguments) const {
    return ephemeral_name(arguments);
}

Result<Value> Relation::call_scd_args(Vm&, const Arguments& arguments) const { return scd_arguments(arguments); }

// What a node of a function says of itself; none of other nodes.
Result<Value> Relation::call_function_config(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"model"}}};
    const Value model = TRY(jinja::bind_arguments("get_function_config", parameters, arguments))[0];
    const auto part = [](const Value& dict, std::string_view key) {
        const Value* found = dict.kind() == jinja::Kind::dict ? dict.dict().find(key) : nullptr;
        return found == nullptr ? Value::none() : *found;
    };
    if (part(model, "resource_type").text() != "function") return Value::none();
    const Value config = part(model, "config");
    auto dict = jinja::make<jinja::Dict>();
    dict->set("language", part(model, "language"));
    for (const std::string_view key : {"type", "runtime_version", "entry_point"}) dict->set(key, part(config, key));
    return Value(dict);
}

// scalar_function_sql, aggregate_function_python, ...
Result<Value> Relation::call_function_macro_name(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"config"}}};
    const Value config = TRY(jinja::bind_arguments("get_function_macro_name", parameters, arguments))[0];
    if (config.kind() != jinja::Kind::dict) {
        return Error(ErrorKind::invalid_config, "get_function_macro_name() takes what get_function_config() gives");
    }
    return Value(config.dict().find("type")->text() + "_function_" + config.dict().find("language")->text());
}

Result<Value> Relation::call_name_length_max(Vm&, const Arguments&) const {
    return Value(static_cast<int64_t>(style_.identifier_bytes_max));
}

std::span<const RelationClass::Method> RelationClass::methods() {
    static constexpr std::array<Method, 3> kMethods = {{
        {"create", &RelationClass::call_create},
        {"scd_args", &RelationClass::call_scd_args},
        {"add_ephemeral_prefix", &RelationClass::call_add_ephemeral_prefix},
    }};
    return kMethods;
}

Result<std::optional<Value>> RelationClass::property(Vm&, std::string_view name) const {
    if (name == "get_relation_type") {
        // relation.get_relation_type('view') and .get_relation_type.View
        return std::optional(jinja::make_function("RelationType", [](Vm&, const Arguments& arguments) -> Result<Value> {
            const auto type = arguments.positional.empty() ? std::nullopt : TRY(type_of(arguments.positional[0]));
            return type ? Value(to_string(*type)) : Value::none();
        }));
    }
    return type_constant(name);
}

Result<Value> RelationClass::call_create(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 9> parameters = {{{"database", Value::none()},
                                                  {"schema", Value::none()},
                                                  {"identifier", Value::none()},
                                                  {"type", Value::none()},
                                                  {"quote_policy", Value::none()},
                                                  {"include_policy", Value::none()},
                                                  {"limit", Value::none()},
                                                  {"external", Value::none()},
                                                  {"dbt_created", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("create", parameters, arguments));
    Relation::Parts parts;
    parts.path = {optional_text(values[0]), optional_text(values[1]), optional_text(values[2])};
    parts.type = TRY(type_of(values[3]));
    parts.quoted = quoted_;
    change_policy(parts.quoted, values[4]);
    parts.included = style_.included;
    change_policy(parts.included, values[5]);
    if (values[6].kind() == jinja::Kind::integer) parts.limit = values[6].integer();
    parts.external = optional_text(values[7]);
    return Value(Ref<Object>(TRY(Relation::create(style_, std::move(parts))).get()));
}

Result<Value> RelationClass::call_scd_args(Vm&, const Arguments& arguments) const { return scd_arguments(arguments); }

Result<Value> RelationClass::call_add_ephemeral_prefix(Vm&, const Arguments& arguments) const {
    return ephemeral_name(arguments);
}

}  // namespace shaduf::models
