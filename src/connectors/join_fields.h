#pragma once

#include <array>
#include <cstddef>

#include "config/options.h"

namespace shaduf {

// Tables of options, one behind the other.
template <size_t N, size_t M>
constexpr std::array<FieldSpec, N + M> join_fields(const std::array<FieldSpec, N>& first,
                                                   const std::array<FieldSpec, M>& second) {
    std::array<FieldSpec, N + M> all{};
    for (size_t i = 0; i < N; ++i) all[i] = first[i];
    for (size_t i = 0; i < M; ++i) all[N + i] = second[i];
    return all;
}

}  // namespace shaduf
