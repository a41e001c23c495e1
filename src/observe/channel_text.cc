#include "observe/channel_text.h"

#include "base/text.h"
#include "base/time.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kEllipsis = "...";

std::string_view opening_of(const AlertMessage& message) {
    switch (message.kind) {
        case MessageKind::reminder: return "Still: ";
        case MessageKind::resolved: return "Over: ";
        case MessageKind::fired:
        case MessageKind::test: return "";
    }
    return "";
}

void add_line(std::string& text, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text += std::string(name) + std::string(value) + "\n";
}

}  // namespace

std::string_view word_of(Severity severity) {
    return severity == Severity::info ? "info" : severity == Severity::warning ? "warning" : "error";
}

std::string origin_of(const AlertMessage& message) {
    if (message.project.empty() || message.environment.empty()) return message.project + message.environment;
    return message.project + ", " + message.environment;
}

std::string headline_of(const AlertMessage& message) {
    const std::string origin = origin_of(message);
    return one_line((origin.empty() ? "" : "[" + origin + "] ") + std::string(opening_of(message)) + message.title);
}

std::string more_of(const AlertMessage& message, size_t shown) {
    const auto left = message.count - static_cast<int64_t>(shown);
    return left > 0 ? "and " + format_count(left) + " more" : "";
}

std::string plain_text_of(const AlertMessage& message) {
    std::string text = headline_of(message) + "\n";
    for (const AlertLine& line : message.lines) {
        text += "\n";
        if (message.count > 1) add_line(text, line.is_over ? "(over) " : "", line.title);
        add_line(text, "", line.text);
        if (message.kind == MessageKind::resolved) continue;
        add_line(text, "Probable cause: ", line.cause);
        add_line(text, "What to do: ", line.advice);
        add_line(text, "", line.link);
    }
    const std::string more = more_of(message, message.lines.size());
    if (!more.empty()) text += "\n" + more + "\n";
    if (message.kind != MessageKind::test) {
        text += "\nSince " + format_timestamp(message.began) + ", " + std::string(word_of(message.severity)) +
                ", by the rule " + message.rule + "\n";
    }
    add_line(text, "", message.link);
    return text;
}

std::string shorten(std::string_view text, size_t bytes_max) {
    if (text.size() <= bytes_max) return std::string(text);
    size_t end = bytes_max > kEllipsis.size() ? bytes_max - kEllipsis.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return std::string(text.substr(0, end)) + std::string(kEllipsis.substr(0, bytes_max - end));
}

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_control = static_cast<unsigned char>(c) < 0x20U || c == 0x7F;
        if (!is_control) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    return out;
}

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

}  // namespace shaduf::observe
