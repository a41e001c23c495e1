#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "io/http_server.h"
#include "io/url.h"
#include "sandbox/facebook_ads/errors.h"

namespace shaduf::sandbox::facebook {

// A value, or what the API says is wrong with the request.
template <typename T>
using Outcome = std::variant<T, GraphError>;

// The parameters of a call: those of the body (a form, or a JSON object), then those of the query.
class Params {
public:
    explicit Params(const HttpServerRequest& request);

    std::string_view text(std::string_view name) const;  // "" when it is not there
    bool has(std::string_view name) const;
    // A list: JSON, or texts parted by commas. An error when it begins as JSON and is none.
    Outcome<std::vector<std::string>> list(std::string_view name) const;
    const QueryParams& all() const { return values_; }

private:
    QueryParams values_;
};

// A condition of `filtering`.
struct Filter {
    std::string field;
    std::string op;
    std::vector<std::string> values;

    // Whether a value fits; numbers are compared as numbers where both are.
    bool fits(std::string_view value) const;
};
Outcome<std::vector<Filter>> parse_filters(std::string_view json);

// A field asked for, with what was asked of its parts: creative{id,name}.
struct FieldRequest {
    std::string name;
    std::vector<FieldRequest> parts;
};
Outcome<std::vector<FieldRequest>> parse_fields(std::string_view text);

// Where a page begins, as text that means nothing to clients, and back.
std::string make_cursor(std::string_view position);
std::optional<std::string> read_cursor(std::string_view cursor);

}  // namespace shaduf::sandbox::facebook
