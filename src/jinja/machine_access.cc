// x.name, x[key], x(...), x.name(...), x|name, x is name.

#include "jinja/builtins.h"
#include "jinja/machine.h"
#include "jinja/operators.h"
#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

std::string described(const Value& value) {
    if (value.is_none()) return "None";
    return std::string(value.type_name()) + " object";
}

bool goes_on(const Value& value) {
    return value.undefined_mode() == UndefinedMode::chainable || value.undefined_mode() == UndefinedMode::silent;
}

const Value* find_host(const std::vector<std::pair<std::string, Value>>& among, std::string_view name) {
    for (const auto& [known, value] : among) {
        if (known == name) return &value;
    }
    return nullptr;
}

std::optional<Value> item_of_sequence(const Value& of, int64_t index) {
    const auto size = static_cast<int64_t>(of.is_string() ? count_code_points(of.string()) : of.items().size());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return std::nullopt;
    if (!of.is_string()) return of.items()[static_cast<size_t>(index)];
    return Value(slice_code_points(of.string(), static_cast<size_t>(index), static_cast<size_t>(index) + 1));
}

}  // namespace

Result<Value> Machine::attribute(const Value& of, std::string_view name) {
    if (of.is_undefined()) {
        if (goes_on(of)) return of;
        return undefined_error(of);
    }
    if (of.kind() == Kind::object) {
        auto found = TRY(of.object().attribute(vm, name));
        if (!found) found = TRY(of.object().item(vm, Value(name)));
        if (found) return std::move(*found);
    } else if (has_builtin_method(of, name)) {
        return make_function(std::string(name),
                             [of, method = std::string(name)](Vm& caller, const Arguments& arguments) -> Result<Value> {
                                 auto result = TRY(call_builtin_method(caller, of, method, arguments));
                                 return result ? std::move(*result) : Value();
                             });
    } else if (of.kind() == Kind::dict) {
        if (const Value* found = of.dict().find(name); found != nullptr) return *found;
    }
    return undefined("'" + described(of) + "' has no attribute '" + std::string(name) + "'");
}

Result<Value> Machine::item(const Value& of, const Value& key) {
    switch (of.kind()) {
        case Kind::undefined:
            if (goes_on(of)) return of;
            return undefined_error(of);
        case Kind::object: {
            auto found = TRY(of.object().item(vm, key));
            if (!found && key.is_string()) found = TRY(of.object().attribute(vm, key.string()));
            if (found) return std::move(*found);
            break;
        }
        case Kind::dict:
            if (key.hash()) {
                if (const Value* found = of.dict().find(key); found != nullptr) return *found;
            }
            break;
        case Kind::string:
        case Kind::list:
        case Kind::tuple:
            if (key.kind() == Kind::integer || key.kind() == Kind::boolean) {
                if (auto found = item_of_sequence(of, key.whole())) return std::move(*found);
            }
            break;
        default: break;
    }
    if (key.is_string()) return attribute(of, key.string());
    return undefined(described(of) + " has no element " + key.repr());
}

Result<Value> Machine::call(const Value& callee, const Arguments& arguments) {
    if (callee.kind() == Kind::object) return callee.object().call(vm, arguments);
    if (callee.is_undefined()) {
        if (callee.undefined_mode() == UndefinedMode::silent) return callee;
        return undefined_error(callee);
    }
    return template_error("'" + std::string(callee.type_name()) + "' object is not callable");
}

Result<Value> Machine::call_method(const Value& self, std::string_view name, const Arguments& arguments) {
    if (self.kind() == Kind::object) {
        auto result = TRY(self.object().call_method(vm, name, arguments));
        if (result) return std::move(*result);
    } else if (!self.is_undefined()) {
        auto result = TRY(call_builtin_method(vm, self, name, arguments));
        if (result) return std::move(*result);
    }
    return call(TRY(attribute(self, name)), arguments);
}

Result<Value> Machine::filter(std::string_view name, const Arguments& arguments) {
    if (const Builtin* builtin = find_builtin(builtin_filters(), name)) return builtin->run(vm, arguments);
    if (const Value* host = find_host(options.filters, name)) return call(*host, arguments);
    return template_error("No filter named '" + std::string(name) + "'.");
}

Result<Value> Machine::test(std::string_view name, const Arguments& arguments) {
    if (const Builtin* builtin = find_builtin(builtin_tests(), name)) return builtin->run(vm, arguments);
    if (const Value* host = find_host(options.tests, name)) return call(*host, arguments);
    return template_error("No test named '" + std::string(name) + "'.");
}

std::string MacroObject::repr() const {
    if (closure_.function->kind != Routine::Kind::macro) return "<Macro anonymous>";
    return "<Macro '" + std::string(closure_.program->names[closure_.function->name]) + "'>";
}

Result<std::optional<Value>> MacroObject::attribute(Vm&, std::string_view name) const {
    const Routine& function = *closure_.function;
    const auto& names = closure_.program->names;
    if (name == "name") {
        const bool is_macro = function.kind == Routine::Kind::macro;
        return std::optional<Value>(is_macro ? Value(names[function.name]) : Value::none());
    }
    if (name == "arguments") {
        std::vector<Value> parameters;
        for (size_t i = 0; i < function.parameters; ++i) parameters.emplace_back(names[function.slots[i].name]);
        return std::optional<Value>(Value::tuple(std::move(parameters)));
    }
    if (name == "caller") return std::optional<Value>(Value(function.caller_slot >= 0));
    if (name == "catch_kwargs") return std::optional<Value>(Value(function.kwargs_slot >= 0));
    if (name == "catch_varargs") return std::optional<Value>(Value(function.varargs_slot >= 0));
    return std::optional<Value>();
}

std::string Namespace::repr() const {
    if (is_printing_) return "<Namespace {...}>";
    is_printing_ = true;
    std::string text = "<Namespace " + Value(values).repr() + ">";
    is_printing_ = false;
    return text;
}

Result<std::optional<Value>> Namespace::attribute(Vm&, std::string_view name) const {
    const Value* found = values->find(name);
    return found == nullptr ? std::optional<Value>() : std::optional<Value>(*found);
}

}  // namespace shaduf::jinja
