#pragma once

#include "base/result.h"
#include "jinja/object.h"

// The two functions of dbt-duckdb by which external materializations write their COPY statements.
namespace shaduf::models {

// (write_location, rendered_options) -> the options of COPY, with the format that follows from the location.
Result<jinja::Value> external_write_options(const jinja::Arguments& arguments);
// The same -> where the written rows are read: a glob of a partitioned folder.
Result<jinja::Value> external_read_location(const jinja::Arguments& arguments);

}  // namespace shaduf::models
