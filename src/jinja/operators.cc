#include "jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "jinja/boxes.h"
#include "jinja/object.h"
#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kRepeatedMax = 64ULL << 20U;

std::string_view symbol_of(Op op) {
    switch (op) {
        case Op::add: return "+";
        case Op::sub: return "-";
        case Op::mul: return "*";
        case Op::div: return "/";
        case Op::floordiv: return "//";
        case Op::mod: return "%";
        case Op::pow: return "** or pow()";
        case Op::lt: return "<";
        case Op::lteq: return "<=";
        case Op::gt: return ">";
        case Op::gteq: return ">=";
        default: return "?";
    }
}

Error unsupported(Op op, const Value& a, const Value& b) {
    return template_error("unsupported operand type(s) for " + std::string(symbol_of(op)) + ": '" +
                          std::string(a.type_name()) + "' and '" + std::string(b.type_name()) + "'");
}

Error too_big() { return template_error("the number is beyond 64 bits: use a float"); }

int64_t floor_divide(int64_t a, int64_t b) {
    const int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floor_modulo(int64_t a, int64_t b) {
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double float_modulo(double a, double b) {
    double rest = std::fmod(a, b);
    if (rest == 0) return std::copysign(0.0, b);
    if ((rest < 0) != (b < 0)) rest += b;
    return rest;
}

double float_floor_divide(double a, double b) {
    const double rest = float_modulo(a, b);
    const double quotient = (a - rest) / b;
    if (quotient == 0) return std::copysign(0.0, a / b);
    const double floored = std::floor(quotient);
    return quotient - floored > 0.5 ? floored + 1 : floored;
}

Result<Value> power_of_integers(int64_t base, int64_t exponent) {
    if (exponent < 0) {
        if (base == 0) return template_error("0.0 cannot be raised to a negative power");
        return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
    int64_t result = 1;
    for (;;) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return too_big();
        exponent >>= 1;
        if (exponent == 0) return Value(result);
        if (__builtin_mul_overflow(base, base, &base)) return too_big();
    }
}

Result<Value> apply_integers(Op op, int64_t a, int64_t b) {
    int64_t result = 0;
    switch (op) {
        case Op::add: return __builtin_add_overflow(a, b, &result) ? Result<Value>(too_big()) : Value(result);
        case Op::sub: return __builtin_sub_overflow(a, b, &result) ? Result<Value>(too_big()) : Value(result);
        case Op::mul: return __builtin_mul_overflow(a, b, &result) ? Result<Value>(too_big()) : Value(result);
        case Op::div:
            if (b == 0) return template_error("division by zero");
            return Value(static_cast<double>(a) / static_cast<double>(b));
        case Op::floordiv:
        case Op::mod:
            if (b == 0) return template_error("integer division or modulo by zero");
            if (b == -1) return op == Op::mod ? Result<Value>(Value(0)) : apply_integers(Op::mul, a, -1);
            return Value(op == Op::mod ? floor_modulo(a, b) : floor_divide(a, b));
        default: return power_of_integers(a, b);
    }
}

Result<Value> apply_floats(Op op, double a, double b) {
    switch (op) {
        case Op::add: return Value(a + b);
        case Op::sub: return Value(a - b);
        case Op::mul: return Value(a * b);
        case Op::div:
            if (b == 0) return template_error("float division by zero");
            return Value(a / b);
        case Op::floordiv:
            if (b == 0) return template_error("float floor division by zero");
            return Value(float_floor_divide(a, b));
        case Op::mod:
            if (b == 0) return template_error("float modulo");
            return Value(float_modulo(a, b));
        default: {
            if (a == 0 && b < 0) return template_error("0.0 cannot be raised to a negative power");
            if (a < 0 && std::floor(b) != b) return template_error("the power is a complex number, which is not known");
            const double result = std::pow(a, b);
            if (std::isinf(result) && !std::isinf(a) && !std::isinf(b))
                return template_error("Numerical result out of range");
            return Value(result);
        }
    }
}

std::string escaped_unless_markup(const Value& value) {
    return value.is_markup() ? value.string() : escape_html(value.text());
}

std::optional<Result<Value>> add_sequences(const Value& a, const Value& b) {
    if (a.is_string() && b.is_string()) {
        if (a.is_markup() || b.is_markup()) {
            return Value::markup(escaped_unless_markup(a) + escaped_unless_markup(b));
        }
        std::string text;
        text.reserve(a.string().size() + b.string().size());
        return Value(text.append(a.string()).append(b.string()));
    }
    if (a.kind() == b.kind() && (a.kind() == Kind::list || a.kind() == Kind::tuple)) {
        std::vector<Value> items = a.items();
        items.insert(items.end(), b.items().begin(), b.items().end());
        return a.kind() == Kind::list ? Value::list(std::move(items)) : Value::tuple(std::move(items));
    }
    return std::nullopt;
}

Result<Value> repeat(const Value& of, int64_t count) {
    const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
    const size_t size = of.is_string() ? of.string().size() : of.items().size() * sizeof(Value);
    if (size != 0 && times > kRepeatedMax / size) return template_error("the repeated value is too big");
    if (of.is_string()) {
        std::string text;
        text.reserve(size * times);
        for (size_t i = 0; i < times && size != 0; ++i) text += of.string();
        return of.is_markup() ? Value::markup(std::move(text)) : Value(std::move(text));
    }
    std::vector<Value> items;
    items.reserve(of.items().size() * times);
    for (size_t i = 0; i < times && size != 0; ++i) items.insert(items.end(), of.items().begin(), of.items().end());
    return of.kind() == Kind::list ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

std::optional<Result<Value>> multiply_sequences(const Value& a, const Value& b) {
    const auto is_whole = [](const Value& value) {
        return value.kind() == Kind::integer || value.kind() == Kind::boolean;
    };
    const auto is_sequence = [](const Value& value) {
        return value.is_string() || value.kind() == Kind::list || value.kind() == Kind::tuple;
    };
    if (is_sequence(a) && is_whole(b)) return repeat(a, b.whole());
    if (is_whole(a) && is_sequence(b)) return repeat(b, a.whole());
    return std::nullopt;
}

std::optional<Result<Value>> apply_to_sets(Op op, const Value& a, const Value& b) {
    if (op != Op::sub || a.kind() != Kind::set || b.kind() != Kind::set) return std::nullopt;
    auto left = make<Set>();
    for (const auto& entry : a.set().members.entries()) {
        if (b.set().members.find(entry.key) == nullptr) left->members.set(entry.key, Value::none());
    }
    return Value(left);
}

Result<bool> compare_nested(Op op, const Value& a, const Value& b, int depth);

// Orders two lists as their first items that differ do.
Result<bool> compare_items(Op op, const std::vector<Value>& a, const std::vector<Value>& b, int depth) {
    constexpr int kNestedMax = 200;
    if (depth > kNestedMax) return template_error("lists that are compared are nested too deeply");
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (!TRY(compare_equal(a[i], b[i]))) return compare_nested(op, a[i], b[i], depth + 1);
    }
    return compare_order(op, Value(static_cast<int64_t>(a.size())), Value(static_cast<int64_t>(b.size())));
}

template <typename T>
bool ordered(Op op, const T& a, const T& b) {
    switch (op) {
        case Op::lt: return a < b;
        case Op::lteq: return a <= b;
        case Op::gt: return a > b;
        default: return a >= b;
    }
}

}  // namespace

Error template_error(std::string message) { return Error(ErrorKind::invalid_config, std::move(message)); }
Error undefined_error(const Value& value) { return template_error(value.undefined_message()); }

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char byte : text) {
        switch (byte) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '\'': out += "&#39;"; break;
            case '"': out += "&#34;"; break;
            default: out += byte;
        }
    }
    return out;
}

