#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/meta_store.h"
#include "server/serve_context.h"

namespace shaduf::server {

// How checks ended, by id, of each the oldest first: what runs left in the project's history, and what the command line
// left last in target/run_results.json. None when nothing has run yet.
std::map<std::string, std::vector<CheckRecord>> check_results(const ServeContext& serve);
// How each ended last: passed, warned, failed or error.
std::map<std::string, std::string> last_states(const ServeContext& serve);

}  // namespace shaduf::server
