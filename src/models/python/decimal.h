#pragma once

#include <string>

#include "models/host_object.h"

namespace shaduf::models {

// decimal.Decimal: a number that keeps the digits it was written with. Arithmetic is that of doubles with whole numbers
// kept whole, which is enough for what templates do with results of queries.
class Decimal final : public HostObject<Decimal> {
public:
    explicit Decimal(std::string text);
    double number() const { return number_; }
    std::string_view type_name() const override { return "Decimal"; }
    std::string text() const override { return text_; }
    std::string repr() const override { return "Decimal('" + text_ + "')"; }
    bool truth() const override { return number_ != 0; }
    bool equals(const jinja::Object& other) const override;
    bool equals_value(const jinja::Value& other) const override;
    size_t hash() const override;
    std::optional<int> compare(const jinja::Value& other) const override;
    Result<std::optional<jinja::Value>> arithmetic(std::string_view symbol, const jinja::Value& other,
                                                   bool is_left) const override;
    static std::span<const Method> methods() { return {}; }

private:
    const std::string text_;
    const double number_;
};

}  // namespace shaduf::models
