#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "config/options.h"

namespace shaduf {

class JsonWriter;

// What a table of fields says, for people and for machines. Fields of an object come behind it as "object.field".
void print_fields(std::span<const FieldSpec> fields, std::ostream& out);
void print_fields_markdown(std::string_view title, std::span<const FieldSpec> fields, std::ostream& out);
void write_fields_json(std::span<const FieldSpec> fields, JsonWriter& json);

}  // namespace shaduf