Result<std::string> checked_text(const Value& value) {
    if (value.is_undefined() && value.undefined_mode() == UndefinedMode::strict) return undefined_error(value);
    return value.text();
}

Result<bool> checked_truth(const Value& value) {
    if (value.is_undefined() && value.undefined_mode() == UndefinedMode::strict) return undefined_error(value);
    return value.truth();
}

Result<Value> apply_unary(Op op, const Value& value) {
    if (value.is_undefined()) return undefined_error(value);
    if (!value.is_number()) {
        return template_error("bad operand type for unary " + std::string(op == Op::negate ? "-" : "+") + ": '" +
                              std::string(value.type_name()) + "'");
    }
    const bool negates = op == Op::negate;
    if (value.kind() == Kind::floating) return Value(negates ? -value.floating() : value.floating());
    return negates ? apply_integers(Op::sub, 0, value.whole()) : Result<Value>(Value(value.whole()));
}

Result<Value> apply_binary(Op op, const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) {
        if (a.kind() == Kind::floating || b.kind() == Kind::floating) return apply_floats(op, a.number(), b.number());
        return apply_integers(op, a.whole(), b.whole());
    }
    if (op == Op::mod && a.is_string()) {
        if (a.is_markup()) return Value::markup(TRY(format_percent(a.string(), b)));
        return Value(TRY(format_percent(a.string(), b)));
    }
    if (a.is_undefined()) return undefined_error(a);
    if (b.is_undefined()) return undefined_error(b);
    if (a.kind() == Kind::object || b.kind() == Kind::object) {
        const bool is_left = a.kind() == Kind::object;
        auto result = TRY((is_left ? a : b).object().arithmetic(symbol_of(op), is_left ? b : a, is_left));
        if (result) return std::move(*result);
    }
    if (op == Op::add) {
        if (auto sum = add_sequences(a, b)) return std::move(*sum);
        if (a.is_string()) {
            return template_error("can only concatenate str (not \"" + std::string(b.type_name()) + "\") to str");
        }
    }
    if (op == Op::mul) {
        if (auto product = multiply_sequences(a, b)) return std::move(*product);
    }
    if (auto result = apply_to_sets(op, a, b)) return std::move(*result);
    return unsupported(op, a, b);
}

