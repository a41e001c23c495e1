#pragma once

#include <string>
#include <string_view>

#include "io/http_server.h"
#include "sandbox/google_ads/gaql.h"

namespace shaduf::sandbox::google_ads {

// The object that the API answers instead of rows: {"error":{...}}.
std::string error_body(const Refusal& refusal, std::string_view version);
HttpServerResponse error_answer(const Refusal& refusal, std::string_view version);
// The same in a list, as searchStream wraps it.
HttpServerResponse stream_error_answer(const Refusal& refusal, std::string_view version);
HttpServerResponse json_answer(std::string body);

// The answer to a query of googleAdsFields:search.
HttpServerResponse search_fields(const std::string& query, std::string_view version);

}  // namespace shaduf::sandbox::google_ads
