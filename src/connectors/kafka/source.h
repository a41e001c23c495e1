#pragma once

#include <memory>

#include "base/result.h"
#include "connectors/connector.h"
#include "connectors/kafka/settings.h"

namespace shaduf::kafka {

// Reads topics: with an end alone, all partitions; without one as a member of a group (SharedSource). Checkpoints are
// in parts, one a partition: "orders/3" at the offset that is read next.
Result<std::unique_ptr<Source>> make_kafka_source(Connection connection, StreamSettings settings);

Result<void> check_kafka(RunContext& run, const Connection& connection);
Result<std::vector<StreamInfo>> discover_kafka(RunContext& run, const Connection& connection);

}  // namespace shaduf::kafka
