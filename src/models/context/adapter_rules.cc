#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "models/context/adapter_object.h"

// The methods of `adapter` that follow rules of dbt's and ask no database: constraints as DDL, grants, snapshots.
namespace shaduf::models {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Parameter;
using jinja::Value;
using jinja::Vm;

namespace {

std::string member(const Dict& dict, std::string_view key) {
    const Value* value = dict.find(key);
    return value == nullptr || value->is_none() || value->is_undefined() ? std::string() : value->text();
}

std::string joined(const Dict& dict, std::string_view key) {
    const Value* list = dict.find(key);
    std::vector<std::string> texts;
    if (list != nullptr && list->kind() == Kind::list) {
        for (const Value& item : list->items()) texts.push_back(item.text());
    }
    return join(texts, ", ");
}

// "" for one that cannot be written.
std::string column_constraint(const Adapter& adapter, const Dict& constraint) {
    const std::string type = member(constraint, "type");
    const std::string expression = member(constraint, "expression");
    if (type == "check") return expression.empty() ? "" : "check (" + expression + ")";
    if (type == "custom") return expression;
    std::string text;
    if (type == "not_null") text = "not null " + expression;
    if (type == "unique") text = "unique " + expression;
    if (type == "primary_key") text = "primary key " + expression;
    if (type == "foreign_key") {
        const std::string to = adapter.foreign_key_target(member(constraint, "to"));
        const std::string columns = joined(constraint, "to_columns");
        if (!to.empty() && !columns.empty())
            text = "references " + to + " (" + columns + ")";
        else if (!expression.empty())
            text = "references " + expression;
    }
    return std::string(trim(text));
}

std::string model_constraint(const Adapter& adapter, const Dict& constraint) {
    const std::string type = member(constraint, "type");
    const std::string expression = member(constraint, "expression");
    const std::string name = member(constraint, "name");
    const std::string prefix = name.empty() ? "" : "constraint " + name + " ";
    const std::string columns = joined(constraint, "columns");
    const std::string spaced = expression.empty() ? "" : " " + expression;
    if (type == "check" && !expression.empty()) return prefix + "check (" + expression + ")";
    if (type == "unique") return prefix + "unique" + spaced + " (" + columns + ")";
    if (type == "primary_key") return prefix + "primary key" + spaced + " (" + columns + ")";
    if (type == "foreign_key") {
        const std::string to = adapter.foreign_key_target(member(constraint, "to"));
        const std::string to_columns = joined(constraint, "to_columns");
        if (!to.empty() && !to_columns.empty()) {
            return prefix + "foreign key (" + columns + ") references " + to + " (" + to_columns + ")";
        }
        if (!expression.empty()) return prefix + "foreign key (" + columns + ") references " + expression;
    }
    if (type == "custom" && !expression.empty()) return prefix + expression;
    return "";
}

// Tells of what the database does not enforce, unless the constraint says not to. Whether it is to be written.
bool is_supported(const ContextServices& services, const Dict& constraint) {
    const std::string type = member(constraint, "type");
    if (type == "custom") return true;
    const auto wants = [&](std::string_view key) {
        const Value* value = constraint.find(key);
        return value == nullptr || value->is_none() || value->truth();
    };
    const ConstraintSupport support = services.adapter.constraint_support(type);
    const std::string adapter(services.adapter.type());
    if (support == ConstraintSupport::not_supported) {
        if (wants("warn_unsupported")) {
            services.messages.message(MessageSink::Level::warning,
                                      "Constraint types are not supported for " + adapter + ": " + type);
        }
        return false;
    }
    if (support == ConstraintSupport::not_enforced && wants("warn_unenforced")) {
        services.messages.message(MessageSink::Level::warning,
                                  "Constraint types are supported for " + adapter + ", but not enforced: " + type);
    }
    return true;
}

}  // namespace

Result<Value> AdapterObject::call_column_constraints(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"raw_columns"}}};
    const auto values = TRY(jinja::bind_arguments("render_raw_columns_constraints", parameters, arguments));
    std::vector<Value> lines;
    if (values[0].kind() != Kind::dict) return Value::list(std::move(lines));
    const char quote = scope_.services().adapter.relation_style().quote;
    for (const auto& [key, column] : values[0].dict().entries()) {
        if (column.kind() != Kind::dict) continue;
        const Dict& facts = column.dict();
        const Value* is_quoted = facts.find("quote");
        std::string line = member(facts, "name");
        if (is_quoted != nullptr && is_quoted->truth()) line = quote + line + quote;
        line += " " + member(facts, "data_type");
        const Value* constraints = facts.find("constraints");
        if (constraints != nullptr && constraints->kind() == Kind::list) {
            for (const Value& constraint : constraints->items()) {
                if (constraint.kind() != Kind::dict || !is_supported(scope_.services(), constraint.dict())) continue;
                const std::string text = column_constraint(scope_.services().adapter, constraint.dict());
                if (!text.empty()) line += " " + text;
            }
        }
        lines.emplace_back(line);
    }
    return Value::list(std::move(lines));
}

