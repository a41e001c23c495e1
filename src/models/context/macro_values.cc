#include <algorithm>

#include "base/text.h"
#include "models/context/node_scope.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Object;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

class MacroObject final : public Object {
public:
    explicit MacroObject(const Macro& macro) : macro_(macro) {}
    std::string_view type_name() const override { return "MacroGenerator"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm& vm, const Arguments& arguments) const override {
        const NodeScope& scope = scope_of(vm);
        if (Captured* captured = scope.captured()) note(vm, *captured);
        return scope.call_macro(vm, macro_, arguments);
    }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        if (name == "macro_name" || name == "name") return std::optional(Value(macro_.name));
        return std::optional<Value>();
    }
    std::string repr() const override { return "<dbt.clients.jinja.MacroGenerator " + macro_.unique_id + ">"; }
    bool equals(const Object& other) const override {
        const auto* that = dynamic_cast<const MacroObject*>(&other);
        return that != nullptr && &that->macro_ == &macro_;
    }
    size_t hash() const override { return std::hash<const void*>()(&macro_); }

private:
    // A node depends on the macros that its own text calls; what those call, they depend on.
    void note(Vm& vm, Captured& captured) const {
        const auto frames = vm.frames();
        const bool in_macro =
            std::any_of(frames.begin(), frames.end(), [](const jinja::Frame& frame) { return !frame.macro.empty(); });
        if (in_macro) return;
        if (std::find(captured.macros.begin(), captured.macros.end(), macro_.unique_id) != captured.macros.end())
            return;
        captured.macros.push_back(macro_.unique_id);
    }

    const Macro& macro_;
};

// dbt_utils.star(...), dbt.type_string()
class PackageObject final : public Object {
public:
    PackageObject(const NodeScope& scope, std::string package) : scope_(scope), package_(std::move(package)) {}
    std::string_view type_name() const override { return "dict"; }
    Shape shape() const override { return Shape::mapping; }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override { return find(name); }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override {
        return key.is_string() ? find(key.string()) : std::optional<Value>();
    }
    Result<std::optional<bool>> contains(Vm&, const Value& value) const override {
        return std::optional(value.is_string() && scope_.find_macro(package_, value.string()) != nullptr);
    }
    Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const override {
        if (auto macro = find(name)) return std::optional(TRY(macro->object().call(vm, arguments)));
        if (name != "get" || arguments.positional.empty()) return std::optional<Value>();
        auto macro = find(arguments.positional[0].text());
        if (!macro) macro = arguments.positional.size() > 1 ? arguments.positional[1] : Value::none();
        return macro;
    }

private:
    std::optional<Value> find(std::string_view name) const {
        const Macro* macro = scope_.find_macro(package_, name);
        return macro == nullptr ? std::nullopt : std::optional(macro_value(*macro));
    }

    const NodeScope& scope_;
    const std::string package_;
};

}  // namespace

Value macro_value(const Macro& macro) { return Value(Ref<Object>(new MacroObject(macro))); }

std::optional<Value> package_value(const NodeScope& scope, std::string_view package) {
    if (!scope.services().macros.has_package(package)) return std::nullopt;
    return Value(Ref<Object>(new PackageObject(scope, std::string(package))));
}

}  // namespace shaduf::models
