// range, dict, namespace, cycler, joiner.

#include <array>

#include "jinja/builtins.h"
#include "jinja/iteration.h"
#include "jinja/machine.h"
#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kRangeMax = 100'000'000;

Result<Value> global_range(Vm&, const Arguments& arguments) {
    if (!arguments.named.empty()) return template_error("range() takes no keyword arguments");
    const auto& given = arguments.positional;
    if (given.empty() || given.size() > 3) {
        return template_error("range expected 1 to 3 arguments, got " + std::to_string(given.size()));
    }
    std::array<int64_t, 3> numbers{};
    for (size_t i = 0; i < given.size(); ++i) {
        if (given[i].is_undefined()) return undefined_error(given[i]);
        if (given[i].kind() != Kind::integer && given[i].kind() != Kind::boolean) {
            return template_error("'" + std::string(given[i].type_name()) +
                                  "' object cannot be interpreted as an integer");
        }
        numbers[i] = given[i].whole();
    }
    const int64_t step = given.size() == 3 ? numbers[2] : 1;
    if (step == 0) return template_error("range() arg 3 must not be zero");
    Value range = given.size() == 1 ? make_range(0, numbers[0], step) : make_range(numbers[0], numbers[1], step);
    if (length_of(range).value_or(0) > kRangeMax) return template_error("the range is too long");
    return range;
}

// A dict, or pairs, and the named arguments.
Result<void> fill_dict(Vm& vm, Dict& dict, const Arguments& arguments, std::string_view name) {
    if (arguments.positional.size() > 1) {
        return template_error(std::string(name) + " expected at most 1 argument, got " +
                              std::to_string(arguments.positional.size()));
    }
    if (!arguments.positional.empty()) TRY(update_dict(vm, dict, arguments.positional[0]));
    for (const auto& argument : arguments.named) dict.set(Value(argument.name), argument.value);
    return {};
}

Result<Value> global_dict(Vm& vm, const Arguments& arguments) {
    auto dict = make<Dict>();
    TRY(fill_dict(vm, *dict, arguments, "dict"));
    return Value(dict);
}

Result<Value> global_namespace(Vm& vm, const Arguments& arguments) {
    auto made = make<Namespace>();
    TRY(fill_dict(vm, *made->values, arguments, "namespace"));
    return Value(Ref<Object>(made.get()));
}

class Cycler final : public Object {
public:
    explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
    std::string_view type_name() const override { return "Cycler"; }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        if (name == "current") return std::optional<Value>(items_[at_]);
        if (name == "items") return std::optional<Value>(Value::tuple(items_));
        if (name == "pos") return std::optional<Value>(Value(static_cast<int64_t>(at_)));
        if (name != "next" && name != "reset") return std::optional<Value>();
        const Ref<const Cycler> self(this);
        return std::optional<Value>(
            make_function(std::string(name), [self, is_next = name == "next"](Vm&, const Arguments& arguments) {
                return self->move(arguments, is_next ? Move::next : Move::reset);
            }));
    }

private:
    enum class Move : uint8_t { next, reset };
    Result<Value> move(const Arguments& arguments, Move move) const {
        if (!arguments.positional.empty() || !arguments.named.empty())
            return template_error("no arguments are expected");
        if (move == Move::reset) {
            at_ = 0;
            return Value::none();
        }
        const Value now = items_[at_];
        at_ = (at_ + 1) % items_.size();
        return now;
    }

    const std::vector<Value> items_;
    mutable size_t at_ = 0;
};

Result<Value> global_cycler(Vm&, const Arguments& arguments) {
    if (!arguments.named.empty()) return template_error("cycler() takes no keyword arguments");
    if (arguments.positional.empty()) return template_error("at least one item has to be provided");
    return Value(Ref<Object>(new Cycler({arguments.positional.begin(), arguments.positional.end()})));
}

class Joiner final : public Object {
public:
    explicit Joiner(Value separator) : separator_(std::move(separator)) {}
    std::string_view type_name() const override { return "Joiner"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm&, const Arguments& arguments) const override {
        if (!arguments.positional.empty() || !arguments.named.empty())
            return template_error("no arguments are expected");
        if (was_used_) return separator_;
        was_used_ = true;
        return Value("");
    }

private:
    Value separator_;
    mutable bool was_used_ = false;
};

Result<Value> global_joiner(Vm&, const Arguments& arguments) {
    const std::array<Parameter, 1> parameters{{{"sep", Value(", ")}}};
    auto values = TRY(bind_arguments("joiner", parameters, arguments));
    return Value(Ref<Object>(new Joiner(std::move(values[0]))));
}

constexpr std::array kGlobals{
    Builtin{"cycler", global_cycler},       Builtin{"dict", global_dict},   Builtin{"joiner", global_joiner},
    Builtin{"namespace", global_namespace}, Builtin{"range", global_range},
};

}  // namespace

std::span<const Builtin> builtin_globals() { return kGlobals; }

Result<void> update_dict(Vm& vm, Dict& dict, const Value& from) {
    if (from.is_undefined()) return undefined_error(from);
    if (from.kind() == Kind::dict) {
        if (&from.dict() == &dict) return {};
        for (const auto& entry : from.dict().entries()) dict.set(entry.key, entry.value);
        return {};
    }
    if (const auto* held = from.object_as<Namespace>(); held != nullptr) {
        return template_error("'Namespace' object is not iterable");
    }
    const bool is_mapping = from.kind() == Kind::object && from.object().shape() == Object::Shape::mapping;
    for (const Value& item : TRY(to_items(vm, from))) {
        if (is_mapping) {
            dict.set(item, TRY(vm.item(from, item)));
            continue;
        }
        const auto pair = TRY(to_items(vm, item));
        if (pair.size() != 2) {
            return template_error("dictionary update sequence element has length " + std::to_string(pair.size()) +
                                  "; 2 is required");
        }
        if (!pair[0].hash()) return template_error("unhashable type: '" + std::string(pair[0].type_name()) + "'");
        dict.set(pair[0], pair[1]);
    }
    return {};
}

}  // namespace shaduf::jinja
