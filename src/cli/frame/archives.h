#pragma once

#include "cli/frame/session.h"

namespace shaduf {

// The commands that read raw answers of before: `replay` loads them again, `check --against-archive` only says what
// would come of it. Both give the exit status.
int replay_archives(Session& session, const Project& project);
int check_archives(Session& session, const Project& project);

}  // namespace shaduf
