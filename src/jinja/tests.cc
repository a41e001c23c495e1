// `x is name`: the tests of the language.

#include <algorithm>
#include <array>

#include "jinja/builtins.h"
#include "jinja/iteration.h"
#include "jinja/operators.h"
#include "jinja/text_cases.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

using Values = std::vector<Value>;

Result<Value> self_of(std::string_view name, const Arguments& arguments) {
    const std::array<Parameter, 1> parameters{{{"value"}}};
    return TRY(bind_arguments(name, parameters, arguments))[0];
}

Result<Values> pair_of(std::string_view name, std::string_view other, const Arguments& arguments) {
    const std::array<Parameter, 2> parameters{{{"value"}, {other}}};
    return bind_arguments(name, parameters, arguments);
}

bool is_whole(const Value& value) { return value.kind() == Kind::integer; }

template <Op kOp>
Result<Value> test_order(Vm&, const Arguments& arguments) {
    const auto values = TRY(pair_of("compare", "other", arguments));
    return Value(TRY(compare_order(kOp, values[0], values[1])));
}

Result<Value> test_eq(Vm&, const Arguments& arguments) {
    const auto values = TRY(pair_of("eq", "other", arguments));
    return Value(TRY(compare_equal(values[0], values[1])));
}

Result<Value> test_ne(Vm&, const Arguments& arguments) {
    const auto values = TRY(pair_of("ne", "other", arguments));
    return Value(!TRY(compare_equal(values[0], values[1])));
}

template <bool (*kCheck)(const Value&)>
Result<Value> test_by(Vm&, const Arguments& arguments) {
    return Value(kCheck(TRY(self_of("test", arguments))));
}

bool check_defined(const Value& value) { return !value.is_undefined(); }
bool check_undefined(const Value& value) { return value.is_undefined(); }
bool check_none(const Value& value) { return value.is_none(); }
bool check_boolean(const Value& value) { return value.kind() == Kind::boolean; }
bool check_true(const Value& value) { return value.kind() == Kind::boolean && value.boolean(); }
bool check_false(const Value& value) { return value.kind() == Kind::boolean && !value.boolean(); }
bool check_float(const Value& value) { return value.kind() == Kind::floating; }
bool check_number(const Value& value) {
    return value.is_number() || (value.kind() == Kind::object && value.object().type_name() == "Decimal");
}
bool check_string(const Value& value) { return value.is_string(); }
bool check_mapping(const Value& value) {
    return value.kind() == Kind::dict ||
           (value.kind() == Kind::object && value.object().shape() == Object::Shape::mapping);
}
bool check_sequence(const Value& value) {
    switch (value.kind()) {
        case Kind::undefined: return value.undefined_mode() != UndefinedMode::strict;  // it has a length, of 0
        case Kind::string:
        case Kind::list:
        case Kind::tuple:
        case Kind::dict: return true;
        case Kind::object: return value.object().shape() != Object::Shape::scalar;
        default: return false;
    }
}
bool check_callable(const Value& value) {
    if (value.is_undefined()) return true;  // as the class of undefined values is in Python
    return value.kind() == Kind::object && value.object().is_callable();
}
bool check_escaped(const Value& value) {
    return value.is_markup() || (value.is_undefined() && value.undefined_mode() == UndefinedMode::chainable);
}

template <bool (*kCheck)(std::string_view)>
Result<Value> test_text(Vm&, const Arguments& arguments) {
    return Value(kCheck(TRY(checked_text(TRY(self_of("test", arguments))))));
}

Result<Value> modulo_is(const Value& value, const Value& by, int64_t wanted) {
    const Value rest = TRY(apply_binary(Op::mod, value, by));
    return Value(rest.equals(Value(wanted)));
}
Result<Value> test_odd(Vm&, const Arguments& arguments) {
    return modulo_is(TRY(self_of("test_odd", arguments)), Value(2), 1);
}
Result<Value> test_even(Vm&, const Arguments& arguments) {
    return modulo_is(TRY(self_of("test_even", arguments)), Value(2), 0);
}
Result<Value> test_divisibleby(Vm&, const Arguments& arguments) {
    const auto values = TRY(pair_of("test_divisibleby", "num", arguments));
    return modulo_is(values[0], values[1], 0);
}

Result<Value> test_in(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(pair_of("test_in", "seq", arguments));
    return Value(TRY(contains(vm, values[1], values[0])));
}
Result<Value> test_iterable(Vm& vm, const Arguments& arguments) {
    const Value value = TRY(self_of("test_iterable", arguments));
    TRY(checked_truth(value));
    return Value(is_iterable(vm, value));
}
Result<Value> test_sameas(Vm&, const Arguments& arguments) {
    const auto values = TRY(pair_of("test_sameas", "other", arguments));
    return Value(values[0].is_same(values[1]));
}
Result<Value> test_filter(Vm& vm, const Arguments& arguments) {
    const Value name = TRY(self_of("test_filter", arguments));
    return Value(name.is_string() && vm.has_filter(name.string()));
}
Result<Value> test_test(Vm& vm, const Arguments& arguments) {
    const Value name = TRY(self_of("test_test", arguments));
    return Value(name.is_string() && vm.has_test(name.string()));
}

constexpr std::array kTests{
    Builtin{"!=", test_ne},
    Builtin{"<", test_order<Op::lt>},
    Builtin{"<=", test_order<Op::lteq>},
    Builtin{"==", test_eq},
    Builtin{">", test_order<Op::gt>},
    Builtin{">=", test_order<Op::gteq>},
    Builtin{"boolean", test_by<check_boolean>},
    Builtin{"callable", test_by<check_callable>},
    Builtin{"defined", test_by<check_defined>},
    Builtin{"divisibleby", test_divisibleby},
    Builtin{"eq", test_eq},
    Builtin{"equalto", test_eq},
    Builtin{"escaped", test_by<check_escaped>},
    Builtin{"even", test_even},
    Builtin{"false", test_by<check_false>},
    Builtin{"filter", test_filter},
    Builtin{"float", test_by<check_float>},
    Builtin{"ge", test_order<Op::gteq>},
    Builtin{"greaterthan", test_order<Op::gt>},
    Builtin{"gt", test_order<Op::gt>},
    Builtin{"in", test_in},
    Builtin{"integer", test_by<is_whole>},
    Builtin{"iterable", test_iterable},
    Builtin{"le", test_order<Op::lteq>},
    Builtin{"lessthan", test_order<Op::lt>},
    Builtin{"lower", test_text<is_lower_text>},
    Builtin{"lt", test_order<Op::lt>},
    Builtin{"mapping", test_by<check_mapping>},
    Builtin{"ne", test_ne},
    Builtin{"none", test_by<check_none>},
    Builtin{"number", test_by<check_number>},
    Builtin{"odd", test_odd},
    Builtin{"sameas", test_sameas},
    Builtin{"sequence", test_by<check_sequence>},
    Builtin{"string", test_by<check_string>},
    Builtin{"test", test_test},
    Builtin{"true", test_by<check_true>},
    Builtin{"undefined", test_by<check_undefined>},
    Builtin{"upper", test_text<is_upper_text>},
};

}  // namespace

std::span<const Builtin> builtin_tests() { return kTests; }

const Builtin* find_builtin(std::span<const Builtin> among, std::string_view name) {
    const auto found =
        std::lower_bound(among.begin(), among.end(), name,
                         [](const Builtin& known, std::string_view wanted) { return known.name < wanted; });
    return found != among.end() && found->name == name ? &*found : nullptr;
}

}  // namespace shaduf::jinja
