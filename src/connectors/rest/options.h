#pragma once

#include <string>

#include "base/result.h"
#include "config/options.h"
#include "connectors/rest/settings.h"

namespace shaduf::rest {

// What the user wrote, by the fields of connector_rest, as settings. Errors name the line.
Result<ConnectionSettings> read_connection(const Options& options, const std::string& name);
Result<StreamSettings> read_stream(const Options& options, const std::string& name);

}  // namespace shaduf::rest
