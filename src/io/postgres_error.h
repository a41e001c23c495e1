#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// Inside src/io: what the server and libpq say, as errors.
namespace shaduf {

// What the server said of a statement. `advice` may be empty.
Error postgres_error(std::string_view sqlstate, std::string_view message, std::string_view detail);
// What libpq said of a session that did not come about, or broke off; verbose, so that it holds the SQLSTATE if there
// is one, which is given back.
Error postgres_connect_error(std::string_view message, std::string& sqlstate);

}  // namespace shaduf
