#include "config/yaml_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"

namespace shaduf {
namespace {

// What YAML 1.1 or 1.2, or one of their readers, takes for something else than text.
bool is_word_of_yaml(std::string_view text) {
    static constexpr std::string_view kWords[] = {"null", "true", "false", "yes",   "no",    "on",   "off", "y",
                                                  "n",    "~",    ".inf",  "-.inf", "+.inf", ".nan", "<<",  "="};
    return std::any_of(std::begin(kWords), std::end(kWords),
                       [&](std::string_view word) { return equals_ignoring_case(word, text); });
}

// Numbers of all kinds, dates and times.
bool looks_like_number(std::string_view text) {
    const std::string_view digits =
        text.substr(text.find_first_not_of("+-.") == text.npos ? text.size() : text.find_first_not_of("+-."));
    return !digits.empty() && digits.front() >= '0' && digits.front() <= '9' &&
           digits.find_first_not_of("0123456789abcdefABCDEFxXoOtTzZ_.:+- ") == std::string_view::npos;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// C1 controls, the line ends of Unicode, its byte order mark, and what is no character.
bool has_special(std::string_view text) {
    for (size_t i = 0; i + 1 < text.size(); ++i) {
        const auto first = static_cast<unsigned char>(text[i]);
        const auto second = static_cast<unsigned char>(text[i + 1]);
        if (first == 0xC2 && second < 0xA0) return true;
        const auto rest = text.substr(i, 3);
        if (rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9" || rest == "\xEF\xBB\xBF") return true;
        if (rest == "\xEF\xBF\xBE" || rest == "\xEF\xBF\xBF") return true;
    }
    return false;
}

bool may_be_plain(std::string_view text, bool in_flow) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`=").find(text.front()) != std::string_view::npos) return false;
    if (text.find(": ") != text.npos || text.find(" #") != text.npos || text.starts_with("...")) return false;
    if (in_flow && text.find_first_of(",[]{}:") != text.npos) return false;
    return !has_control(text) && !has_special(text) && !is_word_of_yaml(text) && !looks_like_number(text);
}

std::string double_quoted(std::string_view text) {
    std::string out = "\"";
    for (size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto rest = text.substr(i, 3);
        std::array<char, 8> escape{};
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c < 0x20 || c == 0x7F) {
            std::snprintf(escape.data(), escape.size(), "\\x%02X", static_cast<unsigned>(c));
            out += escape.data();
        } else if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
            std::snprintf(escape.data(), escape.size(), "\\x%02X", static_cast<unsigned>(text[++i]) & 0xFFU);
            out += escape.data();
        } else if (rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9") {
            out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else if (rest == "\xEF\xBB\xBF") {
            out += "\\uFEFF";
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out + '"';
}

std::string single_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c;
        if (c == '\'') out += c;
    }
    return out + '\'';
}

bool may_be_literal(std::string_view text) {
    if (text.find('\n') == text.npos || text.front() == ' ' || text.front() == '\n' || text.front() == '\t')
        return false;
    if (text.ends_with("\n\n") || has_special(text)) return false;
    return std::none_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
    });
}

// "|" and the lines behind it.
YamlValueText literal(std::string_view text, const YamlStyle& style, size_t column) {
    YamlValueText out;
    out.in_line = text.ends_with('\n') ? "|" : "|-";
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (const std::string_view line : split(text, '\n')) {
        out.lines += style.newline;
        if (!line.empty()) out.lines += std::string(column, ' ') + std::string(line);
    }
    return out;
}

YamlPiece::Style usual(const YamlStyle& style) {
    return style.quote == '\'' ? YamlPiece::Style::single_quoted : YamlPiece::Style::plain;
}

void count_styles(const YamlPiece& piece, size_t& singles, size_t& doubles) {
    if (piece.kind == YamlPiece::Kind::scalar) {
        singles += piece.style == YamlPiece::Style::single_quoted ? 1 : 0;
        doubles += piece.style == YamlPiece::Style::double_quoted ? 1 : 0;
    }
    for (const YamlPiece& item : piece.items) count_styles(item, singles, doubles);
    for (const YamlEntry& entry : piece.entries) count_styles(entry.value, singles, doubles);
}

size_t column_of(std::string_view text, size_t at) {
    const size_t line = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return line == std::string_view::npos ? at : at - line - 1;
}

// The indents of the first map and the first list below a key.
void find_indents(std::string_view text, const YamlPiece& piece, size_t& maps, size_t& lists) {
    for (const YamlPiece& item : piece.items) find_indents(text, item, maps, lists);
    for (const YamlEntry& entry : piece.entries) {
        const YamlPiece& value = entry.value;
        if (value.is_block()) {
            const size_t key = column_of(text, entry.key.start);
            const size_t below = column_of(text, value.body);
            const bool is_list = value.kind == YamlPiece::Kind::list;
            size_t& found = is_list ? lists : maps;
            if (found == std::string_view::npos && below + (is_list ? 1 : 0) > key && below - key <= 8) {
                found = below - key;
            }
        }
        find_indents(text, value, maps, lists);
    }
}

}  // namespace

YamlStyle style_of(std::string_view text, const YamlPiece& root) {
    YamlStyle style;
    const size_t line_end = text.find('\n');
    if (line_end != text.npos && line_end > 0 && text[line_end - 1] == '\r') style.newline = "\r\n";
    size_t singles = 0, doubles = 0;
    count_styles(root, singles, doubles);
    if (singles > doubles) style.quote = '\'';
    size_t maps = text.npos, lists = text.npos;
    find_indents(text, root, maps, lists);
    if (maps != text.npos) style.indent = maps;
    style.list_indent = lists != text.npos ? lists : style.indent;
    return style;
}

std::string scalar_text(const Node& value, const YamlStyle& style, YamlPiece::Style like, bool in_flow) {
    if (value.is_null()) return "null";
    const std::string& text = value.text();
    if (!value.is_quoted() && !text.empty()) {
        // A number or a boolean as it came, unless only quotes make a text of it.
        const Node plain = Node::scalar(text, false, {});
        if (may_be_plain(text, in_flow) || plain.to_json().front() != '"') return text;
    }
    const bool wants_quotes = like == YamlPiece::Style::single_quoted || like == YamlPiece::Style::double_quoted;
    if (!wants_quotes && may_be_plain(text, in_flow)) return text;
    const bool single = wants_quotes ? like == YamlPiece::Style::single_quoted : style.quote == '\'';
    if (single && !has_control(text) && !has_special(text)) return single_quoted(text);
    return double_quoted(text);
}

std::string flow_text(const Node& value, const YamlStyle& style) {
    std::string out;
    if (value.is_list()) {
        for (const Node& item : value.items()) out += (out.empty() ? "" : ", ") + flow_text(item, style);
        return "[" + out + "]";
    }
    if (value.is_map()) {
        for (const Node::Entry& entry : value.entries()) {
            const Node key = Node::scalar(entry.key, true, {});
            out += (out.empty() ? "" : ", ") + scalar_text(key, style, YamlPiece::Style::plain, true) + ": " +
                   flow_text(entry.value, style);
        }
        return "{" + out + "}";
    }
    return scalar_text(value, style, usual(style), true);
}

YamlValueText text_below_key(const Node& value, const YamlStyle& style, size_t column) {
    if (value.is_map()) return block_text(value, style, column + style.indent, false);
    if (value.is_list()) return block_text(value, style, column + style.list_indent, false);
    return block_text(value, style, column + style.indent, false);
}

YamlValueText block_text(const Node& value, const YamlStyle& style, size_t column, bool is_compact) {
    const bool is_map = value.is_map() && !value.entries().empty();
    const bool is_list = value.is_list() && !value.items().empty();
    if (!is_map && !is_list) {
        if (value.is_map() || value.is_list()) return {value.is_map() ? "{}" : "[]", ""};
        if (value.is_scalar() && may_be_literal(value.text())) return literal(value.text(), style, column);
        return {scalar_text(value, style, usual(style), false), ""};
    }
    YamlValueText out;
    bool is_first = true;
    const auto add = [&](const std::string& head, const YamlValueText& text) {
        const std::string line = head + (text.in_line.empty() ? "" : " " + text.in_line);
        if (is_compact && is_first) {
            out.in_line = line;
        } else {
            out.lines += style.newline + std::string(column, ' ') + line;
        }
        out.lines += text.lines;
        is_first = false;
    };
    for (const Node& item : value.items()) add("-", block_text(item, style, column + 2, true));
    for (const Node::Entry& entry : value.entries()) {
        const Node key = Node::scalar(entry.key, true, {});
        add(scalar_text(key, style, YamlPiece::Style::plain, false) + ":", text_below_key(entry.value, style, column));
    }
    return out;
}

}  // namespace shaduf
