#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "jinja/object.h"

namespace shaduf::models {

// An Object whose methods stand in a table, `Self::methods()`, and whose plain attributes `property` gives.
template <typename Self>
class HostObject : public jinja::Object {
public:
    struct Method {
        std::string_view name;
        Result<jinja::Value> (Self::*body)(jinja::Vm&, const jinja::Arguments&) const;
    };

    Result<std::optional<jinja::Value>> attribute(jinja::Vm& vm, std::string_view name) const override {
        if (auto value = TRY(property(vm, name))) return value;
        const Method* method = find_method(name);
        if (method == nullptr) return std::optional<jinja::Value>();
        // A method that is not called at once keeps its object alive.
        auto self = jinja::Ref<Self>(const_cast<Self*>(static_cast<const Self*>(this)));  // NOLINT: only owned by it
        return std::optional(jinja::make_function(std::string(name),
                                                  [self, method](jinja::Vm& caller, const jinja::Arguments& arguments) {
                                                      return ((*self).*(method->body))(caller, arguments);
                                                  }));
    }

    Result<std::optional<jinja::Value>> call_method(jinja::Vm& vm, std::string_view name,
                                                    const jinja::Arguments& arguments) const override {
        if (const Method* method = find_method(name)) {
            return std::optional(TRY((static_cast<const Self&>(*this).*(method->body))(vm, arguments)));
        }
        return jinja::Object::call_method(vm, name, arguments);
    }

protected:
    virtual Result<std::optional<jinja::Value>> property(jinja::Vm&, std::string_view) const {
        return std::optional<jinja::Value>();
    }

private:
    static const Method* find_method(std::string_view name) {
        for (const Method& method : Self::methods()) {
            if (method.name == name) return &method;
        }
        return nullptr;
    }
};

// What a template gives for an optional text: none and undefined are nothing, all else is its text.
inline std::optional<std::string> optional_text(const jinja::Value& value) {
    if (value.is_none() || value.is_undefined()) return std::nullopt;
    return value.text();
}

inline jinja::Value text_or_none(const std::optional<std::string>& text) {
    return text ? jinja::Value(*text) : jinja::Value::none();
}

}  // namespace shaduf::models
