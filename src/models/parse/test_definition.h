#pragma once

#include <optional>
#include <string>

#include "models/configs/config_merge.h"
#include "models/parse/schema_scope.h"

namespace shaduf::models {

// One entry under tests: or data_tests:, taken apart: which macro, with what, configured how.
struct TestDefinition {
    std::string macro;                         // "not_null"
    std::optional<std::string> macro_package;  // "dbt_utils", as written
    std::string name;                          // as given; "": to be made
    std::string description;
    jinja::Ref<jinja::Dict> arguments;  // as written, with "column_name" and "model"; Jinja not rendered
    // Rendered; in the order in which dbt writes them into the test's text.
    std::vector<std::pair<std::string, jinja::Value>> config;

    // "{{ dbt_utils.test_x(**_dbt_generic_test_kwargs) }}{{ config(...) }}"
    std::string raw_code() const;
};

// `model`: what stands for the argument of that name. Errors, with file and line: no such form, a config given twice.
Result<TestDefinition> read_test(const YamlNode& test, const std::string& file,
                                 const std::optional<std::string>& column, const std::string& model,
                                 const SchemaScope& scope);

}  // namespace shaduf::models
