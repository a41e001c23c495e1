#include "models/context/adapter_object.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/context/response.h"

namespace shaduf::models {

using jinja::Arguments;
using jinja::Kind;
using jinja::Object;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

namespace {

// adapter.behavior.<flag>: what dbt_project.yml says under `flags`; one that is not there is off.
class BehaviorFlags final : public Object {
public:
    explicit BehaviorFlags(Ref<jinja::Dict> flags) : flags_(std::move(flags)) {}
    std::string_view type_name() const override { return "Behavior"; }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        const Value* set = flags_ ? flags_->find(name) : nullptr;
        const bool is_on = set != nullptr && set->truth();
        auto flag = jinja::make<jinja::Dict>();
        flag->set("name", name);
        flag->set("setting", is_on);
        flag->set("no_warn", is_on);
        return std::optional(Value(flag));
    }

private:
    const Ref<jinja::Dict> flags_;
};

}  // namespace

std::span<const AdapterObject::Method> AdapterObject::methods() {
    static constexpr std::array<Method, 38> kMethods = {{
        {"type", &AdapterObject::call_type},
        {"dispatch", &AdapterObject::call_dispatch},
        {"quote", &AdapterObject::call_quote},
        {"quote_as_configured", &AdapterObject::call_quote_as_configured},
        {"quote_seed_column", &AdapterObject::call_quote_seed_column},
        {"execute", &AdapterObject::call_execute},
        {"add_query", &AdapterObject::call_add_query},
        {"commit", &AdapterObject::call_commit},
        {"convert_type", &AdapterObject::call_convert_type},
        {"valid_incremental_strategies", &AdapterObject::call_incremental_strategies},
        {"get_incremental_strategy_macro", &AdapterObject::call_incremental_macro},
        {"get_column_schema_from_query", &AdapterObject::call_column_schema},
        {"get_relation", &AdapterObject::call_get_relation},
        {"list_relations", &AdapterObject::call_list_relations},
        {"list_relations_without_caching", &AdapterObject::call_list_uncached},
        {"list_schemas", &AdapterObject::call_list_schemas},
        {"check_schema_exists", &AdapterObject::call_check_schema_exists},
        {"get_columns_in_relation", &AdapterObject::call_get_columns},
        {"get_columns_in_table", &AdapterObject::call_get_columns},
        {"get_missing_columns", &AdapterObject::call_missing_columns},
        {"expand_target_column_types", &AdapterObject::call_expand_columns},
        {"drop_relation", &AdapterObject::call_drop_relation},
        {"rename_relation", &AdapterObject::call_rename_relation},
        {"truncate_relation", &AdapterObject::call_truncate_relation},
        {"create_schema", &AdapterObject::call_create_schema},
        {"drop_schema", &AdapterObject::call_drop_schema},
        {"cache_added", &AdapterObject::call_cache_added},
        {"cache_dropped", &AdapterObject::call_cache_dropped},
        {"cache_renamed", &AdapterObject::call_cache_renamed},
        {"already_exists", &AdapterObject::call_already_exists},
        {"render_raw_columns_constraints", &AdapterObject::call_column_constraints},
        {"render_raw_model_constraints", &AdapterObject::call_model_constraints},
        {"standardize_grants_dict", &AdapterObject::call_standardize_grants},
        {"valid_snapshot_target", &AdapterObject::call_valid_snapshot},
        {"assert_valid_snapshot_target_given_strategy", &AdapterObject::call_valid_snapshot},
        {"get_hard_deletes_behavior", &AdapterObject::call_hard_deletes},
        {"build_catalog_relation", &AdapterObject::call_nothing},
        {"warn_once", &AdapterObject::call_warn_once},
    }};
    return kMethods;
}

