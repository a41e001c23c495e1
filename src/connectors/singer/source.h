#pragma once

#include <memory>

#include "connectors/connector.h"

namespace shaduf::singer {

Result<void> check(RunContext& run, const std::string& connection, const Options& options);
Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string& connection, const Options& options);
Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream);

}  // namespace shaduf::singer
