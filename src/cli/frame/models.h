#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/command/dbt_command.h"

namespace shaduf {

class Session;

// Runs a command of dbt's on the folder that the session entered. Where no profiles.yml has its profile, the target is
// the environment's warehouse. The status of the process.
int run_models(Session& session, std::span<const std::string> words, models::Console& console,
               const models::NodeFilter& filter = {});

// `words` with the target that is named like the environment asked for, unless they name one.
std::vector<std::string> with_target(const Session& session, std::vector<std::string> words,
                                     std::string environment = {});

// A verb of dbt's as a command of our own: the words behind it are dbt's, but for --project and --env, which may stand
// among them.
int run_models_verb(Session& session, std::string_view verb);

}  // namespace shaduf
