#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/kafka/settings.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// Gives each committed message that a small topic of our own has now to `each`; none where there is no such topic.
// Waits for transactions that are open on it, so that nothing which was committed before is missed; `unavailable` when
// one stays open.
Result<void> read_whole_topic(RunContext& run, const Connection& connection, const std::string& topic,
                              const std::function<Result<void>(const KafkaMessage&)>& each);

}  // namespace shaduf::kafka
