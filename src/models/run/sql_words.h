#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace shaduf::models {

// Where the `with` (or `with recursive`) that begins a query ends; nullopt: it has none. Comments, strings, quoted
// names and all that stands in parentheses are passed over.
std::optional<size_t> end_of_with(std::string_view sql);

}  // namespace shaduf::models
