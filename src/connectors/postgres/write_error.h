#pragma once

#include <string>
#include <vector>

#include "connectors/postgres/settings.h"

namespace shaduf {

// The error of a statement that wrote, with what the server can tell of it: who holds a lock, which GRANT is missing.
// `sqlstate` is that of the error, `privileges` ("INSERT") are what writing the table takes.
// REQUIRES: no transaction is open, unless the connection is lost
Error explain_write_error(PostgresConnection& connection, const PostgresTableName& name,
                          const std::vector<std::string>& privileges, const std::string& sqlstate, const Error& error);

}  // namespace shaduf
