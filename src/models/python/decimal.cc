#include "models/python/decimal.h"

#include <cmath>
#include <cstdlib>
#include <functional>

namespace shaduf::models {
namespace {

using jinja::Value;

std::optional<double> number_of(const Value& value) {
    if (value.kind() == jinja::Kind::integer) return static_cast<double>(value.integer());
    if (value.kind() == jinja::Kind::floating) return value.floating();
    if (value.kind() == jinja::Kind::boolean) return value.boolean() ? 1 : 0;
    if (const auto* decimal = value.object_as<Decimal>()) return decimal->number();
    return std::nullopt;
}

// Digits behind the point, so that 1.50 + 1 prints as 2.50.
size_t scale_of(const std::string& text) {
    const size_t point = text.find('.');
    return point == std::string::npos || text.find_first_of("eE") != std::string::npos ? 0 : text.size() - point - 1;
}

Value made(double number, size_t scale) {
    std::string text(64, '\0');
    const int length = std::snprintf(text.data(), text.size(), "%.*f", static_cast<int>(scale), number);
    text.resize(static_cast<size_t>(std::max(0, length)));
    return {jinja::Ref<jinja::Object>(new Decimal(std::move(text)))};
}

}  // namespace

Decimal::Decimal(std::string text) : text_(std::move(text)), number_(std::strtod(text_.c_str(), nullptr)) {}

bool Decimal::equals(const jinja::Object& other) const {
    const auto* that = dynamic_cast<const Decimal*>(&other);
    return that != nullptr && that->number_ == number_;
}

bool Decimal::equals_value(const Value& other) const {
    const auto number = number_of(other);
    return number && *number == number_;
}

size_t Decimal::hash() const {
    const auto whole = static_cast<int64_t>(number_);
    if (static_cast<double>(whole) == number_) return *Value(whole).hash();
    return *Value(number_).hash();
}

std::optional<int> Decimal::compare(const Value& other) const {
    const auto number = number_of(other);
    if (!number) return std::nullopt;
    return number_ < *number ? -1 : number_ > *number ? 1 : 0;
}

Result<std::optional<Value>> Decimal::arithmetic(std::string_view symbol, const Value& other, bool is_left) const {
    const auto number = number_of(other);
    if (!number) return std::optional<Value>();
    const double left = is_left ? number_ : *number;
    const double right = is_left ? *number : number_;
    const size_t other_scale = other.kind() == jinja::Kind::object ? scale_of(other.text()) : 0;
    const size_t scale = std::max(scale_of(text_), other_scale);
    if (symbol == "+") return std::optional(made(left + right, scale));
    if (symbol == "-") return std::optional(made(left - right, scale));
    if (symbol == "*") return std::optional(made(left * right, scale_of(text_) + other_scale));
    if (symbol == "**") return std::optional(Value(std::pow(left, right)));
    if (right == 0) return Error(ErrorKind::invalid_config, "division by zero");
    if (symbol == "/") return std::optional(Value(left / right));
    if (symbol == "//") return std::optional(made(std::trunc(left / right), 0));
    if (symbol == "%") return std::optional(made(std::fmod(left, right), scale));
    return std::optional<Value>();
}

}  // namespace shaduf::models
