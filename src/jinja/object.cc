#include "jinja/object.h"

#include <functional>

#include "jinja/operators.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

class FunctionObject final : public Object {
public:
    FunctionObject(std::string name, jinja::Function function)
        : name_(std::move(name)), function_(std::move(function)) {}
    std::string_view type_name() const override { return "function"; }
    std::string repr() const override { return "<function " + name_ + ">"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm& vm, const Arguments& arguments) const override { return function_(vm, arguments); }

private:
    std::string name_;
    jinja::Function function_;
};

std::string quoted_list(std::span<const std::string> names) {
    std::string text;
    for (size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += "'" + names[i] + "'";
    }
    return text;
}

}  // namespace

const Value* Arguments::find(std::string_view name) const {
    for (const auto& argument : named) {
        if (argument.name == name) return &argument.value;
    }
    return nullptr;
}

Result<std::vector<Value>> bind_arguments(std::string_view function, std::span<const Parameter> parameters,
                                          const Arguments& arguments) {
    const std::string name(function);
    if (arguments.positional.size() > parameters.size()) {
        return template_error(name + "() takes " + std::to_string(parameters.size()) + " positional arguments but " +
                              std::to_string(arguments.positional.size()) + " were given");
    }
    std::vector<Value> values(arguments.positional.begin(), arguments.positional.end());
    values.resize(parameters.size());
    std::vector<bool> is_given(parameters.size(), false);
    for (size_t i = 0; i < arguments.positional.size(); ++i) is_given[i] = true;
    for (const auto& argument : arguments.named) {
        size_t at = 0;
        while (at < parameters.size() && parameters[at].name != argument.name) ++at;
        if (at == parameters.size()) {
            return template_error(name + "() got an unexpected keyword argument '" + std::string(argument.name) + "'");
        }
        if (is_given[at]) {
            return template_error(name + "() got multiple values for argument '" + std::string(argument.name) + "'");
        }
        values[at] = argument.value;
        is_given[at] = true;
    }
    std::vector<std::string> missing;
    for (size_t i = 0; i < parameters.size(); ++i) {
        if (is_given[i]) continue;
        if (parameters[i].fallback) {
            values[i] = *parameters[i].fallback;
        } else {
            missing.emplace_back(parameters[i].name);
        }
    }
    if (missing.empty()) return values;
    return template_error(name + "() missing " + std::to_string(missing.size()) + " required positional argument" +
                          (missing.size() > 1 ? "s" : "") + ": " + quoted_list(missing));
}

Result<std::optional<Value>> Object::attribute(Vm&, std::string_view) const { return std::optional<Value>(); }
Result<std::optional<Value>> Object::item(Vm&, const Value&) const { return std::optional<Value>(); }
Result<Value> Object::call(Vm&, const Arguments&) const {
    return template_error("'" + std::string(type_name()) + "' object is not callable");
}
Result<std::optional<Value>> Object::call_method(Vm& vm, std::string_view name, const Arguments& arguments) const {
    auto method = TRY(attribute(vm, name));
    if (!method) return std::optional<Value>();
    return std::optional<Value>(TRY(vm.call(*method, arguments)));
}
Result<std::unique_ptr<Iterator>> Object::iterate(Vm&) const { return std::unique_ptr<Iterator>(); }
Result<std::optional<bool>> Object::contains(Vm&, const Value&) const { return std::optional<bool>(); }
std::string Object::repr() const { return "<" + std::string(type_name()) + " object>"; }
size_t Object::hash() const { return std::hash<const void*>()(this); }

Value make_function(std::string name, Function function) {
    return Value(Ref<Object>(new FunctionObject(std::move(name), std::move(function))));
}

}  // namespace shaduf::jinja
