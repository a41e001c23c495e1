#include <array>

#include "models/context/node_scope.h"
#include "models/own_copy.h"

// `config` of the context: a call while parsing notes settings; while running, settings are read.
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

// The columns that snapshots add, by dbt's names for them: those that snapshot_meta_column_names does not name are
// called so themselves. nullopt: it names none.
std::optional<Value> snapshot_columns(const NodeConfig& config) {
    const Value own = config.get("snapshot_meta_column_names");
    if (own.kind() != Kind::dict || own.dict().entries().empty()) return std::nullopt;
    auto names = jinja::make<jinja::Dict>();
    for (const std::string_view name :
         {"dbt_valid_to", "dbt_valid_from", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted"}) {
        const Value* given = own.dict().find(name);
        names->set(name, given == nullptr || given->is_none() ? Value(name) : *given);
    }
    return Value(names);
}

class ConfigObject final : public HostObject<ConfigObject> {
public:
    explicit ConfigObject(const NodeScope& scope) : scope_(scope) {}
    std::string_view type_name() const override { return "RuntimeConfigObject"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm&, const Arguments& arguments) const override;
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 7> kMethods = {{
            {"get", &ConfigObject::call_get},
            {"require", &ConfigObject::call_require},
            {"meta_get", &ConfigObject::call_meta_get},
            {"meta_require", &ConfigObject::call_meta_require},
            {"set", &ConfigObject::call_set},
            {"persist_relation_docs", &ConfigObject::call_persist_relation_docs},
            {"persist_column_docs", &ConfigObject::call_persist_column_docs},
        }};
        return kMethods;
    }

private:
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        if (name == "model" && scope_.node() != nullptr) return scope_.find_builtin("model");
        return std::optional<Value>();
    }
    bool is_parsing() const { return scope_.phase() == Phase::parse; }
    // The setting; nullopt: neither set nor with a default.
    std::optional<Value> setting(const std::string& name) const {
        if (scope_.node() == nullptr) return std::nullopt;
        if (scope_.run() != nullptr && scope_.run()->batch) {
            if (name == "__dbt_internal_microbatch_event_time_start") return utc_value(scope_.run()->batch->time.start);
            if (name == "__dbt_internal_microbatch_event_time_end") return utc_value(scope_.run()->batch->time.end);
        }
        if (name == "snapshot_table_column_names") return snapshot_columns(scope_.node()->config);
        const Value value = scope_.node()->config.get(name);
        return value.is_undefined() ? std::nullopt : std::optional(own_copy(value));
    }
    std::optional<Value> meta(const std::string& name) const {
        const auto all = setting("meta");
        if (!all || all->kind() != Kind::dict) return std::nullopt;
        const Value* value = all->dict().find(name);
        return value == nullptr ? std::nullopt : std::optional(*value);
    }
    Result<Value> checked(Vm& vm, const Value& validator, Value value) const {
        if (!validator.is_none() && !value.is_none()) TRY(vm.call(validator, {std::span(&value, 1), {}}));
        return value;
    }
    using Find = std::optional<Value> (ConfigObject::*)(const std::string&) const;
    Result<Value> read(Vm& vm, const Arguments& arguments, Find find) const {
        const std::array<Parameter, 3> parameters = {
            {{"name"}, {"default", Value::none()}, {"validator", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("get", parameters, arguments));
        if (is_parsing()) return Value("");
        auto found = (this->*find)(values[0].text());
        // What has a default of none counts as not set.
        if (!found || (found->is_none() && !values[1].is_none())) return values[1];
        return checked(vm, values[2], std::move(*found));
    }
    Result<Value> require(Vm& vm, const Arguments& arguments, Find find) const {
        const std::array<Parameter, 2> parameters = {{{"name"}, {"validator", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("require", parameters, arguments));
        if (is_parsing()) return Value("");
        auto found = (this->*find)(values[0].text());
        if (!found) {
            return scope_.error("Model has no config named " + values[0].repr() +
                                ", which is needed here; set it by config() or in dbt_project.yml");
        }
        return checked(vm, values[1], std::move(*found));
    }
    Result<Value> call_get(Vm& vm, const Arguments& arguments) const {
        return read(vm, arguments, &ConfigObject::setting);
    }
    Result<Value> call_meta_get(Vm& vm, const Arguments& arguments) const {
        return read(vm, arguments, &ConfigObject::meta);
    }
    Result<Value> call_require(Vm& vm, const Arguments& arguments) const {
        return require(vm, arguments, &ConfigObject::setting);
    }
    Result<Value> call_meta_require(Vm& vm, const Arguments& arguments) const {
        return require(vm, arguments, &ConfigObject::meta);
    }
    Result<Value> call_set(Vm& vm, const Arguments& arguments) const {
        const std::array<Parameter, 2> parameters = {{{"name"}, {"value"}}};
        const auto values = TRY(jinja::bind_arguments("set", parameters, arguments));
        const std::string name = values[0].text();
        const jinja::NamedValue named = {name, values[1]};
        return call(vm, {{}, std::span(&named, 1)});
    }
    Result<Value> persists(std::string_view what) const {
        if (is_parsing()) return Value(false);
        const auto all = setting("persist_docs");
        if (!all || all->is_none()) return Value(false);
        if (all->kind() != Kind::dict) {
            return scope_.error("Invalid value provided for 'persist_docs'. Expected dict but received " +
                                std::string(all->type_name()));
        }
        const Value* value = all->dict().find(what);
        return value == nullptr ? Value(false) : *value;
    }
    Result<Value> call_persist_relation_docs(Vm&, const Arguments&) const { return persists("relation"); }
    Result<Value> call_persist_column_docs(Vm&, const Arguments&) const { return persists("columns"); }

    const NodeScope& scope_;
};

// config(a=1) or config({'a': 1}); hooks are known by two spellings, of which the one with a dash is kept.
Result<Value> ConfigObject::call(Vm&, const Arguments& arguments) const {
    if (!is_parsing()) return Value("");
    auto settings = jinja::make<Dict>();
    if (arguments.positional.size() == 1 && arguments.named.empty() && arguments.positional[0].kind() == Kind::dict) {
        for (const auto& [key, value] : arguments.positional[0].dict().entries()) settings->set(key, value);
    } else if (arguments.positional.empty() && !arguments.named.empty()) {
        for (const auto& [name, value] : arguments.named) settings->set(name, value);
    } else {
        return scope_.error("Invalid inline model config: config() takes settings by name, or one dict of them");
    }
    for (const auto& [old_name, name] : {std::pair("pre_hook", "pre-hook"), std::pair("post_hook", "post-hook")}) {
        const Value* old = settings->find(old_name);
        if (old == nullptr) continue;
        if (settings->find(name) != nullptr) {
            return scope_.error(std::string("config() has both ") + old_name + " and " + name + "; leave one out");
        }
        const Value value = *old;
        settings->erase(Value(old_name));
        settings->set(name, value);
    }
    if (Captured* captured = scope_.captured()) captured->config_calls.push_back(std::move(settings));
    return Value("");
}

Result<Value> make_config(const NodeScope& scope) { return Value(Ref<jinja::Object>(new ConfigObject(scope))); }
Result<Value> make_execute(const NodeScope& scope) { return Value(scope.phase() == Phase::run); }

Result<Value> hooks(const NodeScope& scope, std::string_view name) {
    if (scope.node() == nullptr || scope.node()->type == ResourceType::test) return Value::list({});
    const Value hooks = scope.node()->config.get(name);
    return hooks.kind() == Kind::list ? hooks : Value::list({});
}
Result<Value> make_pre_hooks(const NodeScope& scope) { return hooks(scope, "pre-hook"); }
Result<Value> make_post_hooks(const NodeScope& scope) { return hooks(scope, "post-hook"); }

}  // namespace

std::span<const ContextEntry> config_entries() {
    static constexpr std::array<ContextEntry, 4> kEntries = {{{"config", make_config},
                                                              {"execute", make_execute},
                                                              {"pre_hooks", make_pre_hooks},
                                                              {"post_hooks", make_post_hooks}}};
    return kEntries;
}

}  // namespace shaduf::models
