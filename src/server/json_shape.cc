#include "server/json_shape.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

std::string_view word_of(ShapeKind kind) {
    switch (kind) {
        case ShapeKind::text: return "a text";
        case ShapeKind::integer: return "a whole number";
        case ShapeKind::number: return "a number";
        case ShapeKind::boolean: return "true or false";
        case ShapeKind::time: return "a time such as 2026-11-22T06:02:11Z";
        case ShapeKind::any: return "a value";
        case ShapeKind::object: return "an object";
        case ShapeKind::list: return "a list";
        case ShapeKind::map: return "an object";
    }
    return "a value";
}

std::optional<std::string> check_choice(std::string_view text, const Shape& shape) {
    const auto& choices = shape.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return std::nullopt;
    const std::vector<std::string> known(choices.begin(), choices.end());
    return "not one of the choices: " + std::string(text) + did_you_mean(text, known);
}

bool is_time(std::string_view text) {
    const auto time = parse_timestamp(text);
    return time && time->has_zone;
}

class Checker {
public:
    void check(const Json& value, const Shape& shape, const std::string& path) {
        if (problems.size() >= kProblemsMax) return;
        if (!fits(value, shape.kind)) return add(path, "must be " + std::string(word_of(shape.kind)));
        if (shape.kind == ShapeKind::text) {
            if (auto problem = check_choice(value.get_ref<const std::string&>(), shape)) add(path, std::move(*problem));
        } else if (shape.kind == ShapeKind::object) {
            check_object(value, shape, path);
        } else if (shape.kind == ShapeKind::list && shape.of != nullptr) {
            for (size_t i = 0; i < value.size(); ++i) check(value[i], *shape.of, path + "[" + std::to_string(i) + "]");
        } else if (shape.kind == ShapeKind::map && shape.of != nullptr) {
            for (const auto& [key, item] : value.items()) check(item, *shape.of, below(path, key));
        }
    }
    void add(const std::string& path, std::string message) { problems.push_back({path, std::move(message)}); }

    std::vector<ShapeProblem> problems;

private:
    static std::string below(const std::string& path, std::string_view name) {
        return path.empty() ? std::string(name) : path + "." + std::string(name);
    }
    static bool fits(const Json& value, ShapeKind kind) {
        switch (kind) {
            case ShapeKind::text: return value.is_string();
            case ShapeKind::integer: return value.is_number_integer();
            case ShapeKind::number: return value.is_number();
            case ShapeKind::boolean: return value.is_boolean();
            case ShapeKind::time: return value.is_string() && is_time(value.get_ref<const std::string&>());
            case ShapeKind::any: return true;
            case ShapeKind::object:
            case ShapeKind::map: return value.is_object();
            case ShapeKind::list: return value.is_array();
        }
        return false;
    }
    void check_object(const Json& value, const Shape& shape, const std::string& path) {
        for (const ShapeField& field : shape.fields) {
            const auto found = value.find(field.name);
            const bool is_missing = found == value.end();
            if (is_missing && !field.optional) add(below(path, field.name), "is missing");
            if (is_missing || (field.optional && found->is_null())) continue;
            check(*found, *field.shape, below(path, field.name));
        }
        std::vector<std::string> known;
        for (const ShapeField& field : shape.fields) known.emplace_back(field.name);
        for (const auto& [name, item] : value.items()) {
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            add(below(path, name), "is not known" + did_you_mean(name, known));
        }
    }
};

// Brackets within texts do not count. Quick, and without a stack.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_text) {
            if (c == '\\') ++i;
            if (c == '"') in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kDepthMax) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

bool is_integer(std::string_view text) {
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

}  // namespace

std::vector<ShapeProblem> check_json(std::string_view text, const Shape& shape) {
    Checker checker;
    if (is_too_deep(text)) {
        checker.add("", "nests deeper than " + std::to_string(kDepthMax));
        return std::move(checker.problems);
    }
    try {
        checker.check(Json::parse(text), shape, "");
    } catch (const Json::parse_error& error) {
        checker.add("", "is no JSON: wrong at byte " + std::to_string(error.byte));
    } catch (const Json::out_of_range&) {
        checker.add("", "has a number that is too large");
    }
    return std::move(checker.problems);
}

std::optional<std::string> check_text(std::string_view text, const Shape& shape) {
    const auto wrong = [&] { return "must be " + std::string(word_of(shape.kind)) + ": " + std::string(text); };
    switch (shape.kind) {
        case ShapeKind::integer: return is_integer(text) ? std::nullopt : std::optional(wrong());
        case ShapeKind::boolean: return text == "true" || text == "false" ? std::nullopt : std::optional(wrong());
        case ShapeKind::time: return is_time(text) ? std::nullopt : std::optional(wrong());
        case ShapeKind::text: return check_choice(text, shape);
        default: return std::nullopt;
    }
}

}  // namespace shaduf::server
