#pragma once

#include <string>
#include <vector>

#include "pipeline/meta_store.h"
#include "server/serve_context.h"

namespace shaduf::server {

// What runs of pipelines left in the project's history; none when nothing has run yet.
Result<std::vector<StreamRecord>> latest_of_streams(const ServeContext& serve);
// Newest first.
Result<std::vector<StreamRecord>> recent_of_streams(const ServeContext& serve, int64_t limit);

}  // namespace shaduf::server
