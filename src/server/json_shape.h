#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/endpoint.h"

namespace shaduf::server {

// What a value has against the shape that it should have.
struct ShapeProblem {
    std::string path;  // "tasks[2].name"; "": the whole
    std::string message;
};

// All problems of a JSON text, at most kProblemsMax; none: the text is what the shape says, and fields that the shape
// does not know are a problem too. Texts that nest deeper than kDepthMax are refused before they are parsed.
std::vector<ShapeProblem> check_json(std::string_view text, const Shape& shape);
// Of a value that stands in a query.
std::optional<std::string> check_text(std::string_view text, const Shape& shape);

inline constexpr size_t kProblemsMax = 20;
inline constexpr int kDepthMax = 64;

}  // namespace shaduf::server
