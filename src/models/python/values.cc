#include "models/python/values.h"

#include <array>
#include <string>

#include "base/time.h"
#include "models/host_object.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

// A value whose text says all of it.
class TextObject final : public HostObject<TextObject> {
public:
    TextObject(std::string_view type, std::string text, std::string iso)
        : type_(type), text_(std::move(text)), iso_(std::move(iso)) {}
    std::string_view type_name() const override { return type_; }
    std::string text() const override { return text_; }
    std::string repr() const override { return std::string(type_) + "('" + text_ + "')"; }
    bool equals(const Object& other) const override {
        const auto* that = dynamic_cast<const TextObject*>(&other);
        return that != nullptr && that->type_ == type_ && that->text_ == text_;
    }
    size_t hash() const override { return std::hash<std::string>()(text_); }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 1> kMethods = {{{"isoformat", &TextObject::call_isoformat}}};
        return kMethods;
    }

private:
    Result<Value> call_isoformat(Vm&, const Arguments&) const { return Value(iso_); }

    const std::string_view type_;
    const std::string text_, iso_;
};

Value make_text(std::string_view type, std::string text, std::string iso) {
    return {Ref<jinja::Object>(new TextObject(type, std::move(text), std::move(iso)))};
}

}  // namespace

Value date_value(int32_t days) {
    const std::string text = format_date(days);
    return make_text("date", text, text);
}

Value time_value(int64_t microseconds) {
    const std::string text = format_time_of_day(microseconds);
    return make_text("time", text, text);
}

Value datetime_value(int64_t microseconds, std::optional<int32_t> utc_offset_seconds) {
    std::string iso = format_timestamp(microseconds, false);
    if (utc_offset_seconds) iso += "+00:00";
    std::string text = iso;
    text[text.find('T')] = ' ';
    return make_text("datetime", std::move(text), std::move(iso));
}

Value decimal_value(std::string_view text) { return make_text("Decimal", std::string(text), std::string(text)); }

Value decimal_value(Int128 unscaled, int scale) {
    const bool is_negative = unscaled < 0;
    std::string digits;
    for (Int128 rest = unscaled; rest != 0; rest /= 10) {
        const auto digit = static_cast<int>(rest % 10);
        digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    }
    if (scale == 0 && digits.size() < 19) return Value(static_cast<int64_t>(unscaled));
    while (digits.size() <= static_cast<size_t>(scale)) digits.insert(digits.begin(), '0');
    if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
    return decimal_value((is_negative ? "-" : "") + digits);
}

Value modules_value() { return jinja::make<jinja::Dict>(); }

}  // namespace shaduf::models
