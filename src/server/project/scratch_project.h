#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/serve_context.h"

namespace shaduf::server {

// What the project's files would have against them, were one of them another text: the folder is read through links
// from a private one, so that nothing of it is touched. Errors name files as the project does.
Result<std::vector<Error>> try_text(ServeContext& serve, const std::string& path, std::string_view text);

}  // namespace shaduf::server
