#pragma once

#include <string_view>

namespace shaduf {

// What jsonb does not hold though it is JSON: a zero character, halves of a surrogate pair, numbers of more digits than
// a numeric has. "" when it holds all. REQUIRES: `json` is JSON
std::string_view find_jsonb_problem(std::string_view json);

}  // namespace shaduf
