#include "sandbox/facebook_ads/params.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"

namespace shaduf::sandbox::facebook {
namespace {

using Json = nlohmann::json;

constexpr int kFieldDepthMax = 8;
constexpr std::string_view kOperators[] = {"EQUAL",        "NOT_EQUAL",
                                           "GREATER_THAN", "GREATER_THAN_OR_EQUAL",
                                           "LESS_THAN",    "LESS_THAN_OR_EQUAL",
                                           "IN_RANGE",     "NOT_IN_RANGE",
                                           "CONTAIN",      "NOT_CONTAIN",
                                           "IN",           "NOT_IN",
                                           "STARTS_WITH",  "ANY",
                                           "ALL",          "AFTER",
                                           "BEFORE",       "NONE"};

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Json parse(std::string_view text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

std::optional<double> number_of(std::string_view text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Below 0, 0 or above, as a is less, equal or greater.
int compare(std::string_view a, std::string_view b) {
    const auto x = number_of(a);
    const auto y = number_of(b);
    if (x && y) return *x < *y ? -1 : (*x > *y ? 1 : 0);
    const int order = a.compare(b);
    return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

// Parses "a,b{c,d},e" from `at`, until its end or the brace that closes it.
class FieldParser {
public:
    explicit FieldParser(std::string_view text) : text_(text) {}
    std::optional<std::vector<FieldRequest>> parse() {
        auto fields = parse_list(0);
        if (!fields || at_ != text_.size()) return std::nullopt;
        return fields;
    }

private:
    std::optional<std::vector<FieldRequest>> parse_list(int depth) {
        std::vector<FieldRequest> fields;
        if (depth > kFieldDepthMax) return std::nullopt;
        while (at_ < text_.size() && text_[at_] != '}') {
            const size_t end = std::min(text_.find_first_of(",{}", at_), text_.size());
            FieldRequest field{std::string(trim(text_.substr(at_, end - at_))), {}};
            // thumbnail_url.width(300) asks for the same field.
            field.name.resize(std::min(field.name.find('.'), field.name.size()));
            at_ = end;
            if (at_ < text_.size() && text_[at_] == '{') {
                ++at_;
                auto parts = parse_list(depth + 1);
                if (!parts || at_ >= text_.size() || text_[at_] != '}') return std::nullopt;
                ++at_;
                field.parts = std::move(*parts);
            }
            if (!field.name.empty()) fields.push_back(std::move(field));
            if (at_ < text_.size() && text_[at_] == ',') ++at_;
        }
        return fields;
    }

    std::string_view text_;
    size_t at_ = 0;
};

}  // namespace

Params::Params(const HttpServerRequest& request) : values_(request.form) {
    // Meta's client for Node posts parameters as one JSON object.
    const Json body = request.header("Content-Type").starts_with("application/json") ? parse(request.body) : Json();
    if (body.is_object()) {
        for (const auto& [name, value] : body.items()) values_.emplace_back(name, text_of(value));
    }
    values_.insert(values_.end(), request.query.begin(), request.query.end());
}

std::string_view Params::text(std::string_view name) const {
    for (const auto& [key, value] : values_) {
        if (key == name) return value;
    }
    return {};
}

bool Params::has(std::string_view name) const {
    return std::any_of(values_.begin(), values_.end(), [&](const auto& entry) { return entry.first == name; });
}

Outcome<std::vector<std::string>> Params::list(std::string_view name) const {
    const std::string_view text = trim(this->text(name));
    std::vector<std::string> values;
    if (text.starts_with('[')) {
        const Json json = parse(text);
        if (!json.is_array()) return bad_param("param " + std::string(name) + " must be an array.", std::string(name));
        for (const Json& value : json) values.push_back(text_of(value));
        return values;
    }
    for (const std::string_view part : split(text, ',')) {
        if (!trim(part).empty()) values.emplace_back(trim(part));
    }
    return values;
}

bool Filter::fits(std::string_view value) const {
    const auto is_in = [&] {
        return std::any_of(values.begin(), values.end(), [&](const auto& v) { return compare(value, v) == 0; });
    };
    const std::string_view first = values.empty() ? std::string_view() : std::string_view(values.front());
    const auto in_range = [&] {
        return values.size() == 2 && compare(value, values[0]) >= 0 && compare(value, values[1]) <= 0;
    };
    if (op == "IN" || op == "ANY" || op == "EQUAL" || op == "ALL") return is_in();
    if (op == "NOT_IN" || op == "NONE" || op == "NOT_EQUAL") return !is_in();
    if (op == "GREATER_THAN" || op == "AFTER") return compare(value, first) > 0;
    if (op == "GREATER_THAN_OR_EQUAL") return compare(value, first) >= 0;
    if (op == "LESS_THAN" || op == "BEFORE") return compare(value, first) < 0;
    if (op == "LESS_THAN_OR_EQUAL") return compare(value, first) <= 0;
    if (op == "IN_RANGE") return in_range();
    if (op == "NOT_IN_RANGE") return !in_range();
    if (op == "STARTS_WITH") return value.starts_with(first);
    const bool contains = to_lower(value).find(to_lower(first)) != std::string::npos;
    return op == "CONTAIN" ? contains : !contains;
}

Outcome<std::vector<Filter>> parse_filters(std::string_view text) {
    std::vector<Filter> filters;
    if (trim(text).empty()) return filters;
    const Json json = parse(text);
    if (!json.is_array()) return bad_param("param filtering must be an array.", "filtering");
    for (const Json& entry : json) {
        if (!entry.is_object() || !entry.contains("field") || !entry.contains("operator")) {
            return bad_param("param filtering[0] must have the keys field, operator and value.", "filtering");
        }
        Filter filter{text_of(entry["field"]), text_of(entry["operator"]), {}};
        if (std::find(std::begin(kOperators), std::end(kOperators), filter.op) == std::end(kOperators)) {
            return bad_param(
                "param filtering[0][operator] must be one of the values: EQUAL, NOT_EQUAL, GREATER_THAN, "
                "GREATER_THAN_OR_EQUAL, LESS_THAN, LESS_THAN_OR_EQUAL, IN_RANGE, NOT_IN_RANGE, CONTAIN, "
                "NOT_CONTAIN, IN, NOT_IN, STARTS_WITH, ANY, ALL, AFTER, BEFORE, NONE.",
                "filtering");
        }
        const Json value = entry.contains("value") ? entry["value"] : Json();
        if (value.is_array()) {
            for (const Json& item : value) filter.values.push_back(text_of(item));
        } else if (!value.is_null()) {
            filter.values.push_back(text_of(value));
        }
        filters.push_back(std::move(filter));
    }
    return filters;
}

Outcome<std::vector<FieldRequest>> parse_fields(std::string_view text) {
    std::vector<FieldRequest> fields;
    text = trim(text);
    if (text.starts_with('[')) {
        const Json json = parse(text);
        if (!json.is_array()) return bad_param("param fields must be an array.", "fields");
        for (const Json& value : json) fields.push_back({text_of(value), {}});
        return fields;
    }
    auto parsed = FieldParser(text).parse();
    if (!parsed) {
        return GraphError{.message = "Syntax error \"Expected end of string instead of \"" +
                                     std::string(text.substr(0, 20)) +
                                     "\".\" at character 0: " + std::string(text.substr(0, 40)),
                          .code = 2500};
    }
    return std::move(*parsed);
}

std::string make_cursor(std::string_view position) { return to_base64(position); }

std::optional<std::string> read_cursor(std::string_view cursor) {
    auto position = from_base64(cursor);
    if (!position.ok()) return std::nullopt;
    return position.release_value();
}

}  // namespace shaduf::sandbox::facebook
