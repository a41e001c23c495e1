#include "io/http_head.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr int kBad = 400;
constexpr int kTooManyHeaders = 431;
constexpr int kUnknownCoding = 501;
constexpr int kUnknownVersion = 505;
constexpr size_t kLengthDigitsMax = 18;

bool is_token(std::string_view text) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || kOthers.find(c) != std::string_view::npos;
    });
}

// Texts of headers have tabs, but no other control character.
bool is_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return c == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

bool is_length(std::string_view text) {
    return !text.empty() && text.size() <= kLengthDigitsMax &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct FirstLine {
    std::string_view target;
    bool is_1_1 = false;
};

int read_first_line(std::string_view line, FirstLine& out) {
    const size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || !is_text(line)) return kBad;
    const std::string_view version = line.substr(last + 1);
    out.target = line.substr(first + 1, last - first - 1);
    out.is_1_1 = version == "HTTP/1.1";
    if (!is_token(line.substr(0, first)) || out.target.empty() || out.target.find(' ') != std::string_view::npos) {
        return kBad;
    }
    if (out.is_1_1 || version == "HTTP/1.0") return 0;
    return version.starts_with("HTTP/") ? kUnknownVersion : kBad;
}

// A target with a host of its own must mean the one of the header.
bool is_for_host(std::string_view target, std::string_view host) {
    if (target.starts_with('/') || target == "*") return true;
    const size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return false;
    const std::string_view authority = target.substr(scheme + 3);
    return equals_ignoring_case(authority.substr(0, authority.find_first_of("/?#")), host);
}

// What is said more than once, and how long the body is.
struct Framing {
    int hosts = 0, lengths = 0, codings = 0, headers = 0;
    std::string_view host;
    int problem = 0;

    void take(std::string_view name, std::string_view value) {
        if (++headers > kHeadersMax) problem = kTooManyHeaders;
        if (equals_ignoring_case(name, "Host")) {
            ++hosts;
            host = value;
        } else if (equals_ignoring_case(name, "Content-Length")) {
            ++lengths;
            if (!is_length(value)) problem = kBad;
        } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
            ++codings;
            if (!equals_ignoring_case(value, "chunked")) problem = kUnknownCoding;
        }
    }
};

}  // namespace

int check_request_head(std::string_view head) {
    FirstLine first;
    Framing framing;
    for (bool is_first = true;; is_first = false) {
        const size_t end = head.find('\n');
        if (end == std::string_view::npos) return kBad;  // it does not end by an empty line
        if (end == 0 || head[end - 1] != '\r') return kBad;
        const std::string_view line = head.substr(0, end - 1);
        head.remove_prefix(end + 1);
        if (is_first) {
            if (const int problem = read_first_line(line, first)) return problem;
            continue;
        }
        if (line.empty()) break;
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_text(line)) return kBad;
        framing.take(line.substr(0, colon), trim(line.substr(colon + 1)));
        if (framing.problem != 0) return framing.problem;
    }
    if (framing.hosts > 1 || (framing.hosts == 0 && first.is_1_1)) return kBad;
    if (framing.lengths + framing.codings > 1 || (framing.codings > 0 && !first.is_1_1)) return kBad;
    return is_for_host(first.target, framing.host) ? 0 : kBad;
}

}  // namespace shaduf
