#pragma once

#include "connectors/kafka/settings.h"

namespace shaduf::kafka {

// Asks the token server each time (RFC 6749, 4.4). The name that the brokers see is theirs to take from the token; that
// of the client is given besides. Lives no longer than the run.
KafkaTokenSource make_token_source(RunContext& run, TokenSettings settings);

}  // namespace shaduf::kafka
