#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/kafka/settings.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// What a topic that no broker names means: a broker that has just begun may not know all of them.
enum class Absence : uint8_t { is_empty, is_trouble };

// Gives each committed message that a small topic of our own has now to `each`.
// Waits for transactions that are open on it, so that nothing which was committed before is missed; `unavailable` when
// one stays open.
Result<void> read_whole_topic(RunContext& run, const Connection& connection, const std::string& topic, Absence absence,
                              const std::function<Result<void>(const KafkaMessage&)>& each);

}  // namespace shaduf::kafka
