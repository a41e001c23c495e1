#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::jinja {

class Vm;

struct NamedValue {
    std::string_view name;
    Value value;
};

// Of one call; stays while it lasts.
struct Arguments {
    std::span<const Value> positional;
    std::span<const NamedValue> named;

    const Value* find(std::string_view name) const;
};

// A parameter of a host's function. Without a default it must be given.
struct Parameter {
    std::string_view name;
    std::optional<Value> fallback = std::nullopt;
};

// The values of `parameters`, in their order, by position or by name as Python binds them. The error is Python's own
// TypeError in words: "f() got an unexpected keyword argument 'x'".
Result<std::vector<Value>> bind_arguments(std::string_view function, std::span<const Parameter> parameters,
                                          const Arguments&);

// The next value; nullopt at the end.
class Iterator {
public:
    virtual ~Iterator() = default;
    virtual Result<std::optional<Value>> next(Vm& vm) = 0;
};

// Something of the host, or of the language itself, with attributes, items and calls. What a class does not override it
// cannot do, and a template that tries is told so. Immutable, or guarding itself: threads share it.
class Object : public Counted {
public:
    // As type(x).__name__ would be in Python; stands in messages.
    virtual std::string_view type_name() const = 0;

    // x.name and x[key]. nullopt: there is none, and the language tries the other one, then gives undefined.
    virtual Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const;
    virtual Result<std::optional<Value>> item(Vm& vm, const Value& key) const;
    // x(...)
    virtual bool is_callable() const { return false; }
    virtual Result<Value> call(Vm& vm, const Arguments& arguments) const;
    // x.name(...). By itself `attribute`, called; overridden where that would make an object for each call. nullopt: no
    // such method.
    virtual Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const;
    // nullptr: not iterable
    virtual Result<std::unique_ptr<Iterator>> iterate(Vm& vm) const;
    virtual std::optional<size_t> length() const { return std::nullopt; }
    // Of `y in x`. nullopt: by iterating.
    virtual Result<std::optional<bool>> contains(Vm& vm, const Value& value) const;
    virtual bool truth() const { return length().value_or(1) != 0; }
    virtual std::string text() const { return repr(); }
    virtual std::string repr() const;
    virtual bool equals(const Object& other) const { return this == &other; }
    // By itself `equals` with another object; overridden by what equals a list, a tuple, ...
    virtual bool equals_value(const Value& other) const {
        return other.kind() == Kind::object && equals(other.object());
    }
    virtual size_t hash() const;
    // Whether it may be a key of a dict, or in a set.
    virtual bool is_hashable() const { return true; }
    // Below 0, 0, above 0: before, the same, behind. nullopt: no order.
    virtual std::optional<int> compare(const Value&) const { return std::nullopt; }
    // x + other (is_left) or other + x, and so on for - * / // % **. nullopt: not known.
    virtual Result<std::optional<Value>> arithmetic(std::string_view, const Value&, bool) const {
        return std::optional<Value>();
    }
    // Whether `is mapping`, `is sequence` hold, and how `tojson`, `list`, `dict` see it.
    enum class Shape : uint8_t { scalar, sequence, mapping };
    virtual Shape shape() const { return Shape::scalar; }
};

using Function = std::function<Result<Value>(Vm& vm, const Arguments& arguments)>;
Value make_function(std::string name, Function function);

template <typename T>
T* Value::object_as() const {
    return kind() == Kind::object ? dynamic_cast<T*>(&object()) : nullptr;
}

}  // namespace shaduf::jinja
