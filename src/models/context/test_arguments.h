#pragma once

#include <string>

#include "jinja/vm.h"
#include "models/manifest.h"

namespace shaduf::models {

// The name under which the text of a generic test finds them.
inline constexpr std::string_view kTestArgumentsName = "_dbt_generic_test_kwargs";

// The arguments of a generic test with their Jinja rendered, as a dict: what refs they make while the test is parsed.
// ref(...), source(...), var(...), env_var(...) and doc(...) need no braces; the column's name stays as it is.
Result<jinja::Value> render_test_arguments(const TestMetadata& test, const std::string& file,
                                           const jinja::Scope& scope);

}  // namespace shaduf::models