// What only this kind of database has comes first, so that it may also replace what all have.
Result<std::optional<Value>> AdapterObject::call_method(Vm& vm, std::string_view name,
                                                        const Arguments& arguments) const {
    const AdapterCall call = {vm, scope_.session(), arguments};
    if (auto value = TRY(scope_.services().adapter.call_method(name, call))) return value;
    return HostObject<AdapterObject>::call_method(vm, name, arguments);
}

Result<std::optional<Value>> AdapterObject::property(Vm&, std::string_view name) const {
    const ContextServices& services = scope_.services();
    if (name == "Relation") {
        return std::optional(
            Value(Ref<Object>(new RelationClass(services.adapter.relation_style(), services.quoting))));
    }
    if (name == "Column") return std::optional(Value(Ref<Object>(new ColumnClass(services.adapter.column_style()))));
    if (name == "config") {
        auto quoting = jinja::make<jinja::Dict>();
        quoting->set("database", services.quoting.database);
        quoting->set("schema", services.quoting.schema);
        quoting->set("identifier", services.quoting.identifier);
        auto config = jinja::make<jinja::Dict>();
        config->set("quoting", quoting);
        config->set("credentials", services.target);
        config->set("project_name", services.root_package);
        return std::optional(Value(config));
    }
    if (name == "behavior") return std::optional(Value(Ref<Object>(new BehaviorFlags(services.project_flags))));
    return std::optional<Value>();
}

Result<Value> AdapterObject::call_named_macro(Vm& vm, std::string_view name,
                                              std::span<const jinja::NamedValue> arguments) const {
    const Macro* macro = scope_.find_macro(name);
    if (macro == nullptr) return scope_.error("dbt could not find a macro with the name \"" + std::string(name) + "\"");
    return scope_.call_macro(vm, *macro, {{}, arguments});
}

Result<Value> AdapterObject::call_type(Vm&, const Arguments&) const { return Value(scope_.services().adapter.type()); }

// The first macro there is of <prefix>__<name>, by packages of the search order, then prefixes from the adapter's own
// to `default`.
Result<Value> AdapterObject::call_dispatch(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 3> parameters = {
        {{"macro_name"}, {"macro_namespace", Value::none()}, {"packages", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("dispatch", parameters, arguments));
    const std::string name = values[0].text();
    if (const size_t dot = name.find('.'); dot != std::string::npos) {
        return scope_.error("In adapter.dispatch, got a macro name of \"" + name +
                            "\", but \".\" is not a valid macro "
                            "name component. Did you mean `adapter.dispatch(\"" +
                            name.substr(dot + 1) + "\", macro_namespace=\"" + name.substr(0, dot) + "\")`?");
    }
    if (!values[2].is_none()) {
        return scope_.error(
            "The \"packages\" argument of adapter.dispatch() is not supported any more. Use the "
            "\"macro_namespace\" argument instead. Called for: " +
            name);
    }
    if (!values[1].is_none() && !values[1].is_string()) {
        return scope_.error("In adapter.dispatch, macro_namespace should be None or a string, got " + values[1].repr());
    }
    const ContextServices& services = scope_.services();
    std::vector<std::string> packages = {""};
    if (values[1].is_string()) {
        const std::string& wanted = values[1].string();
        const auto order = services.dispatch.find(wanted);
        const auto& all = services.packages;
        if (order != services.dispatch.end())
            packages = order->second;
        else if (std::find(all.begin(), all.end(), wanted) != all.end())
            packages = {services.root_package, wanted};
    }
    std::vector<std::string> prefixes = services.adapter.lineage();
    prefixes.emplace_back("default");
    std::string tried;
    for (const std::string& package : packages) {
        for (const std::string& prefix : prefixes) {
            const std::string full = prefix + "__" + name;
            if (const Macro* macro = scope_.find_macro(package, full)) return macro_value(*macro);
            tried += (tried.empty() ? "'" : ", '") + (package.empty() ? "" : package + ".") + full + "'";
        }
    }
    return scope_.error("In dispatch: No macro named '" + name + "' found within namespace: '" + values[1].text() +
                        "'\n    Searched for: " + tried);
}

Result<Value> AdapterObject::call_quote(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"identifier"}}};
    const char quote = scope_.services().adapter.relation_style().quote;
    return Value(quote + TRY(jinja::bind_arguments("quote", parameters, arguments))[0].text() + quote);
}

