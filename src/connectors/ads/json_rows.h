#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/raw_rows.h"

namespace shaduf::ads {

// `"name":"value",...` for the start of every row: texts are escaped.
std::string json_members(std::span<const std::pair<std::string, std::string>> members);

// The JSON objects at `rows` of `text` as rows of their own, each with `members` (as json_members makes them, may be
// empty) put in front of its own. A member that the object has as well then stands there twice: leave it out of
// `members`.
RawRows rows_with_members(std::string_view text, std::span<const RawRows::Span> rows, std::string_view members,
                          std::string place);

}  // namespace shaduf::ads
