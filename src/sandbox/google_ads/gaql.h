#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The query language of Google Ads, as its grammar has it:
// https://developers.google.com/google-ads/api/docs/query/grammar
namespace shaduf::sandbox::google_ads {

enum class Operator : uint8_t {
    equal,
    not_equal,
    greater,
    greater_equal,
    less,
    less_equal,
    in,
    not_in,
    like,
    not_like,
    contains_any,
    contains_all,
    contains_none,
    is_null,
    is_not_null,
    during,
    between,
    regexp_match,
    not_regexp_match,
};

struct Condition {
    std::string field;
    Operator op = Operator::equal;
    std::vector<std::string> values;  // without quotes
};

struct Sorting {
    std::string field;
    bool descending = false;
};

struct Gaql {
    std::vector<std::string> fields;
    std::string resource;
    std::vector<Condition> conditions;
    std::vector<Sorting> sortings;
    std::optional<int64_t> limit;
    std::map<std::string, std::string> parameters;

    bool selects(std::string_view field) const;
    bool filters(std::string_view field) const;
};

// What is wrong with a request, as the API's error codes have it.
struct Refusal {
    std::string type;  // "queryError"
    std::string code;  // "UNRECOGNIZED_FIELD"
    std::string message;
    std::string trigger = {};
    int http = 400;
    std::string retry_delay = {};  // "30s"
    std::string rate_scope = {};
};

// `needs_from`: googleAdsFields:search is asked without FROM.
std::variant<Gaql, Refusal> parse_gaql(std::string_view text, bool needs_from);

}  // namespace shaduf::sandbox::google_ads
