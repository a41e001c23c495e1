#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/json_page.h"

namespace shaduf::rest {

// What a placeholder stands for; an error when there is no such value.
using PlaceholderValue = std::function<Result<JsonScalar>(const std::string& name)>;

enum class PlaceholderForm : uint8_t {
    url_part,  // percent-encoded
    text,
    json,  // "{id}" in a JSON text, as it is written in JSON: a number stays one
};

// "/users/{id}/posts" with each {name} replaced. In a JSON text only "{name}" with its quotes is a placeholder.
Result<std::string> fill_placeholders(std::string_view text, PlaceholderForm form, const PlaceholderValue& value);
// The names in it.
std::vector<std::string> placeholders_of(std::string_view text, PlaceholderForm form);

}  // namespace shaduf::rest
