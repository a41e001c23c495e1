#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf {

// The four secrets of OAuth 1.0a: of the application, and of the user who let it in.
struct OAuth1Credentials {
    std::string consumer_key;
    std::string consumer_secret;
    std::string token;
    std::string token_secret;
};

// Signs a request by HMAC-SHA1: adds the header Authorization over the query, a body of type
// application/x-www-form-urlencoded, and the protocol's own parameters. `nonce` is new for each request.
// invalid_config when the URL is none. RFC 5849, section 3. Thread-safe.
Result<void> sign_oauth1(HttpRequest& request, const OAuth1Credentials& credentials, Timestamp now,
                         std::string_view nonce);

// What is signed (RFC 5849, section 3.4.1): `params` are those of the query, the form and the header, decoded, without
// oauth_signature and realm; `url` may have a query, which is left out.
std::string oauth1_base_string(std::string_view method, const Url& url, QueryParams params);
// In base64. Whoever checks a signature makes it again and compares.
std::string oauth1_signature(std::string_view base_string, std::string_view consumer_secret,
                             std::string_view token_secret);

// The parameters of a header "OAuth a="b", ...", decoded. bad_data when it is none.
Result<QueryParams> parse_oauth1_header(std::string_view header);

}  // namespace shaduf
