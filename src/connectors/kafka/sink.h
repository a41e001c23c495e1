#pragma once

#include <memory>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf::kafka {

Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table);
Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string& connection);

}  // namespace shaduf::kafka
