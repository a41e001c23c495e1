#include "connectors/rest/template.h"

#include <algorithm>
#include <cctype>

#include "io/url.h"

namespace shaduf::rest {
namespace {

struct Placeholder {
    size_t start;
    size_t end;  // behind it
    std::string name;
};

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '.' || c == '-' || c == '$';
    });
}

std::vector<Placeholder> find_placeholders(std::string_view text, PlaceholderForm form) {
    std::vector<Placeholder> found;
    const std::string_view open = form == PlaceholderForm::json ? "\"{" : "{";
    const std::string_view close = form == PlaceholderForm::json ? "}\"" : "}";
    for (size_t start = text.find(open); start != std::string_view::npos; start = text.find(open, start + 1)) {
        const size_t end = text.find(close, start);
        if (end == std::string_view::npos) break;
        const auto name = text.substr(start + open.size(), end - start - open.size());
        if (is_name(name)) found.push_back({start, end + close.size(), std::string(name)});
    }
    return found;
}

}  // namespace

Result<std::string> fill_placeholders(std::string_view text, PlaceholderForm form, const PlaceholderValue& value) {
    std::string filled;
    size_t done = 0;
    for (const auto& [start, end, name] : find_placeholders(text, form)) {
        const JsonScalar scalar = TRY(value(name));
        filled += text.substr(done, start - done);
        if (form == PlaceholderForm::url_part)
            filled += percent_encode(scalar.text);
        else
            filled += form == PlaceholderForm::json ? scalar.raw : scalar.text;
        done = end;
    }
    return filled.append(text.substr(done));
}

std::vector<std::string> placeholders_of(std::string_view text, PlaceholderForm form) {
    std::vector<std::string> names;
    for (auto& placeholder : find_placeholders(text, form)) names.push_back(std::move(placeholder.name));
    return names;
}

}  // namespace shaduf::rest
