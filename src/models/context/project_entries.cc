#include <array>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "models/context/contract_error.h"
#include "models/context/node_scope.h"
#include "models/context/read_notes.h"

// Names of the context that tell of the project, the target and the command: var, env_var, target, flags, log, ...
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

constexpr std::string_view kSecretPrefix = "DBT_ENV_SECRET";

// var('name', default), and var.has_var('name')
class VarObject final : public jinja::Object {
public:
    explicit VarObject(const NodeScope& scope) : scope_(scope) {}
    std::string_view type_name() const override { return "Var"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm& vm, const Arguments& arguments) const override {
        const std::array<Parameter, 2> parameters = {{{"var_name"}, {"default", Value()}}};
        const auto values = TRY(jinja::bind_arguments("var", parameters, arguments));
        const std::string name = values[0].text();
        if (auto found = TRY(scope_.variable(vm, name))) return *found;
        const bool has_default = arguments.positional.size() > 1 || arguments.find("default") != nullptr;
        if (has_default) return values[1];
        // While parsing, what is missing may be set where it counts.
        if (scope_.phase() == Phase::parse) return Value::none();
        return scope_.error("Required var '" + name + "' not found in config: give it by --vars '{" + name +
                            ": ...}' or under vars in dbt_project.yml");
    }
    Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const override {
        if (name != "has_var" || arguments.positional.empty()) return std::optional<Value>();
        return std::optional(Value(TRY(scope_.variable(vm, arguments.positional[0].text())).has_value()));
    }

private:
    const NodeScope& scope_;
};

Result<Value> make_var(const NodeScope& scope) { return Value(Ref<jinja::Object>(new VarObject(scope))); }

Result<Value> make_env_var(const NodeScope& scope) {
    return jinja::make_function("env_var", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"var"}, {"default", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("env_var", parameters, arguments));
        const std::string name = values[0].text();
        if (name.starts_with(kSecretPrefix)) {
            return scope.error("Secret env vars are allowed only in profiles.yml or packages.yml. Found '" + name +
                               "' referenced elsewhere.");
        }
        auto value = scope.services().env(name);
        if (!value && !values[1].is_none()) value = values[1].text();
        if (!value) return scope.error("Env var required but not provided: '" + name + "'");
        if (Captured* captured = scope.captured()) captured->env_vars.push_back(name);
        return Value(*value);
    });
}

Result<Value> make_log(const NodeScope& scope) {
    return jinja::make_function("log", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"msg"}, {"info", Value(false)}}};
        const auto values = TRY(jinja::bind_arguments("log", parameters, arguments));
        const auto level = values[1].truth() ? MessageSink::Level::info : MessageSink::Level::debug;
        scope.services().messages.message(level, values[0].text());
        return Value("");
    });
}

Result<Value> make_print(const NodeScope& scope) {
    return jinja::make_function("print", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"msg"}}};
        scope.services().messages.print(TRY(jinja::bind_arguments("print", parameters, arguments))[0].text());
        return Value("");
    });
}

// Another command would find another value.
void note_passing(const NodeScope& scope) {
    if (ReadNotes* notes = scope.services().notes) notes->note_passing(scope.node());
}

Result<Value> make_target(const NodeScope& scope) { return Value(scope.services().target); }
Result<Value> make_flags(const NodeScope& scope) {
    note_passing(scope);
    return Value(scope.services().flags);
}
Result<Value> make_arguments(const NodeScope& scope) {
    note_passing(scope);
    return Value(scope.services().invocation_args);
}
Result<Value> make_project_name(const NodeScope& scope) { return Value(scope.services().root_package); }
Result<Value> make_invocation_id(const NodeScope& scope) {
    note_passing(scope);
    return Value(scope.services().invocation_id);
}
Result<Value> make_started_at(const NodeScope& scope) {
    note_passing(scope);
    return scope.services().run_started_at;
}

Result<Value> make_thread_id(const NodeScope& scope) {
    note_passing(scope);
    std::ostringstream id;
    id << "Thread-" << std::this_thread::get_id();
    return Value(id.str());
}

Result<Value> make_selected(const NodeScope& scope) {
    note_passing(scope);
    const auto& selected = scope.services().selected;
    return Value::list(std::vector<Value>(selected.begin(), selected.end()));
}

std::string first_argument(const Arguments& arguments) {
    if (!arguments.positional.empty()) return arguments.positional[0].text();
    return arguments.named.empty() ? std::string() : arguments.named[0].value.text();
}

