// Filters of numbers and of values of any kind.

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "jinja/filters.h"
#include "jinja/number_parse.h"
#include "jinja/operators.h"
#include "jinja/pretty.h"
#include "jinja/text_cases.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

Result<Value> filter_abs(Vm&, const Arguments& arguments) {
    const Value value = TRY(take_filter("abs", arguments, {{"x"}}))[0];
    if (value.is_undefined()) return undefined_error(value);
    if (!value.is_number())
        return template_error("bad operand type for abs(): '" + std::string(value.type_name()) + "'");
    if (value.kind() == Kind::floating) return Value(std::fabs(value.floating()));
    return value.whole() < 0 ? apply_unary(Op::negate, value) : Result<Value>(Value(value.whole()));
}

Result<Value> filter_attr(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_attr", arguments, {{"obj"}, {"name"}}));
    const std::string name = values[1].text();
    // Attributes alone: keys of a dict are none.
    if (values[0].kind() == Kind::dict && !has_builtin_method(values[0], name)) {
        return vm.make_undefined("'dict object' has no attribute '" + name + "'");
    }
    return vm.attribute(values[0], name);
}

Result<Value> filter_default(Vm&, const Arguments& arguments) {
    auto values =
        TRY(take_filter("do_default", arguments, {{"value"}, {"default_value", Value("")}, {"boolean", Value(false)}}));
    const bool is_missing = values[0].is_undefined() || (values[2].truth() && !values[0].truth());
    return std::move(values[is_missing ? 1 : 0]);
}

Result<Value> filter_float(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_float", arguments, {{"value"}, {"default", Value(0.0)}}));
    if (values[0].is_undefined()) return undefined_error(values[0]);
    if (values[0].is_number()) return Value(values[0].number());
    if (values[0].is_string()) {
        if (const auto number = parse_float(values[0].string())) return Value(*number);
    }
    return values[1];
}

// int(float(x)); nullopt: it is none, or too big
std::optional<Value> truncated(double number) {
    constexpr double kWholeMax = 9.2e18;
    if (!(std::fabs(number) < kWholeMax)) return std::nullopt;
    return Value(static_cast<int64_t>(number));
}

Result<Value> filter_int(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_int", arguments, {{"value"}, {"default", Value(0)}, {"base", Value(10)}}));
    const Value& value = values[0];
    if (value.is_undefined()) return undefined_error(value);
    if (value.kind() == Kind::integer || value.kind() == Kind::boolean) return Value(value.whole());
    if (value.kind() == Kind::floating) return truncated(value.floating()).value_or(values[1]);
    if (!value.is_string()) return values[1];
    const auto base = TRY(filter_integer(values[2]));
    if (base != 0 && (base < 2 || base > 36)) return values[1];
    const auto whole = parse_integer(value.string(), static_cast<int>(base));
    if (whole.is_too_big) return template_error("the number is beyond 64 bits: " + value.string());
    if (whole.number) return Value(*whole.number);
    const auto number = parse_float(value.string());
    return number ? truncated(*number).value_or(values[1]) : values[1];
}

// Python's round(x, n): to even, exactly, by decimal digits.
double rounded(double number, int64_t precision) {
    constexpr int64_t kDigitsMax = 320;
    if (!std::isfinite(number) || precision > kDigitsMax) return number;
    if (precision < -kDigitsMax) return std::copysign(0.0, number);
    if (precision >= 0) {
        std::array<char, 800> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed,
                                       static_cast<int>(precision));
        double result = number;
        if (end.ec == std::errc()) std::from_chars(text.data(), end.ptr, result);
        return result;
    }
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return std::nearbyint(number / unit) * unit;
}

Result<Value> filter_round(Vm&, const Arguments& arguments) {
    const auto values =
        TRY(take_filter("do_round", arguments, {{"value"}, {"precision", Value(0)}, {"method", Value("common")}}));
    const std::string method = values[2].text();
    if (method != "common" && method != "ceil" && method != "floor") {
        return template_error("method must be common, ceil or floor");
    }
    const Value& value = values[0];
    if (value.is_undefined()) return undefined_error(value);
    if (!value.is_number()) {
        return template_error("type " + std::string(value.type_name()) + " doesn't define __round__ method");
    }
    const int64_t precision = TRY(filter_integer(values[1]));
    if (method == "common") {
        if (value.kind() == Kind::floating) return Value(rounded(value.floating(), precision));
        if (precision >= 0) return Value(value.whole());
        return Value(static_cast<int64_t>(rounded(value.number(), precision)));
    }
    const double power = std::pow(10.0, static_cast<double>(precision));
    const double scaled = value.number() * power;
    const double whole = method == "ceil" ? std::ceil(scaled) : std::floor(scaled);
    if (!std::isfinite(whole)) return template_error("cannot convert float infinity or NaN to integer");
    return Value((whole + 0.0) / power);
}

Result<Value> filter_tojson(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_tojson", arguments, {{"value"}, {"indent", Value::none()}}));
    JsonStyle style;
    style.sort_keys = true;
    if (!values[1].is_none()) style.indent = static_cast<int>(TRY(filter_integer(values[1])));
    const std::string json = TRY(to_json(vm, values[0], style));
    std::string out;
    for (const char byte : json) {
        switch (byte) {
            case '<': out += "\\u003c"; break;
            case '>': out += "\\u003e"; break;
            case '&': out += "\\u0026"; break;
            case '\'': out += "\\u0027"; break;
            default: out += byte;
        }
    }
    return Value::markup(std::move(out));
}

Result<Value> filter_pprint(Vm&, const Arguments& arguments) {
    return Value(pretty_print(TRY(take_filter("do_pprint", arguments, {{"value"}}))[0]));
}

constexpr std::array kFilters{
    Builtin{"abs", filter_abs},         Builtin{"attr", filter_attr},   Builtin{"d", filter_default},
    Builtin{"default", filter_default}, Builtin{"float", filter_float}, Builtin{"int", filter_int},
    Builtin{"pprint", filter_pprint},   Builtin{"round", filter_round}, Builtin{"tojson", filter_tojson},
};

}  // namespace

std::span<const Builtin> value_filters() { return kFilters; }

}  // namespace shaduf::jinja
