#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf::jinja {

// A text without comments and tags, blanks joined, entities read.
std::string strip_tags(std::string_view html);

enum class UrlPart : uint8_t { path, query };
// As urllib.parse.quote; in a query "/" is quoted and a blank is "+".
std::string url_quote(std::string_view text, UrlPart part);

struct UrlizeOptions {
    std::optional<int64_t> length_max = std::nullopt;  // of what is shown
    std::vector<std::string> relations = {};
    std::string target = {};
    std::vector<std::string> schemes = {};
};
// Links around what looks like addresses of the web or of mail. REQUIRES: `text` is escaped
std::string urlize(std::string_view text, const UrlizeOptions& options);
bool is_url_scheme(std::string_view scheme);

}  // namespace shaduf::jinja
