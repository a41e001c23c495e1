#include "models/context/secrets.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kShown = "*****";

}  // namespace

void Secrets::add(std::string_view value) {
    value = trim(value);
    if (value.empty()) return;
    const std::lock_guard lock(mutex_);
    if (std::find(values_.begin(), values_.end(), value) != values_.end()) return;
    values_.emplace_back(value);
    std::stable_sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Secrets::scrub(std::string text) const {
    const std::lock_guard lock(mutex_);
    for (const std::string& value : values_) {
        for (size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + kShown.size())) {
            text.replace(at, value.size(), kShown);
        }
    }
    return text;
}

jinja::Value Secrets::scrub_texts(const jinja::Value& value) const {
    if (value.is_string()) return scrub(value.string());
    if (value.kind() == jinja::Kind::list) {
        std::vector<jinja::Value> items;
        for (const jinja::Value& item : value.items()) items.push_back(scrub_texts(item));
        return jinja::Value::list(std::move(items));
    }
    if (value.kind() != jinja::Kind::dict) return value;
    auto scrubbed = jinja::make<jinja::Dict>();
    for (const auto& [key, item] : value.dict().entries()) scrubbed->set(key, scrub_texts(item));
    return scrubbed;
}

}  // namespace shaduf::models
