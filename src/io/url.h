#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace shaduf {

// An absolute URL in its parts, each still percent-encoded as it was given. A plain value. RFC 3986.
struct Url {
    std::string scheme;     // lower case
    std::string user_info;  // "user:password", without the @
    std::string host;       // lower case; an IPv6 address keeps its brackets
    int port = 0;           // 0: the default of the scheme
    std::string path;       // "/..." or ""
    std::string query;      // without the ?
    std::string fragment;   // without the #

    // invalid_config when there is no scheme or host, or a port is not a number from 1 to 65535. The message never has
    // the user info.
    static Result<Url> parse(std::string_view text);

    int effective_port() const;     // 443 for https, 80 for http when none is given
    std::string authority() const;  // host[:port], the port only when it is not the default one: a Host header
    std::string origin() const;     // scheme://host[:port]
    std::string to_string() const;
};

// Whether a request for `from` may go on at `to` with its credentials: the same host and port, by no weaker a scheme.
bool is_same_site(const Url& from, const Url& to);

// What a reference found in a document at `base` means (RFC 3986, section 5.2): absolute, //host/p, /p, p, ../p, ?q,
// #f.
Result<Url> resolve_reference(const Url& base, std::string_view reference);

// %XX for everything but unreserved characters (A-Z a-z 0-9 - . _ ~); `keep` lists more bytes to let stand, e.g. "/".
std::string percent_encode(std::string_view text, std::string_view keep = {});
// Undoes it; a broken escape stays as it is.
std::string percent_decode(std::string_view text);

using QueryParams = std::vector<std::pair<std::string, std::string>>;

// Names and values, decoded ("+" is a space); in the order given.
QueryParams parse_query(std::string_view query);
// Names and values, encoded, joined by "&".
std::string format_query(const QueryParams& params);
// Adds to the query of `url` (before a fragment), replacing a parameter of the same name.
std::string with_query_param(std::string_view url, std::string_view name, std::string_view value);
// Takes every parameter of that name out.
std::string without_query_param(std::string_view url, std::string_view name);

// A URL for people: without user info, and with "***" for query values whose names look like secrets (token, key,
// signature ...) or are listed in `secret_params`.
std::string printable_url(std::string_view url, std::span<const std::string> secret_params = {});

}  // namespace shaduf
