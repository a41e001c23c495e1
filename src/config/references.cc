#include "config/references.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr size_t kSecretBytesMax = 1 << 20;

Error reference_error(std::string message) { return Error(ErrorKind::invalid_config, std::move(message)); }

bool is_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    return !text.empty() && text[0] != '.' && std::all_of(text.begin(), text.end(), fits);
}

std::string variable_of_secret(std::string_view name) {
    std::string variable = "SHADUF_SECRET_";
    for (const char c : name) {
        if (c >= 'a' && c <= 'z') {
            variable += static_cast<char>(c - 'a' + 'A');
        } else {
            variable += c == '-' || c == '.' ? '_' : c;
        }
    }
    return variable;
}

// The text between double quotes, with \n, \t, \" and \\ read as in a shell's $'...'.
std::string unescape(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        const char c = text[++i];
        result += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    return result;
}

}  // namespace

std::vector<Error> References::load_env_files(const std::string& environment) {
    std::vector<Error> errors;
    for (const std::string& name : {std::string(".env"), ".env." + environment}) {
        std::ifstream in(folder_ + "/" + name);
        if (!in) continue;
        env_file_ = name;
        std::string line;
        for (int number = 1; std::getline(in, line); ++number) read_line(line, Place::in_file(name, number), errors);
    }
    return errors;
}

void References::read_line(std::string_view line, const Place& place, std::vector<Error>& errors) {
    line = trim(line);
    if (line.empty() || line[0] == '#') return;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    const auto name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name)) {
        errors.push_back(reference_error("not a line of the form NAME=value").at(place));
        return;
    }
    FileVariable variable{std::string(trim(line.substr(equals + 1))), false, place};
    const std::string_view value = variable.value;
    if (value.starts_with('"') || value.starts_with('\'')) {
        const auto end = value.rfind(value[0]);
        if (end == 0 || !(trim(value.substr(end + 1)).empty() || trim(value.substr(end + 1))[0] == '#')) {
            errors.push_back(reference_error("the quotes of the value are not closed: " + std::string(name)).at(place));
            return;
        }
        variable.literal = value[0] == '\'';
        const auto inner = value.substr(1, end - 1);
        variable.value = variable.literal ? std::string(inner) : unescape(inner);
    } else if (const auto comment = value.find(" #"); comment != std::string_view::npos) {
        variable.value = std::string(trim(value.substr(0, comment)));
    }
    variables_[std::string(name)] = std::move(variable);
}

Result<std::string> References::resolve(std::string_view text, const Place& place) const {
    std::vector<std::string> open;
    auto replaced = replace(text, open);
    if (!replaced.ok()) return replaced.error().at(place);
    return replaced;
}

Result<std::string> References::replace(std::string_view text, std::vector<std::string>& open) const {
    std::string result;
    for (;;) {
        const auto start = text.find("${");
        result += text.substr(0, start);
        if (start == std::string_view::npos) return result;
        text.remove_prefix(start);
        if (result.ends_with('$')) {
            result += "{";
            text.remove_prefix(2);
            continue;
        }
        const auto end = text.find('}');
        if (end == std::string_view::npos) return reference_error("reference without an end: " + std::string(text));
        result += TRY(look_up(text.substr(2, end - 2), open));
        text.remove_prefix(end + 1);
    }
}

Result<std::string> References::look_up(std::string_view reference, std::vector<std::string>& open) const {
    const auto colon = reference.find(':');
    const auto kind = reference.substr(0, colon);
    std::string_view name = colon == std::string_view::npos ? "" : reference.substr(colon + 1);
    if (kind == "secret" && is_name(name)) return get_secret(std::string(name));
    const auto fallback = name.find(":-");
    const std::string variable(name.substr(0, fallback));
    if (kind != "env" || !is_name(variable)) {
        return reference_error("unknown reference: ${" + std::string(reference) +
                               "}; write ${env:NAME} or ${secret:name}");
    }
    if (auto value = TRY(find_variable(variable, open))) return std::move(*value);
    if (fallback != std::string_view::npos) return std::string(name.substr(fallback + 2));
    return reference_error("variable not set: " + variable + "; set it in the environment or in " + env_file_);
}

Result<std::optional<std::string>> References::find_variable(const std::string& name,
                                                             std::vector<std::string>& open) const {
    if (auto value = variable_(name)) return value;
    const auto known = variables_.find(name);
    if (known == variables_.end()) return std::nullopt;
    if (known->second.literal) return std::optional(known->second.value);
    if (std::find(open.begin(), open.end(), name) != open.end()) {
        return reference_error("variable refers to itself: " + join(open, " -> ") + " -> " + name)
            .at(known->second.place);
    }
    open.push_back(name);
    auto value = replace(known->second.value, open);
    open.pop_back();
    if (!value.ok()) return value.error().at(known->second.place);
    return std::optional(value.release_value());
}

Result<std::string> References::get_secret(const std::string& name) const {
    if (auto value = TRY(find_secret(name))) return std::move(*value);
    return reference_error("secret not found: " + name + "; set " + variable_of_secret(name) +
                           ", or write it into .secrets/" + name);
}

Result<std::optional<std::string>> References::find_secret(const std::string& name) const {
    if (auto value = variable_(variable_of_secret(name))) return value;
    const std::string path = folder_ + "/.secrets/" + name;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return reference_error("others may read the secret: .secrets/" + name + "; run chmod 600 .secrets/" + name);
    }
    std::ifstream in(path, std::ios::binary);
    std::string value{std::istreambuf_iterator<char>(in), {}};
    if (!in || value.size() > kSecretBytesMax) return reference_error("cannot read the secret: .secrets/" + name);
    while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
    return std::optional(std::move(value));
}

}  // namespace shaduf