Result<bool> compare_equal(const Value& a, const Value& b) {
    for (const Value* value : {&a, &b}) {
        if (value->is_undefined() && value->undefined_mode() == UndefinedMode::strict) return undefined_error(*value);
    }
    return a.equals(b);
}

namespace {

Result<bool> compare_nested(Op op, const Value& a, const Value& b, int depth) {
    if (a.is_number() && b.is_number()) {
        if (a.kind() != Kind::floating && b.kind() != Kind::floating) return ordered(op, a.whole(), b.whole());
        return ordered(op, a.number(), b.number());
    }
    if (a.is_string() && b.is_string()) return ordered(op, a.string(), b.string());
    if (a.kind() == b.kind() && (a.kind() == Kind::list || a.kind() == Kind::tuple)) {
        return compare_items(op, a.items(), b.items(), depth);
    }
    if (a.is_undefined()) return undefined_error(a);
    if (b.is_undefined()) return undefined_error(b);
    if (a.kind() == Kind::object) {
        const auto order = a.object().compare(b);
        if (order) return ordered(op, *order, 0);
    }
    return template_error("'" + std::string(symbol_of(op)) + "' not supported between instances of '" +
                          std::string(a.type_name()) + "' and '" + std::string(b.type_name()) + "'");
}

}  // namespace

Result<bool> compare_order(Op op, const Value& a, const Value& b) { return compare_nested(op, a, b, 0); }

