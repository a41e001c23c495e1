#include "io/xml_text.h"

#include <cstdint>
#include <cstdlib>

namespace shaduf {
namespace {

// Where the element `name` opens at or behind `from`: the position behind its ">"; npos when there is none.
// `is_empty` tells <name/>.
size_t find_open(std::string_view xml, std::string_view name, size_t from, bool& is_empty) {
    for (size_t at = xml.find('<', from); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        const std::string_view rest = xml.substr(at + 1);
        if (!rest.starts_with(name) || rest.size() == name.size()) continue;
        const char behind = rest[name.size()];
        if (behind != '>' && behind != '/' && behind != ' ' && behind != '\t' && behind != '\r' && behind != '\n')
            continue;
        const auto end = xml.find('>', at);
        if (end == std::string_view::npos) return end;
        is_empty = xml[end - 1] == '/';
        return end + 1;
    }
    return std::string_view::npos;
}

void append_utf8(std::string& text, uint32_t code) {
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    } else if (code < 0x10000) {
        text += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                 static_cast<char>(0x80 | (code & 0x3F))};
    } else {
        text += {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3F)),
                 static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
    }
}

// "amp", "#65", "#x41"; false when it is none that XML knows.
bool append_entity(std::string& text, std::string_view entity) {
    if (entity.size() > 1 && entity[0] == '#') {
        const bool is_hex = entity[1] == 'x';
        const std::string digits(entity.substr(is_hex ? 2 : 1));
        char* end = nullptr;
        const auto code = std::strtoul(digits.c_str(), &end, is_hex ? 16 : 10);
        if (digits.empty() || *end != '\0' || code > 0x10FFFF) return false;
        append_utf8(text, static_cast<uint32_t>(code));
        return true;
    }
    struct Named {
        std::string_view name;
        char character;
    };
    constexpr Named kNamed[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [name, character] : kNamed) {
        if (entity != name) continue;
        text += character;
        return true;
    }
    return false;
}

std::string unescape(std::string_view escaped) {
    std::string text;
    for (size_t i = 0; i < escaped.size(); ++i) {
        const auto end = escaped[i] == '&' ? escaped.find(';', i) : std::string_view::npos;
        if (end != std::string_view::npos && append_entity(text, escaped.substr(i + 1, end - i - 1)))
            i = end;
        else
            text += escaped[i];
    }
    return text;
}

}  // namespace

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
    std::vector<std::string_view> insides;
    const std::string close = "</" + std::string(name) + ">";
    for (size_t from = 0;;) {
        bool is_empty = false;
        const auto start = find_open(xml, name, from, is_empty);
        if (start == std::string_view::npos) return insides;
        from = start;
        if (is_empty) {
            insides.emplace_back();
            continue;
        }
        const auto end = xml.find(close, start);
        if (end == std::string_view::npos) return insides;
        insides.push_back(xml.substr(start, end - start));
        from = end + close.size();
    }
}

std::string xml_text(std::string_view xml, std::string_view name) {
    bool is_empty = false;
    const auto start = find_open(xml, name, 0, is_empty);
    if (start == std::string_view::npos || is_empty) return {};
    const auto end = xml.find("</" + std::string(name) + ">", start);
    return end == std::string_view::npos ? std::string() : unescape(xml.substr(start, end - start));
}

std::string_view xml_root(std::string_view xml) {
    for (size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        const auto rest = xml.substr(at + 1);
        if (rest.empty() || rest[0] == '?' || rest[0] == '!') continue;
        return rest.substr(0, rest.find_first_of(" \t\r\n/>"));
    }
    return {};
}

std::string xml_escape(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            default: escaped += c;
        }
    }
    return escaped;
}

}  // namespace shaduf
