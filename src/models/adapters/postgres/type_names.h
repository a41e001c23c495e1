#pragma once

#include <cstdint>
#include <string>

namespace shaduf::models {

// The name by which contracts compare a type of the server, given by its number in pg_type: that of psycopg2, and so of
// dbt. Types that it takes for one have one name, whatever their size ("INTEGER" of smallint and int, "STRING" of text
// and varchar); for others, such as uuid, the name is "unknown type_code 2950".
std::string postgres_type_name(uint32_t type);

}  // namespace shaduf::models
