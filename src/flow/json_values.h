#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/node.h"
#include "jinja/value.h"

// JSON as templates have it, and as options are read from it.
namespace shaduf {

// A text as a value; "" is an empty dict.
Result<jinja::Value> parse_json_value(std::string_view text);
// Compact. What JSON has no word for is its text.
std::string json_text_of(const jinja::Value& value);
// With texts that would be numbers or booleans marked as quoted, as whoever wrote them must have done.
Node node_of(const jinja::Value& value, const Place& place);
// `pointer` as in RFC 6901: "/data/0/id". invalid_config: there is nothing.
Result<jinja::Value> value_at(const jinja::Value& value, std::string_view pointer);
// nullptr: no dict, or it has no such key.
const jinja::Value* member_of(const jinja::Value& value, std::string_view key);
// A number of JSON, else 0.
int64_t integer_of(const jinja::Value* value);
// A text, else "".
std::string text_of(const jinja::Value* value);

}  // namespace shaduf
