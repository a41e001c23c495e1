#pragma once

#include <string_view>

#include "jinja/value.h"

namespace shaduf::models {

// A CSV text with a header as a list of dicts of texts, as Python's csv.DictReader gives it; lines without anything do
// not count, and what a line is short of is none. `empty`: what stands for an empty value.
jinja::Value read_csv_rows(std::string_view text, const jinja::Value& empty);

}  // namespace shaduf::models
