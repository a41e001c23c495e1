#pragma once

#include <string>
#include <string_view>

#include "base/registry.h"
#include "server/endpoint.h"

namespace shaduf::server {

// The description of the API as OpenAPI 3.1, made of the specs that also route and check its calls, so it cannot be
// about another API than this one.
std::string openapi_of(const Registry<ApiSpec>& apis, std::string_view version);
// The same as a page of Markdown with tables.
std::string api_page_of(const Registry<ApiSpec>& apis);

}  // namespace shaduf::server
