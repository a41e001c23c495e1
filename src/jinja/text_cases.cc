#include "jinja/text_cases.h"

#include <algorithm>

#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

bool is_all(std::string_view text, bool (*check)(char32_t)) {
    bool holds = !text.empty();
    each_code_point(text, [&](std::string_view, char32_t code) { holds = holds && check(code); });
    return holds;
}

bool is_decimal(char32_t code) { return is_digit(code) && code != 0xB2 && code != 0xB3 && code != 0xB9; }
bool is_cased(char32_t code) { return is_upper(code) || is_lower(code); }

bool is_cased_text(std::string_view text, bool (*wanted)(char32_t), bool (*unwanted)(char32_t)) {
    bool found = false;
    bool is_broken = false;
    each_code_point(text, [&](std::string_view, char32_t code) {
        found = found || wanted(code);
        is_broken = is_broken || unwanted(code);
    });
    return found && !is_broken;
}

constexpr size_t kTextBytesMax = 256ULL << 20U;

}  // namespace

std::string capitalize(std::string_view text) {
    std::string out;
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        if (code == 0xDF && out.empty()) {
            out += "Ss";
        } else if (bytes.size() == 1 && code >= 0x80) {
            out += bytes;
        } else {
            append_mapped(out, code, out.empty() ? CaseMapping::upper : CaseMapping::lower);
        }
    });
    return out;
}

std::string fold_case(std::string_view text) {
    std::string out;
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        if (code == 0xDF || code == 0x1E9E) {
            out += "ss";
        } else {
            out += map_case(bytes, CaseMapping::lower);
        }
    });
    return out;
}

std::string swap_case(std::string_view text) {
    std::string out;
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        if (is_upper(code)) {
            append_mapped(out, code, CaseMapping::lower);
        } else if (is_lower(code)) {
            append_mapped(out, code, CaseMapping::upper);
        } else {
            out += bytes;
        }
    });
    return out;
}

std::string title_case(std::string_view text) {
    std::string out;
    bool follows_cased = false;
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        if (!is_cased(code)) {
            out += bytes;
        } else if (code == 0xDF && !follows_cased) {
            out += "Ss";
        } else {
            append_mapped(out, code, follows_cased ? CaseMapping::lower : CaseMapping::upper);
        }
        follows_cased = is_cased(code);
    });
    return out;
}

bool is_all_alnum(std::string_view text) { return is_all(text, is_alnum); }
bool is_all_alpha(std::string_view text) { return is_all(text, is_alpha); }
bool is_all_decimal(std::string_view text) { return is_all(text, is_decimal); }
bool is_all_digit(std::string_view text) { return is_all(text, is_digit); }
bool is_all_printable(std::string_view text) { return text.empty() || is_all(text, is_printable); }
bool is_all_space(std::string_view text) { return is_all(text, is_space); }
bool is_identifier(std::string_view text) {
    return is_all(text, is_name_part) && is_name_start(code_point_at(text, 0));
}
bool is_lower_text(std::string_view text) { return is_cased_text(text, is_lower, is_upper); }
bool is_upper_text(std::string_view text) { return is_cased_text(text, is_upper, is_lower); }

bool is_title_text(std::string_view text) {
    bool found = false;
    bool is_broken = false;
    bool follows_cased = false;
    each_code_point(text, [&](std::string_view, char32_t code) {
        if (is_upper(code) && follows_cased) is_broken = true;
        if (is_lower(code) && !follows_cased) is_broken = true;
        follows_cased = is_cased(code);
        found = found || follows_cased;
    });
    return found && !is_broken;
}

Result<std::string> justify(std::string_view text, int64_t width, std::string_view fill, Side side) {
    if (count_code_points(fill) != 1) return template_error("The fill character must be exactly one character long");
    if (width > kWidthMax) return template_error("the width is too big: " + std::to_string(width));
    const auto size = static_cast<int64_t>(count_code_points(text));
    const int64_t missing = std::max<int64_t>(width - size, 0);
    const int64_t left = side == Side::left ? missing : side == Side::right ? 0 : missing / 2 + (missing & width & 1);
    std::string out;
    for (int64_t i = 0; i < left; ++i) out += fill;
    out += text;
    for (int64_t i = left; i < missing; ++i) out += fill;
    return out;
}

