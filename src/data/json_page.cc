#include "data/json_page.h"

#include <simdjson.h>

#include <charconv>

#include "base/text.h"

namespace shaduf {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The document at the beginning of a padded text.
simdjson::simdjson_result<ondemand::document> iterate(ondemand::parser& parser, std::string_view json) {
    return parser.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
}

std::optional<size_t> as_index(std::string_view text) {
    size_t index = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return index;
}

// Calls `each` for every value at the rest of `path`.
template <typename Each>
error_code walk(ondemand::value value, std::span<const std::string> path, const Each& each) {
    if (path.empty()) return each(value);
    const std::string& key = path.front();
    const auto rest = path.subspan(1);
    ondemand::json_type type;
    if (auto failed = value.type().get(type)) return failed;
    if (type == ondemand::json_type::array) {
        const auto wanted = as_index(key);
        if (key != "*" && !wanted) return simdjson::SUCCESS;
        ondemand::array array;
        if (auto failed = value.get_array().get(array)) return failed;
        size_t index = 0;
        for (auto element : array) {
            ondemand::value inner;
            if (auto failed = element.get(inner)) return failed;
            if (wanted && index++ != *wanted) continue;
            if (auto failed = walk(inner, rest, each)) return failed;
            if (wanted) return simdjson::SUCCESS;
        }
    } else if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (auto failed = value.get_object().get(object)) return failed;
        for (auto field : object) {
            std::string_view name;
            if (auto failed = field.unescaped_key().get(name)) return failed;
            if (key != "*" && name != key) continue;
            ondemand::value inner;
            if (auto failed = field.value().get(inner)) return failed;
            if (auto failed = walk(inner, rest, each)) return failed;
            if (key != "*") return simdjson::SUCCESS;
        }
    }
    return simdjson::SUCCESS;
}

error_code raw_text(ondemand::value value, std::string_view& text) {
    ondemand::json_type type;
    ondemand::array array;
    ondemand::object object;
    error_code failed = value.type().get(type);
    if (failed) return failed;
    if (type == ondemand::json_type::array) {
        failed = value.get_array().get(array);
        if (!failed) failed = array.raw_json().get(text);
    } else if (type == ondemand::json_type::object) {
        failed = value.get_object().get(object);
        if (!failed) failed = object.raw_json().get(text);
    } else {
        text = value.raw_json_token();
    }
    text = trim(text);  // each comes with the blanks behind it
    return failed;
}

std::string unescape(ondemand::value value, std::string_view raw) {
    std::string_view text;
    if (!raw.starts_with('"') || value.get_string().get(text)) text = raw;
    return std::string(text);
}

size_t first_invalid_utf8(std::string_view text) {
    size_t valid = 0;
    // By halves: a prefix cut inside a character is told apart by trying up to three bytes less.
    const auto is_valid = [&](size_t size) {
        for (size_t less = 0; less < 4 && less <= size; ++less) {
            if (is_valid_utf8(text.substr(0, size - less))) return true;
        }
        return false;
    };
    for (size_t invalid = text.size(); valid + 1 < invalid;) {
        const size_t middle = valid + (invalid - valid) / 2;
        (is_valid(middle) ? valid : invalid) = middle;
    }
    while (valid > 0 && !is_valid_utf8(text.substr(0, valid))) --valid;
    return valid;
}

// Whether a text or a bracket is still open at the end: the sender was cut off, and asking again may help.
bool ends_early(std::string_view text) {
    int64_t depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_text && c == '\\') {
            ++i;
            continue;
        }
        if (c == '"') in_text = !in_text;
        if (in_text) continue;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
    }
    return in_text || depth > 0;
}

Error json_error(error_code code, std::string_view text, const std::string& what, size_t byte) {
    if (code == simdjson::UTF8_ERROR)
        return Error(ErrorKind::bad_data,
                     "text is not valid UTF-8 at byte " + std::to_string(first_invalid_utf8(text)) + ": " + what);
    if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY)
        return Error(ErrorKind::exhausted, "no memory for the JSON of " + what + "; ask for smaller pages");
    if (ends_early(text))
        return Error(ErrorKind::unavailable,
                     "text ends before its JSON does, at byte " + std::to_string(text.size()) + ": " + what);
    return Error(ErrorKind::bad_data, "text is not valid JSON at byte " + std::to_string(byte) + ": " + what + ": " +
                                          simdjson::error_message(code));
}

}  // namespace

JsonPath parse_json_path(std::string_view text) {
    JsonPath path;
    std::string part;
    const auto end_part = [&] {
        if (!part.empty()) path.push_back(std::move(part));
        part.clear();
    };
    for (const char c : text) {
        if (c == '.' || c == '[' || c == ']')
            end_part();
        else
            part += c;
    }
    end_part();
    if (!path.empty() && path.front() == "$") path.erase(path.begin());
    return path;
}

struct JsonPage::Parser {
    ondemand::parser parser;
};

JsonPage::JsonPage(BufferPtr body, std::string what)
    : body_(std::move(body)), what_(std::move(what)), parser_(std::make_unique<Parser>()) {}
JsonPage::JsonPage(JsonPage&&) noexcept = default;
JsonPage& JsonPage::operator=(JsonPage&&) noexcept = default;
JsonPage::~JsonPage() = default;