Result<void> sort_items(std::vector<SortItem>& items, bool is_reversed) {
    std::optional<Error> failed;
    const auto is_less = [&](const SortItem& a, const SortItem& b) {
        if (failed) return false;
        auto less = is_reversed ? compare_order(Op::lt, b.key, a.key) : compare_order(Op::lt, a.key, b.key);
        if (less.ok()) return less.value();
        failed = less.release_error();
        return false;
    };
    // By merging, which any answers of the comparison leave sound.
    std::stable_sort(items.begin(), items.end(), is_less);
    if (failed) return *failed;
    return {};
}

namespace {

Result<std::optional<int64_t>> slice_bound(const Value& value) {
    if (value.is_none()) return std::optional<int64_t>();
    if (value.is_undefined()) return undefined_error(value);
    if (value.kind() == Kind::integer || value.kind() == Kind::boolean) return std::optional<int64_t>(value.whole());
    return template_error("slice indices must be integers or None or have an __index__ method");
}

struct Bounds {
    int64_t begin;
    int64_t end;
    int64_t step;
};

// As Python's slice.indices.
Result<Bounds> slice_bounds(int64_t length, const Value& begin, const Value& end, const Value& step) {
    const int64_t stride = TRY(slice_bound(step)).value_or(1);
    if (stride == 0) return template_error("slice step cannot be zero");
    const int64_t low = stride < 0 ? -1 : 0;
    const int64_t high = stride < 0 ? length - 1 : length;
    const auto settle = [&](std::optional<int64_t> bound, int64_t fallback) {
        if (!bound) return fallback;
        if (*bound < 0) return std::max(*bound + length, low);
        return std::min(*bound, high);
    };
    return Bounds{settle(TRY(slice_bound(begin)), stride < 0 ? high : low),
                  settle(TRY(slice_bound(end)), stride < 0 ? low : high), stride};
}

std::string slice_text(std::string_view text, const Bounds& bounds) {
    if (bounds.step == 1) {
        if (bounds.begin >= bounds.end) return {};
        return std::string(slice_code_points(text, static_cast<size_t>(bounds.begin), static_cast<size_t>(bounds.end)));
    }
    std::vector<std::string_view> points;
    each_code_point(text, [&](std::string_view bytes, char32_t) { points.push_back(bytes); });
    std::string out;
    for (int64_t i = bounds.begin; bounds.step > 0 ? i < bounds.end : i > bounds.end; i += bounds.step) {
        out += points[static_cast<size_t>(i)];
        if (std::abs(bounds.step) > static_cast<int64_t>(points.size())) break;
    }
    return out;
}

}  // namespace

Result<Value> slice_value(const Value& of, const Value& begin, const Value& end, const Value& step) {
    if (of.is_undefined()) {
        const bool goes_on =
            of.undefined_mode() == UndefinedMode::chainable || of.undefined_mode() == UndefinedMode::silent;
        return goes_on ? Result<Value>(of) : undefined_error(of);
    }
    if (of.is_string()) {
        const Bounds bounds = TRY(slice_bounds(static_cast<int64_t>(count_code_points(of.string())), begin, end, step));
        return Value(slice_text(of.string(), bounds));
    }
    if (of.kind() != Kind::list && of.kind() != Kind::tuple) {
        return template_error("'" + std::string(of.type_name()) + "' object is not subscriptable by a slice");
    }
    const auto& items = of.items();
    const Bounds bounds = TRY(slice_bounds(static_cast<int64_t>(items.size()), begin, end, step));
    std::vector<Value> taken;
    for (int64_t i = bounds.begin; bounds.step > 0 ? i < bounds.end : i > bounds.end; i += bounds.step) {
        taken.push_back(items[static_cast<size_t>(i)]);
        if (std::abs(bounds.step) > static_cast<int64_t>(items.size())) break;
    }
    return of.kind() == Kind::list ? Value::list(std::move(taken)) : Value::tuple(std::move(taken));
}

}  // namespace shaduf::jinja
