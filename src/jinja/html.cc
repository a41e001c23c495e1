#include "jinja/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "jinja/operators.h"
#include "jinja/text_cases.h"

namespace shaduf::jinja {
namespace {

struct Entity {
    std::string_view name;
    std::string_view text;
};
constexpr std::array<Entity, 7> kEntities{{{"amp", "&"},
                                           {"lt", "<"},
                                           {"gt", ">"},
                                           {"quot", "\""},
                                           {"apos", "'"},
                                           {"nbsp", "\xC2\xA0"},
                                           {"copy", "\xC2\xA9"}}};

// The character that "&name;" stands for; false: none that is known.
bool append_entity(std::string& out, std::string_view name) {
    if (name.starts_with('#')) {
        const bool is_hex = name.size() > 1 && (name[1] | 0x20) == 'x';
        const std::string_view digits = name.substr(is_hex ? 2 : 1);
        uint32_t code = 0;
        const auto [end, status] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
        if (status != std::errc() || end != digits.data() + digits.size() || code == 0 || code > 0x10FFFF) return false;
        append_code_point(out, code);
        return true;
    }
    for (const auto& entity : kEntities) {
        if (entity.name == name) {
            out += entity.text;
            return true;
        }
    }
    return false;
}

std::string unescape_html(std::string_view text) {
    constexpr size_t kNameMax = 12;
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        const size_t end = text[at] == '&' ? text.substr(at, kNameMax).find(';') : std::string_view::npos;
        if (end != std::string_view::npos && append_entity(out, text.substr(at + 1, end - 1))) {
            at += end;
        } else {
            out += text[at];
        }
    }
    return out;
}

std::string without(std::string text, std::string_view open, std::string_view close) {
    for (size_t begin = text.find(open); begin != std::string::npos; begin = text.find(open, begin)) {
        const size_t end = text.find(close, begin);
        if (end == std::string::npos) break;
        text.erase(begin, end + close.size() - begin);
    }
    return text;
}

bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

size_t count_of(std::string_view text, std::string_view wanted) {
    size_t count = 0;
    for (size_t at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + wanted.size()))
        ++count;
    return count;
}

bool is_host_label(std::string_view label) {
    return !label.empty() && std::all_of(label.begin(), label.end(), [](char byte) {
        return is_word_byte(byte) || byte == '-' || static_cast<unsigned char>(byte) >= 0x80U;
    });
}

// "name.tld", an IPv4 address or "[an IPv6 one]", and what comes behind: a port, a path.
bool is_web_address(std::string_view text) {
    const bool has_scheme = text.starts_with("http://") || text.starts_with("https://");
    if (has_scheme) text.remove_prefix(text.find("://") + 3);
    const bool has_www = text.starts_with("www.");
    const size_t end = std::min(text.find_first_of("/?#"), text.size());
    std::string_view host = text.substr(0, end);
    if (const size_t port = host.rfind(':'); port != std::string_view::npos && !host.starts_with('[')) {
        const std::string_view digits = host.substr(port + 1);
        if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
        host = host.substr(0, port);
    }
    if (host.empty()) return false;
    if (host.starts_with('[')) return has_scheme && host.find(']') != std::string_view::npos;
    const auto labels = split_text(host, ".", -1);
    if (!std::all_of(labels.begin(), labels.end(), is_host_label)) return false;
    if (has_scheme) return host == "localhost" || labels.size() > 1;
    if (has_www) return labels.size() > 1;
    constexpr std::array<std::string_view, 6> kKnown{"com", "net", "int", "edu", "gov", "org"};
    const std::string last = map_case(labels.back(), CaseMapping::lower);
    const bool is_known =
        std::find(kKnown.begin(), kKnown.end(), last) != kKnown.end() || last == "info" || last == "mil";
    return labels.size() > 1 && is_known;
}

bool is_mail_address(std::string_view text) {
    const size_t at = text.find('@');
    if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) return false;
    const auto labels = split_text(text.substr(at + 1), ".", -1);
    if (labels.size() < 2) return false;
    return std::all_of(labels.begin(), labels.end(), is_host_label) && is_all_alpha(labels.back());
}

std::string_view take_brackets(std::string_view& word) {
    size_t size = 0;
    for (;;) {
        const std::string_view rest = word.substr(size);
        if (rest.starts_with('(') || rest.starts_with('<')) {
            ++size;
        } else if (rest.starts_with("&lt;")) {
            size += 4;
        } else {
            break;
        }
    }
    const std::string_view head = word.substr(0, size);
    word.remove_prefix(size);
    return head;
}