Result<JsonPage> JsonPage::parse(BufferPtr body, std::string what) {
    JsonPage page(std::move(body), std::move(what));
    if (page.body_->view().starts_with(kByteOrderMark)) page.start_ = kByteOrderMark.size();
    page.length_ = page.body_->size() - page.start_;
    const std::string_view text = page.text();
    if (page.body_->size() > UINT32_MAX)
        return Error(ErrorKind::bad_data, "answer is larger than 4 GiB: " + page.what_ + "; ask for smaller pages");

    ondemand::document document;
    if (auto failed = iterate(page.parser_->parser, text).get(document)) return json_error(failed, text, page.what_, 0);
    ondemand::json_type type;
    if (auto failed = document.type().get(type)) return json_error(failed, text, page.what_, 0);
    if (type != ondemand::json_type::array && type != ondemand::json_type::object)
        return Error(ErrorKind::bad_data, "answer is no JSON object or list: " + page.what_ + ": begins with " +
                                              make_valid_utf8(trim(text).substr(0, 40)));
    std::string_view whole;
    if (auto failed = document.raw_json().get(whole)) return json_error(failed, text, page.what_, text.size());
    const auto end = static_cast<size_t>(trim(whole).data() + trim(whole).size() - text.data());
    if (!trim(text.substr(end)).empty())
        return Error(ErrorKind::bad_data, "text goes on after its JSON, at byte " + std::to_string(end) + ": " +
                                              page.what_ + "; set format: ndjson if it is one document a line");
    return page;
}

Result<std::vector<RawRows::Span>> JsonPage::records(const JsonPath& path) const {
    std::vector<RawRows::Span> spans;
    bool found = false;
    const char* base = reinterpret_cast<const char*>(body_->data());
    const auto add = [&](ondemand::value record) -> error_code {
        std::string_view raw;
        if (auto failed = raw_text(record, raw)) return failed;
        spans.push_back({static_cast<uint32_t>(raw.data() - base), static_cast<uint32_t>(raw.size())});
        return simdjson::SUCCESS;
    };
    const auto collect = [&](ondemand::value value) -> error_code {
        found = true;
        ondemand::json_type type;
        if (auto failed = value.type().get(type)) return failed;
        if (type == ondemand::json_type::null) return simdjson::SUCCESS;
        if (type != ondemand::json_type::array) return add(value);
        ondemand::array array;
        if (auto failed = value.get_array().get(array)) return failed;
        for (auto element : array) {
            ondemand::value record;
            if (auto failed = element.get(record)) return failed;
            if (auto failed = add(record)) return failed;
        }
        return simdjson::SUCCESS;
    };
    ondemand::document document;
    ondemand::value root;
    error_code failed = iterate(parser_->parser, text()).get(document);
    if (!failed) failed = document.get_value().get(root);
    if (!failed) failed = walk(root, path, collect);
    if (failed) {
        const char* at = nullptr;
        const bool known = !document.current_location().get(at) && at >= base && at <= base + body_->size();
        return json_error(failed, text(), what_, known ? static_cast<size_t>(at - base) : body_->size());
    }
    if (!found)
        return Error(ErrorKind::bad_data, "no records in the answer at \"" + join(path, ".") + "\": " + what_ +
                                              "; set records, or records_missing: empty");
    return spans;
}

bool JsonPage::has(const JsonPath& path) const {
    ondemand::document document;
    ondemand::value root;
    bool found = false;
    if (iterate(parser_->parser, text()).get(document) || document.get_value().get(root)) return false;
    const auto see = [&](ondemand::value) {
        found = true;
        return simdjson::SUCCESS;
    };
    return !walk(root, path, see) && found;
}

std::optional<JsonScalar> find_scalar(std::string_view json, const JsonPath& path) {
    thread_local ondemand::parser parser;  // its memory is worth keeping: this is called for every row
    ondemand::document document;
    ondemand::value root;
    std::optional<JsonScalar> scalar;
    const auto take = [&](ondemand::value value) -> error_code {
        ondemand::json_type type;
        if (auto failed = value.type().get(type)) return failed;
        if (type == ondemand::json_type::array || type == ondemand::json_type::object) return simdjson::SUCCESS;
        const std::string raw(trim(value.raw_json_token()));
        if (raw != "null" && !scalar) scalar = JsonScalar{unescape(value, raw), raw};
        return simdjson::SUCCESS;
    };
    if (iterate(parser, json).get(document) || document.get_value().get(root)) return std::nullopt;
    if (walk(root, path, take)) return std::nullopt;
    return scalar;
}

Result<std::vector<RawRows::Span>> split_lines(const Buffer& body, const std::string& what) {
    if (body.size() > UINT32_MAX) return Error(ErrorKind::bad_data, "answer is larger than 4 GiB: " + what);
    std::vector<RawRows::Span> spans;
    const std::string_view text = body.view();
    size_t start = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    while (start < text.size()) {
        const size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = trim(text.substr(start, end - start));
        if (!line.empty())
            spans.push_back({static_cast<uint32_t>(line.data() - text.data()), static_cast<uint32_t>(line.size())});
        start = end + 1;
    }
    return spans;
}

}  // namespace shaduf