Result<Value> AdapterObject::call_quote_as_configured(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"identifier"}, {"quote_key"}}};
    const auto values = TRY(jinja::bind_arguments("quote_as_configured", parameters, arguments));
    const RelationPolicy& quoting = scope_.services().quoting;
    const std::string part = values[1].text();
    const bool is_quoted = part == "database" ? quoting.database
                           : part == "schema" ? quoting.schema
                                              : quoting.identifier;
    const char quote = scope_.services().adapter.relation_style().quote;
    return is_quoted ? Value(quote + values[0].text() + quote) : values[0];
}

Result<Value> AdapterObject::call_quote_seed_column(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"column"}, {"quote_config", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("quote_seed_column", parameters, arguments));
    if (values[1].kind() != Kind::boolean && !values[1].is_none() && !values[1].is_undefined()) {
        return scope_.error("The seed configuration value of \"quote_columns\" has an invalid type " +
                            std::string(values[1].type_name()) + "; it must be true or false");
    }
    const bool is_quoted = values[1].kind() != Kind::boolean || values[1].boolean();
    const char quote = scope_.services().adapter.relation_style().quote;
    return is_quoted ? Value(quote + values[0].text() + quote) : values[0];
}

Result<Value> AdapterObject::call_execute(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 4> parameters = {
        {{"sql"}, {"auto_begin", Value(false)}, {"fetch", Value(false)}, {"limit", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("execute", parameters, arguments));
    if (is_parsing()) {
        return Value::tuple({Value(""), Value(Ref<Object>(new Table()))});
    }
    Session& session = *scope_.session();
    if (values[1].truth() && !session.in_transaction()) TRY(session.begin());
    Statement statement = {.sql = values[0].text(), .fetch = values[2].truth() ? Fetch::rows : Fetch::nothing};
    if (values[3].kind() == Kind::integer) statement.rows_max = values[3].integer();
    QueryResult result = TRY(scope_.execute(std::move(statement)));
    return Value::tuple({response_value(std::move(result.message), std::move(result.code), result.rows_affected),
                         Value(Ref<Object>(result.table.get()))});
}

Result<Value> AdapterObject::call_add_query(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 4> parameters = {
        {{"sql"}, {"auto_begin", Value(true)}, {"bindings", Value::none()}, {"abridge_sql_log", Value(false)}}};
    const auto values = TRY(jinja::bind_arguments("add_query", parameters, arguments));
    if (is_parsing()) return Value::none();
    Session& session = *scope_.session();
    if (values[1].truth() && !session.in_transaction()) TRY(session.begin());
    Statement statement = {.sql = values[0].text()};
    if (values[2].kind() == Kind::list || values[2].kind() == Kind::tuple) statement.bindings = values[2].items();
    TRY(scope_.execute(std::move(statement)));
    return Value::none();
}

Result<Value> AdapterObject::call_commit(Vm&, const Arguments&) const {
    if (!is_parsing()) TRY(scope_.session()->commit());
    return Value::none();
}

Result<Value> AdapterObject::call_nothing(Vm&, const Arguments&) const { return Value::none(); }

Result<Value> AdapterObject::call_warn_once(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"msg"}}};
    const auto values = TRY(jinja::bind_arguments("warn_once", parameters, arguments));
    if (!is_parsing()) scope_.services().messages.message(MessageSink::Level::warning, values[0].text());
    return Value::none();
}

