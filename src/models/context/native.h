#pragma once

#include <string>
#include <string_view>

#include "jinja/vm.h"

namespace shaduf::models {

enum class RenderMode : uint8_t {
    text,     // what a template gives is text
    native,   // one expression alone keeps its value; as_bool, as_number and as_native read it from text
    parsing,  // text, and what is not known is silent
};
jinja::VmOptions vm_options(RenderMode mode);

// A text of YAML in native mode. `name` stands in errors.
Result<jinja::Value> render_native(std::string_view text, const std::string& name, const jinja::Scope& scope);

}  // namespace shaduf::models