// Of the functions of `exceptions` that say what is wrong in words of their own.
Result<Value> make_exceptions(const NodeScope& scope) {
    auto exceptions = jinja::make<Dict>();
    const auto add = [&](const std::string& name, std::string begin) {
        exceptions->set(name,
                        jinja::make_function(
                            name, [&scope, begin = std::move(begin)](Vm&, const Arguments& arguments) -> Result<Value> {
                                std::string text = begin;
                                for (size_t i = 0; i < arguments.positional.size(); ++i) {
                                    text += (i == 0 ? "" : ", ") + arguments.positional[i].text();
                                }
                                if (arguments.positional.empty()) text += first_argument(arguments);
                                return scope.error(std::move(text));
                            }));
    };
    add("raise_compiler_error", "");
    add("missing_config", "Model has no config: ");
    add("missing_materialization", "No materialization was found: ");
    add("missing_relation", "Relation not found: ");
    add("raise_dependency_error", "");
    add("raise_duplicate_patch_name", "Two properties of one name: ");
    add("raise_duplicate_resource_name", "Two resources of one name: ");
    add("raise_duplicate_alias", "Two resources of one alias: ");
    add("raise_invalid_property_yml_version", "Not a version of properties: ");
    add("raise_not_implemented", "");
    add("relation_wrong_type", "Trying to create a relation where one of another type is: ");
    add("raise_ambiguous_alias", "Two relations of one alias: ");
    add("raise_ambiguous_catalog_match", "Two relations match: ");
    add("raise_cache_inconsistent", "The cache of relations is not true: ");
    add("raise_dataclass_not_dict", "Not a dict: ");
    add("column_type_missing", "Contracted models require data_type to be defined for each column. Missing: ");
    add("raise_fail_fast_error", "");
    exceptions->set(
        "raise_contract_error",
        jinja::make_function("raise_contract_error", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
            const std::array<Parameter, 2> parameters = {{{"yaml_columns"}, {"sql_columns"}}};
            const auto values = TRY(jinja::bind_arguments("raise_contract_error", parameters, arguments));
            return scope.error(contract_error_text(values[0], values[1]));
        }));
    exceptions->set("warn", jinja::make_function("warn", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
                        scope.services().messages.message(MessageSink::Level::warning, first_argument(arguments));
                        return Value("");
                    }));
    exceptions->set("warn_snapshot_timestamp_data_types",
                    jinja::make_function("warn_snapshot_timestamp_data_types",
                                         [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
                                             std::string text = "Data type of snapshot table timestamp columns";
                                             for (const Value& type : arguments.positional) text += " " + type.text();
                                             scope.services().messages.message(
                                                 MessageSink::Level::warning,
                                                 text + " differs from that of the column of updated_at");
                                             return Value("");
                                         }));
    return Value(exceptions);
}

// validation.any[...] of materializations: a check of a config's value.
class AnyValidation final : public jinja::Object {
public:
    explicit AnyValidation(std::vector<Value> allowed) : allowed_(std::move(allowed)) {}
    std::string_view type_name() const override { return "function"; }
    bool is_callable() const override { return true; }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override {
        std::vector<Value> allowed = {key};
        if (key.kind() == Kind::tuple || key.kind() == Kind::list) allowed = key.items();
        return std::optional(Value(Ref<Object>(new AnyValidation(std::move(allowed)))));
    }
    Result<Value> call(Vm&, const Arguments& arguments) const override {
        if (arguments.positional.empty() || allowed_.empty()) {
            return Value(Ref<Object>(new AnyValidation({arguments.positional.begin(), arguments.positional.end()})));
        }
        const Value& value = arguments.positional[0];
        std::string names;
        for (const Value& allowed : allowed_) {
            // A type of Python, of which templates know `string` and the like as undefined names only.
            if (allowed.is_undefined() || allowed.equals(value)) return Value::none();
            names += (names.empty() ? "" : ",") + allowed.text();
        }
        return Error(ErrorKind::invalid_config, "Expected value \"" + value.text() + "\" to be one of " + names);
    }

private:
    const std::vector<Value> allowed_;
};

Result<Value> make_validation(const NodeScope&) {
    auto validation = jinja::make<Dict>();
    validation->set("any", Ref<jinja::Object>(new AnyValidation({})));
    return Value(validation);
}

// context['name']: the scope itself as a mapping.
class ContextObject final : public jinja::Object {
public:
    explicit ContextObject(const NodeScope& scope) : scope_(scope) {}
    std::string_view type_name() const override { return "dict"; }
    Shape shape() const override { return Shape::mapping; }
    Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const override {
        return scope_.find(vm, name);
    }
    Result<std::optional<Value>> item(Vm& vm, const Value& key) const override { return scope_.find(vm, key.text()); }
    Result<std::optional<bool>> contains(Vm& vm, const Value& value) const override {
        return std::optional(TRY(scope_.find(vm, value.text())).has_value());
    }
    Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const override {
        if (name == "get" && !arguments.positional.empty()) {
            const auto found = TRY(scope_.find(vm, arguments.positional[0].text()));
            if (found) return found;
            return std::optional(arguments.positional.size() > 1 ? arguments.positional[1] : Value::none());
        }
        const auto function = TRY(scope_.find(vm, name));
        if (!function) return std::optional<Value>();
        return std::optional(TRY(vm.call(*function, arguments)));
    }

private:
    const NodeScope& scope_;
};

Result<Value> make_context(const NodeScope& scope) { return Value(Ref<jinja::Object>(new ContextObject(scope))); }

// builtins.ref(...): what the context has, whatever macros the project has of that name.
class BuiltinsObject final : public jinja::Object {
public:
    explicit BuiltinsObject(const NodeScope& scope) : scope_(scope) {}
    std::string_view type_name() const override { return "dict"; }
    Shape shape() const override { return Shape::mapping; }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        return scope_.find_builtin(name);
    }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override { return scope_.find_builtin(key.text()); }

private:
    const NodeScope& scope_;
};

Result<Value> make_builtins(const NodeScope& scope) { return Value(Ref<jinja::Object>(new BuiltinsObject(scope))); }

}  // namespace

std::span<const ContextEntry> project_entries() {
    static constexpr std::array<ContextEntry, 17> kEntries = {{
        {"var", make_var},
        {"env_var", make_env_var},
        {"log", make_log},
        {"print", make_print},
        {"target", make_target},
        {"env", make_target},
        {"flags", make_flags},
        {"invocation_args_dict", make_arguments},
        {"project_name", make_project_name},
        {"invocation_id", make_invocation_id},
        {"run_started_at", make_started_at},
        {"thread_id", make_thread_id},
        {"selected_resources", make_selected},
        {"exceptions", make_exceptions},
        {"validation", make_validation},
        {"context", make_context},
        {"builtins", make_builtins},
    }};
    return kEntries;
}

}  // namespace shaduf::models
