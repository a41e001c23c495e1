#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/error.h"

namespace shaduf {

// Either a value or an Error. Exceptions do not cross a folder: whoever calls a throwing library catches there.
template <typename T>
class [[nodiscard]] Result {
public:
    using Value = T;

    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: `return Error(...)` is the use
    template <typename U = T>
    requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT: `return value` is the use

    bool ok() const { return state_.index() == 0; }

    // REQUIRES: ok()
    T& value() & {
        SHADUF_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        SHADUF_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    T release_value() {
        SHADUF_ASSERT(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    T value_or(T fallback) && { return ok() ? release_value() : std::move(fallback); }

    // REQUIRES: !ok()
    const Error& error() const {
        SHADUF_ASSERT(!ok());
        return *std::get_if<1>(&state_);
    }
    Error release_error() {
        SHADUF_ASSERT(!ok());
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using Value = void;

    Result() = default;
    Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: `return Error(...)` is the use

    bool ok() const { return error_.index() == 0; }
    void release_value() {}
    const Error& error() const {
        SHADUF_ASSERT(!ok());
        return *std::get_if<1>(&error_);
    }
    Error release_error() {
        SHADUF_ASSERT(!ok());
        return std::move(*std::get_if<1>(&error_));
    }

private:
    std::variant<std::monostate, Error> error_;
};

}  // namespace shaduf

// The value of a Result, or return its error from the enclosing function. The only control-flow macro.
#define TRY(expression)                                                                                                \
    __extension__({                                                                                                    \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") auto try_result_ = (expression); \
        _Pragma("GCC diagnostic pop") if (!try_result_.ok()) [[unlikely]] return try_result_.release_error();          \
        try_result_.release_value();                                                                                   \
    })
