#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace shaduf {

// Makes ids of different meaning different types: `using RunId = Strong<std::string, struct RunIdTag>;`
template <typename T, typename Tag>
class Strong {
public:
    Strong() = default;
    explicit Strong(T value) : value_(std::move(value)) {}
    const T& value() const { return value_; }
    auto operator<=>(const Strong&) const = default;

private:
    T value_{};
};

}  // namespace shaduf

template <typename T, typename Tag>
struct std::hash<shaduf::Strong<T, Tag>> {
    size_t operator()(const shaduf::Strong<T, Tag>& id) const { return std::hash<T>{}(id.value()); }
};