Result<Value> strip_text(const Value& self, const Value& chars, Side side) {
    std::string_view text = self.string();
    if (chars.is_none()) return Value(strip_space(text, side));
    if (!chars.is_string()) return template_error("strip arg must be None or str");
    const auto is_stripped = [&](std::string_view bytes) { return chars.string().find(bytes) != std::string::npos; };
    while (side != Side::right && !text.empty()) {
        const size_t size = code_point_size(text, 0);
        if (!is_stripped(text.substr(0, size))) break;
        text.remove_prefix(size);
    }
    while (side != Side::left && !text.empty()) {
        size_t last = text.size() - 1;
        while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80U) --last;
        if (!is_stripped(text.substr(last))) break;
        text = text.substr(0, last);
    }
    return Value(text);
}

std::vector<std::string_view> split_text(std::string_view text, std::string_view separator, int64_t count) {
    std::vector<std::string_view> parts;
    for (; count != 0; --count) {
        const size_t at = text.find(separator);
        if (at == std::string_view::npos) break;
        parts.push_back(text.substr(0, at));
        text.remove_prefix(at + separator.size());
    }
    parts.push_back(text);
    return parts;
}

std::vector<std::string_view> split_text_from_end(std::string_view text, std::string_view separator, int64_t count) {
    std::vector<std::string_view> parts;
    for (; count != 0; --count) {
        const size_t at = text.rfind(separator);
        if (at == std::string_view::npos) break;
        parts.push_back(text.substr(at + separator.size()));
        text = text.substr(0, at);
    }
    parts.push_back(text);
    std::reverse(parts.begin(), parts.end());
    return parts;
}

std::vector<std::string_view> split_space(std::string_view text, int64_t count) {
    std::vector<std::string_view> parts;
    text = strip_space(text, Side::left);
    while (!text.empty()) {
        if (count-- == 0) {
            parts.push_back(text);
            break;
        }
        size_t end = 0;
        while (end < text.size() && !is_space(code_point_at(text, end))) end += code_point_size(text, end);
        parts.push_back(text.substr(0, end));
        text = strip_space(text.substr(end), Side::left);
    }
    return parts;
}

std::vector<std::string_view> split_space_from_end(std::string_view text, int64_t count) {
    std::vector<std::string_view> parts;
    text = strip_space(text, Side::right);
    while (!text.empty()) {
        if (count-- == 0) {
            parts.push_back(text);
            break;
        }
        size_t begin = 0;  // of the last word
        for (size_t at = 0; at < text.size(); at += code_point_size(text, at)) {
            if (is_space(code_point_at(text, at))) begin = at + code_point_size(text, at);
        }
        parts.push_back(text.substr(begin));
        text = strip_space(text.substr(0, begin), Side::right);
    }
    std::reverse(parts.begin(), parts.end());
    return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, LineEnds ends) {
    const auto ends_line = [](char32_t code) {
        return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 ||
               code == 0x2029;
    };
    std::vector<std::string_view> lines;
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
        const size_t size = code_point_size(text, at);
        const bool is_byte = size == 1 && static_cast<unsigned char>(text[at]) >= 0x80U;
        if (is_byte || !ends_line(code_point_at(text, at))) {
            at += size;
            continue;
        }
        const size_t end = at + (text.substr(at, 2) == "\r\n" ? 2 : size);
        lines.push_back(text.substr(begin, (ends == LineEnds::kept ? end : at) - begin));
        begin = at = end;
    }
    if (begin < text.size()) lines.push_back(text.substr(begin));
    return lines;
}

Result<std::string> replace_text(std::string_view text, std::string_view old, std::string_view with, int64_t count) {
    std::string out;
    size_t at = 0;
    for (; count != 0; --count) {
        const size_t found = text.find(old, at);
        if (found == std::string_view::npos) break;
        out += text.substr(at, found - at);
        out += with;
        at = found + old.size();
        if (out.size() > kTextBytesMax) return template_error("a text is too long");
        if (!old.empty()) continue;
        if (at >= text.size()) break;
        const size_t size = code_point_size(text, at);
        out += text.substr(at, size);
        at += size;
    }
    out += text.substr(std::min(at, text.size()));
    return out;
}

}  // namespace shaduf::jinja