size_t tail_size(std::string_view word) {
    size_t size = 0;
    for (;;) {
        const std::string_view rest = word.substr(0, word.size() - size);
        if (!rest.empty() && std::string_view(")>.,\n").find(rest.back()) != std::string_view::npos) {
            ++size;
        } else if (rest.ends_with("&gt;")) {
            size += 4;
        } else {
            return size;
        }
    }
}

// Closing brackets go back to the word that has the opening ones.
void balance_brackets(std::string& middle, std::string& tail) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPairs{
        {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}}};
    for (const auto& [open, close] : kPairs) {
        const size_t opened = count_of(middle, open);
        if (opened <= count_of(middle, close)) continue;
        for (size_t left = std::min(opened, count_of(tail, close)); left > 0; --left) {
            const size_t end = tail.find(close) + close.size();
            middle += tail.substr(0, end);
            tail.erase(0, end);
        }
    }
}

std::string link(std::string_view address, std::string_view shown, const std::string& attributes) {
    return "<a href=\"" + std::string(address) + "\"" + attributes + ">" + std::string(shown) + "</a>";
}

std::string linked(const std::string& word, const UrlizeOptions& options, const std::string& relation,
                   const std::string& target) {
    const auto shown = [&]() -> std::string {
        if (!options.length_max || static_cast<int64_t>(count_code_points(word)) <= *options.length_max) return word;
        return std::string(slice_code_points(word, 0, static_cast<size_t>(std::max<int64_t>(*options.length_max, 0)))) +
               "...";
    };
    if (is_web_address(word)) {
        const bool has_scheme = word.starts_with("https://") || word.starts_with("http://");
        return link(has_scheme ? word : "https://" + word, shown(), relation + target);
    }
    if (word.starts_with("mailto:") && is_mail_address(std::string_view(word).substr(7))) {
        return link(word, word.substr(7), "");
    }
    if (word.find('@') != std::string::npos && !word.starts_with("www.") && word.find(':') == std::string::npos &&
        is_mail_address(word)) {
        return link("mailto:" + word, word, "");
    }
    for (const auto& scheme : options.schemes) {
        if (word != scheme && word.starts_with(scheme)) return link(word, word, relation + target);
    }
    return word;
}

}  // namespace

std::string strip_tags(std::string_view html) {
    const std::string text = without(without(std::string(html), "<!--", "-->"), "<", ">");
    std::string joined;
    for (const auto word : split_space(text, -1)) {
        if (!joined.empty()) joined += ' ';
        joined += word;
    }
    return unescape_html(joined);
}

std::string url_quote(std::string_view text, UrlPart part) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    for (const char byte : text) {
        const bool is_plain =
            is_word_byte(byte) || byte == '.' || byte == '-' || byte == '~' || (byte == '/' && part == UrlPart::path);
        if (is_plain) {
            out += byte;
        } else if (byte == ' ' && part == UrlPart::query) {
            out += '+';
        } else {
            const auto code = static_cast<unsigned char>(byte);
            out += '%';
            out += kDigits[code >> 4U];
            out += kDigits[code & 0xFU];
        }
    }
    return out;
}

bool is_url_scheme(std::string_view scheme) {
    const size_t colon = scheme.find(':');
    if (colon == std::string_view::npos || colon < 2) return false;
    const std::string_view rest = scheme.substr(colon + 1);
    return (rest.empty() || rest == "/" || rest == "//") &&
           std::all_of(scheme.begin(), scheme.begin() + static_cast<std::ptrdiff_t>(colon),
                       [](char byte) { return is_word_byte(byte) || byte == '.' || byte == '+' || byte == '-'; });
}

std::string urlize(std::string_view text, const UrlizeOptions& options) {
    const std::set<std::string> relations(options.relations.begin(), options.relations.end());
    std::string relation;
    for (const auto& part : relations) relation += (relation.empty() ? "" : " ") + part;
    if (!relation.empty()) relation = " rel=\"" + escape_html(relation) + "\"";
    const std::string target = options.target.empty() ? "" : " target=\"" + escape_html(options.target) + "\"";
    std::string out;
    while (!text.empty()) {
        const std::string_view rest = strip_space(text, Side::left);
        out += text.substr(0, text.size() - rest.size());
        size_t end = 0;
        while (end < rest.size() && !is_space(code_point_at(rest, end))) end += code_point_size(rest, end);
        std::string_view word = rest.substr(0, end);
        out += take_brackets(word);
        const size_t tail_bytes = tail_size(word);
        std::string tail(word.substr(word.size() - tail_bytes));
        std::string middle(word.substr(0, word.size() - tail_bytes));
        balance_brackets(middle, tail);
        out += linked(middle, options, relation, target) + tail;
        text = rest.substr(end);
    }
    return out;
}

}  // namespace shaduf::jinja
