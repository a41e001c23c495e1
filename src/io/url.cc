#include "io/url.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Splits `text` at the first `separator`: what is behind it goes to `tail`, which stays empty without one.
std::string_view cut(std::string_view text, char separator, std::string_view& tail) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) return text;
    tail = text.substr(at + 1);
    return text.substr(0, at);
}

bool is_scheme(std::string_view text) {
    if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
    return std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; });
}

// Reads "user@host:port" into `url`.
bool parse_authority(std::string_view authority, Url& url) {
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        url.user_info = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        const auto digits = authority.substr(colon + 1);
        if (!digits.empty()) {
            const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
            if (failed != std::errc() || end != digits.data() + digits.size()) return false;
            if (url.port < 1 || url.port > 65535) return false;
        }
        authority = authority.substr(0, colon);
    }
    url.host = to_lower(authority);
    return !url.host.empty() && url.host.find_first_of(" \t\r\n\\<>\"") == std::string::npos;
}

// RFC 3986, section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    const auto segments = split(path.substr(path.starts_with('/') ? 1 : 0), '/');
    for (size_t i = 0; i < segments.size(); ++i) {
        const bool last = i + 1 == segments.size();
        if (segments[i] == "..") {
            if (!kept.empty()) kept.pop_back();
            if (last) kept.emplace_back();
        } else if (segments[i] == ".") {
            if (last) kept.emplace_back();
        } else {
            kept.push_back(segments[i]);
        }
    }
    std::string joined;
    for (const auto segment : kept) joined.append("/").append(segment);
    return joined.empty() ? "/" : joined;
}

bool looks_secret(std::string_view name, std::span<const std::string> secret_params) {
    if (std::find(secret_params.begin(), secret_params.end(), name) != secret_params.end()) return true;
    constexpr std::string_view kSigns[] = {"token", "key", "secret", "pass", "sig", "auth", "cred", "jwt", "session"};
    const std::string lower = to_lower(name);
    if (lower == "max-keys" || lower == "key-marker") return false;  // of a list of objects
    return std::any_of(std::begin(kSigns), std::end(kSigns),
                       [&](std::string_view sign) { return lower.find(sign) != std::string::npos; });
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || !is_scheme(text.substr(0, scheme_end)))
        return Error(ErrorKind::invalid_config,
                     "not a URL: " + printable_url(text) + "; write it with its scheme, as https://host/path");
    Url url;
    url.scheme = to_lower(text.substr(0, scheme_end));
    std::string_view rest = text.substr(scheme_end + 3);
    std::string_view tail;
    rest = cut(rest, '#', tail);
    url.fragment = tail;
    tail = {};
    rest = cut(rest, '?', tail);
    url.query = tail;
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) url.path = rest.substr(slash);
    if (!parse_authority(rest.substr(0, slash), url))
        return Error(ErrorKind::invalid_config, "host or port of a URL is wrong: " + printable_url(text));
    return url;
}

int Url::effective_port() const {
    if (port != 0) return port;
    return scheme == "https" ? 443 : 80;
}

std::string Url::authority() const {
    const bool is_default = port == 0 || (scheme == "https" && port == 443) || (scheme == "http" && port == 80);
    return is_default ? host : host + ":" + std::to_string(port);
}

std::string Url::origin() const { return scheme + "://" + authority(); }

std::string Url::to_string() const {
    std::string text = scheme + "://";
    if (!user_info.empty()) text += user_info + "@";
    text += authority() + path;
    if (!query.empty()) text += "?" + query;
    if (!fragment.empty()) text += "#" + fragment;
    return text;
}

bool is_same_site(const Url& from, const Url& to) {
    if (from.host != to.host) return false;
    if (from.scheme == to.scheme) return from.effective_port() == to.effective_port();
    return from.scheme == "http" && to.scheme == "https" && from.effective_port() == 80 && to.effective_port() == 443;
}

Result<Url> resolve_reference(const Url& base, std::string_view reference) {
    const auto colon = reference.find(':');
    const auto stop = reference.find_first_of("/?#");
    if (colon != std::string_view::npos && (stop == std::string_view::npos || colon < stop) &&
        is_scheme(reference.substr(0, colon)))
        return Url::parse(reference);
    if (reference.starts_with("//")) return Url::parse(base.scheme + ":" + std::string(reference));

    Url url = base;
    url.fragment.clear();
    std::string_view fragment;
    std::string_view query;
    const auto unfragmented = cut(reference, '#', fragment);
    const auto path = cut(unfragmented, '?', query);
    url.fragment = fragment;
    if (path.empty()) {
        if (unfragmented.starts_with('?')) url.query = query;
        return url;
    }
    url.query = query;
    if (path.starts_with('/')) {
        url.path = remove_dot_segments(path);
    } else {
        const auto slash = base.path.rfind('/');
        const std::string folder = slash == std::string::npos ? "/" : base.path.substr(0, slash + 1);
        url.path = remove_dot_segments(folder + std::string(path));
    }
    return url;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return encoded;
}

std::string percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

QueryParams parse_query(std::string_view query) {
    QueryParams params;
    for (const auto part : split(query, '&')) {
        if (part.empty()) continue;
        std::string_view value;
        std::string name(cut(part, '=', value));
        std::string text(value);
        std::replace(name.begin(), name.end(), '+', ' ');
        std::replace(text.begin(), text.end(), '+', ' ');
        params.emplace_back(percent_decode(name), percent_decode(text));
    }
    return params;
}

std::string format_query(const QueryParams& params) {
    std::string query;
    for (const auto& [name, value] : params) {
        if (!query.empty()) query += '&';
        query += percent_encode(name) + "=" + percent_encode(value);
    }
    return query;
}

std::string without_query_param(std::string_view url, std::string_view name) {
    std::string_view fragment;
    std::string_view query;
    const std::string_view whole = cut(url, '#', fragment);
    std::string result(cut(whole, '?', query));
    char separator = '?';
    for (const auto part : split(query, '&')) {
        std::string_view ignored;
        if (part.empty() || percent_decode(cut(part, '=', ignored)) == name) continue;
        result += separator;
        result += part;
        separator = '&';
    }
    if (!fragment.empty()) result.append("#").append(fragment);
    return result;
}

std::string with_query_param(std::string_view url, std::string_view name, std::string_view value) {
    std::string_view fragment;
    const std::string without = without_query_param(url, name);
    std::string result(cut(without, '#', fragment));
    result += result.find('?') == std::string::npos ? '?' : '&';
    result += percent_encode(name) + "=" + percent_encode(value);
    if (!fragment.empty()) result.append("#").append(fragment);
    return result;
}

std::string printable_url(std::string_view url, std::span<const std::string> secret_params) {
    std::string_view query;
    std::string_view fragment;
    std::string text(cut(cut(url, '#', fragment), '?', query));
    if (const auto start = text.find("://"); start != std::string::npos) {
        const auto slash = text.find('/', start + 3);
        const auto at = text.rfind('@', slash);
        if (at != std::string::npos && at > start) text.erase(start + 3, at + 1 - (start + 3));
    }
    char separator = '?';
    for (const auto part : split(query, '&')) {
        if (part.empty()) continue;
        std::string_view value;
        const auto name = cut(part, '=', value);
        text += separator;
        text += name;
        if (part.size() != name.size())
            text.append("=").append(looks_secret(percent_decode(name), secret_params) ? "***" : value);
        separator = '&';
    }
    return text;
}

}  // namespace shaduf
