#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "jinja/value.h"
#include "models/adapter/table.h"

namespace shaduf::models {

struct SeedOptions {
    char delimiter = ',';
    std::set<std::string> text_columns;  // whose values stay as they are written
};

// A seed's file as a table whose column types follow from its values, as dbt (agate) infers them: Integer, Number,
// Date, DateTime, Boolean, Text, the first of them that takes each value; "" and "null" are none. `shown_as` stands in
// errors, with the line. invalid_config: no header, a column named twice, a row of another length, not UTF-8.
Result<jinja::Ref<Table>> read_seed(const std::string& path, const std::string& shown_as, const SeedOptions& options);

}  // namespace shaduf::models
