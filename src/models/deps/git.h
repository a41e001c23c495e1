#pragma once

#include <string>

#include "base/result.h"
#include "base/run_context.h"

namespace shaduf::models {

// A repository at a revision, for packages. By the program `git`, with whatever it knows of keys and credentials, but
// never asking; a URL is shown as `shown_url`, since it may hold a token.
struct GitCheckout {
    std::string url;
    std::string shown_url;
    std::string revision;  // a branch, a tag, a commit, or HEAD
};

// Makes `folder` and checks the revision out into it, without history. Gives the commit. invalid_config: no git, no
// such repository or revision; the message has what git said.
Result<std::string> check_out(RunContext& run, const GitCheckout& wanted, const std::string& folder);

}  // namespace shaduf::models