Result<Value> AdapterObject::call_model_constraints(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"raw_constraints"}}};
    const auto values = TRY(jinja::bind_arguments("render_raw_model_constraints", parameters, arguments));
    std::vector<Value> lines;
    if (values[0].kind() != Kind::list) return Value::list(std::move(lines));
    for (const Value& constraint : values[0].items()) {
        if (constraint.kind() != Kind::dict || !is_supported(scope_.services(), constraint.dict())) continue;
        const std::string text = model_constraint(scope_.services().adapter, constraint.dict());
        if (!text.empty()) lines.emplace_back(text);
    }
    return Value::list(std::move(lines));
}

// Rows of grantee and privilege_type -> {privilege: [grantees]}
Result<Value> AdapterObject::call_standardize_grants(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"grants_table"}}};
    const auto values = TRY(jinja::bind_arguments("standardize_grants_dict", parameters, arguments));
    const auto* table = values[0].object_as<Table>();
    auto grants = jinja::make<Dict>();
    if (table == nullptr) return Value(grants);
    const auto grantee = table->index_of("grantee");
    const auto privilege = table->index_of("privilege_type");
    if (!grantee || !privilege) return scope_.error("the grants of a relation must have grantee and privilege_type");
    for (const Table::Row& row : table->rows()) {
        if (grants->find(row[*privilege]) == nullptr) grants->set(row[*privilege], Value::list({}));
        grants->find(row[*privilege])->list().items.push_back(row[*grantee]);
    }
    return Value(grants);
}

// (relation, column_names, strategy): whether the table that is there is one that snapshots wrote.
Result<Value> AdapterObject::call_valid_snapshot(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 3> parameters = {
        {{"relation"}, {"column_names", Value::none()}, {"strategy", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("valid_snapshot_target", parameters, arguments));
    if (is_parsing()) return Value::none();
    TRY(relation_argument("valid_snapshot_target", values[0]));
    std::set<std::string> known;
    for (const auto& column : TRY(columns_of(vm, values[0]))) known.insert(to_lower(column->parts().name));
    std::vector<std::string> wanted = {"dbt_scd_id", "dbt_valid_from", "dbt_valid_to"};
    if (values[2].kind() == Kind::dict && member(values[2].dict(), "hard_deletes") == "new_record") {
        wanted.emplace_back("dbt_is_deleted");
    }
    std::vector<std::string> missing;
    for (const std::string& name : wanted) {
        const std::string column = values[1].kind() == Kind::dict ? member(values[1].dict(), name) : name;
        if (!column.empty() && !known.contains(to_lower(column))) missing.push_back(column);
    }
    if (missing.empty()) return Value::none();
    return scope_.error("Snapshot target is missing configured columns: " + join(missing, ", ") +
                        "; is the table one that a snapshot wrote?");
}

Result<Value> AdapterObject::call_hard_deletes(Vm& vm, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"config"}}};
    const auto values = TRY(jinja::bind_arguments("get_hard_deletes_behavior", parameters, arguments));
    if (is_parsing()) return Value::none();
    const auto setting = [&](std::string_view name) -> Result<Value> {
        const Value key(name);
        const std::array<Value, 1> argument = {key};
        return vm.call(TRY(vm.attribute(values[0], "get")), {argument, {}});
    };
    const Value invalidates = TRY(setting("invalidate_hard_deletes"));
    const Value behavior = TRY(setting("hard_deletes"));
    if (!invalidates.is_none() && !behavior.is_none()) {
        return scope_.error(
            "You cannot set both the invalidate_hard_deletes and hard_deletes config properties on the "
            "same snapshot.");
    }
    if (invalidates.truth() || behavior.text() == "invalidate") return Value("invalidate");
    if (behavior.is_none() || behavior.text() == "ignore") return Value("ignore");
    if (behavior.text() == "new_record") return Value("new_record");
    return scope_.error("Invalid setting for property hard_deletes: " + behavior.text() +
                        "; it must be ignore, invalidate or new_record");
}

}  // namespace shaduf::models
