#pragma once

#include <string_view>

#include "base/result.h"

namespace shaduf {

// A named point of the program at which tests kill the process or make an operation fail, as a crash or a full disk
// would. Set by the environment before start: SHADUF_FAILPOINT="sink.commit.before=kill@3" (the third time it is
// reached), "...=error@1" for an error of kind unavailable, "...=full@1" for one of kind exhausted. Several are
// separated by commas. Without the variable a point costs one load.
Result<void> failpoint(std::string_view name);

}  // namespace shaduf
