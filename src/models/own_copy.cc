#include "models/own_copy.h"

namespace shaduf::models {

using jinja::Kind;
using jinja::Value;

Value own_copy(const Value& value) {
    if (value.kind() == Kind::dict) {
        auto copy = jinja::make<jinja::Dict>();
        for (const auto& [key, item] : value.dict().entries()) copy->set(key, own_copy(item));
        return copy;
    }
    if (value.kind() != Kind::list && value.kind() != Kind::tuple) return value;
    std::vector<Value> items;
    items.reserve(value.items().size());
    for (const Value& item : value.items()) items.push_back(own_copy(item));
    return value.kind() == Kind::list ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

}  // namespace shaduf::models
