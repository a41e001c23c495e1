#pragma once

#include <optional>
#include <string>

#include "models/adapter/session.h"
#include "models/host_object.h"

namespace shaduf::models {

// What the database said of a statement, as templates see it (dbt's AdapterResponse).
class Response final : public HostObject<Response> {
public:
    Response(std::string message, std::string code, std::optional<int64_t> rows_affected)
        : message_(std::move(message)), code_(std::move(code)), rows_affected_(rows_affected) {}
    std::string_view type_name() const override { return "AdapterResponse"; }
    std::string text() const override { return message_; }
    std::string repr() const override { return "AdapterResponse(_message='" + message_ + "')"; }
    const std::string& message() const { return message_; }
    const std::string& code() const { return code_; }
    const std::optional<int64_t>& rows_affected() const { return rows_affected_; }
    static std::span<const Method> methods() { return {}; }

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm&, std::string_view name) const override {
        if (name == "_message" || name == "message") return std::optional(jinja::Value(message_));
        if (name == "code") return std::optional(code_.empty() ? jinja::Value::none() : jinja::Value(code_));
        if (name == "rows_affected") {
            return std::optional(rows_affected_ ? jinja::Value(*rows_affected_) : jinja::Value::none());
        }
        if (name == "query_id") return std::optional(jinja::Value::none());
        return std::optional<jinja::Value>();
    }

    const std::string message_, code_;
    const std::optional<int64_t> rows_affected_;
};

inline jinja::Value response_value(std::string message, std::string code, std::optional<int64_t> rows_affected) {
    return {jinja::Ref<jinja::Object>(new Response(std::move(message), std::move(code), rows_affected))};
}

// As artifacts have it: _message, code, rows_affected. Of anything else an empty dict.
inline jinja::Value response_dict(const jinja::Value& response) {
    auto dict = jinja::make<jinja::Dict>();
    const auto* known = response.object_as<Response>();
    if (known == nullptr) return dict;
    dict->set("_message", known->message());
    if (!known->code().empty()) dict->set("code", known->code());
    if (known->rows_affected()) dict->set("rows_affected", *known->rows_affected());
    return dict;
}

}  // namespace shaduf::models
