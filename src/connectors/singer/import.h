#pragma once

#include <string_view>
#include <vector>

#include "connectors/connector.h"

namespace shaduf::singer {

// Of ConnectorSpec::import_streams.
Result<std::vector<ImportedStream>> import_streams(std::string_view catalog, std::string_view state);

}  // namespace shaduf::singer