Result<Value> AdapterObject::call_convert_type(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"agate_table"}, {"col_idx"}}};
    const auto values = TRY(jinja::bind_arguments("convert_type", parameters, arguments));
    const auto* table = values[0].object_as<Table>();
    if (table == nullptr || values[1].kind() != Kind::integer || values[1].integer() < 0 ||
        static_cast<size_t>(values[1].integer()) >= table->names().size()) {
        return scope_.error("convert_type() takes a table and the number of one of its columns");
    }
    const auto column = static_cast<size_t>(values[1].integer());
    size_t width = 0;
    for (const Table::Row& row : table->rows()) {
        if (row[column].is_string()) width = std::max(width, row[column].string().size());
    }
    return Value(scope_.services().adapter.seed_type(table->types()[column], width));
}

Result<Value> AdapterObject::call_incremental_strategies(Vm&, const Arguments&) const {
    const auto strategies = scope_.services().adapter.incremental_strategies();
    return Value::list(std::vector<Value>(strategies.begin(), strategies.end()));
}

Result<Value> AdapterObject::call_incremental_macro(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"model_context"}, {"strategy"}}};
    const auto values = TRY(jinja::bind_arguments("get_incremental_strategy_macro", parameters, arguments));
    if (is_parsing()) return Value::none();
    std::string strategy = values[1].truth() ? values[1].text() : "default";
    constexpr std::array<std::string_view, 5> kBuiltIn = {"append", "delete+insert", "merge", "insert_overwrite",
                                                          "microbatch"};
    const auto known = scope_.services().adapter.incremental_strategies();
    const bool is_built_in = std::find(kBuiltIn.begin(), kBuiltIn.end(), strategy) != kBuiltIn.end();
    if (is_built_in && std::find(known.begin(), known.end(), strategy) == known.end()) {
        return scope_.error("The incremental strategy '" + strategy + "' is not valid for this adapter");
    }
    std::replace(strategy.begin(), strategy.end(), '+', '_');
    const std::string name = "get_incremental_" + strategy + "_sql";
    const Macro* macro = scope_.find_macro(name);
    if (macro != nullptr) return macro_value(*macro);
    return scope_.error("dbt could not find an incremental strategy macro with the name \"" + name + "\" in " +
                        scope_.services().root_package);
}

Result<Value> AdapterObject::call_column_schema(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"sql"}}};
    const auto values = TRY(jinja::bind_arguments("get_column_schema_from_query", parameters, arguments));
    std::vector<Value> columns;
    if (is_parsing()) return Value::list(std::move(columns));
    const ColumnStyle& style = scope_.services().adapter.column_style();
    for (auto& column : TRY(scope_.describe(values[0].text()))) {
        Column::Parts parts;
        parts.name = std::move(column.name);
        parts.type = Column::translate_type(style, column.kind.empty() ? column.type : column.kind);
        columns.emplace_back(Ref<Object>(new Column(style, std::move(parts))));
    }
    return Value::list(std::move(columns));
}

namespace {

Result<Value> make_adapter(const NodeScope& scope) { return Value(Ref<Object>(new AdapterObject(scope))); }

Result<Value> make_api(const NodeScope& scope) {
    const ContextServices& services = scope.services();
    auto api = jinja::make<jinja::Dict>();
    api->set("Relation", Ref<Object>(new RelationClass(services.adapter.relation_style(), services.quoting)));
    api->set("Column", Ref<Object>(new ColumnClass(services.adapter.column_style())));
    return Value(api);
}

Result<Value> make_column(const NodeScope& scope) {
    return Value(Ref<Object>(new ColumnClass(scope.services().adapter.column_style())));
}

Result<Value> make_sql_now(const NodeScope& scope) { return Value(scope.services().adapter.now_function()); }

}  // namespace

std::span<const ContextEntry> adapter_entries() {
    static constexpr std::array<ContextEntry, 4> kEntries = {
        {{"adapter", make_adapter}, {"api", make_api}, {"column", make_column}, {"sql_now", make_sql_now}}};
    return kEntries;
}

}  // namespace shaduf::models
