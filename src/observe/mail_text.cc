#include "observe/mail_text.h"

#include <array>

#include "base/text.h"
#include "io/crypto.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kLineMax = 76;
constexpr size_t kWordBytesMax = 42;  // of an encoded word before base64: 56 characters, and 12 around them

bool is_ascii(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x7FU || static_cast<unsigned char>(c) < 0x20U) return false;
    }
    return true;
}

// A long header goes on in lines that begin with a space.
std::string fold(std::string_view name, std::string_view value) {
    std::string out(name);
    out += ": ";
    size_t column = out.size();
    bool is_first = true;
    for (const std::string_view word : split(value, ' ')) {
        if (!is_first && column + 1 + word.size() > kLineMax) {
            out += "\r\n ";
            column = 1;
        } else if (!is_first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        is_first = false;
    }
    return out + "\r\n";
}

// "Name <address>" with the name as a header may have it.
std::string encode_address(std::string_view address) {
    const size_t bracket = address.rfind('<');
    if (bracket == std::string_view::npos) return bare_address(address);
    std::string name = one_line(trim(address.substr(0, bracket)));
    const std::string bare = "<" + bare_address(address) + ">";
    if (name.empty()) return bare;
    if (!is_ascii(name)) return encode_header(name) + " " + bare;
    std::erase_if(name, [](char c) { return c == '"' || c == '\\'; });
    return "\"" + name + "\" " + bare;
}

std::string digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

void add_part(std::string& out, const std::string& boundary, const char* type, std::string_view text) {
    out += "--" + boundary + "\r\nContent-Type: " + type +
           "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + encode_quoted_printable(text) +
           "\r\n";
}

}  // namespace

std::string bare_address(std::string_view address) {
    std::string_view bare = trim(address);
    if (const size_t bracket = bare.rfind('<'); bracket != std::string_view::npos) {
        bare = bare.substr(bracket + 1);
        bare = bare.substr(0, bare.find('>'));
    }
    const size_t at = bare.rfind('@');
    const bool is_one = at != std::string_view::npos && at > 0 && at + 1 < bare.size() && is_ascii(bare) &&
                        bare.find_first_of(" <>,;:\"\\") == std::string_view::npos;
    return is_one ? std::string(bare) : "";
}

std::string encode_header(std::string_view text) {
    const std::string line = one_line(text);
    const bool looks_encoded = line.find("=?") != std::string::npos;
    if (is_ascii(line) && !looks_encoded) return line;
    const std::string whole = is_valid_utf8(line) ? line : make_valid_utf8(line);
    std::string out;
    for (size_t at = 0; at < whole.size();) {
        size_t end = std::min(whole.size(), at + kWordBytesMax);
        while (end < whole.size() && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) --end;
        if (!out.empty()) out += ' ';
        out += "=?utf-8?B?" + to_base64(std::string_view(whole).substr(at, end - at)) + "?=";
        at = end;
    }
    return out;
}

std::string encode_quoted_printable(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    size_t column = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r') continue;
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
        const bool is_plain = (byte > 0x20U && byte < 0x7FU && c != '=') || (c == ' ' && !ends_line);
        const size_t width = is_plain ? 1 : 3;
        if (column + width >= kLineMax) {
            out += "=\r\n";
            column = 0;
        }
        if (is_plain) {
            out += c;
        } else {
            out += '=';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
        column += width;
    }
    return out;
}

std::string format_mail_date(Timestamp at) {
    constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto midnight = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(midnight);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - midnight));
    return std::string(kDays[std::chrono::weekday(midnight).c_encoding()]) + ", " +
           digits(static_cast<int>(static_cast<unsigned>(date.day()))) + " " +
           kMonths[static_cast<unsigned>(date.month()) - 1] + " " + std::to_string(static_cast<int>(date.year())) +
           " " + digits(static_cast<int>(time.hours().count())) + ":" +
           digits(static_cast<int>(time.minutes().count())) + ":" + digits(static_cast<int>(time.seconds().count())) +
           " +0000";
}

std::string mail_to_text(const MailText& mail) {
    std::string to;
    for (const std::string& address : mail.to) to += (to.empty() ? "" : ", ") + encode_address(address);
    const std::string boundary = "shaduf-" + to_hex(sha256(mail.message_id)).substr(0, 24);
    std::string out = fold("From", encode_address(mail.from)) + fold("To", to);
    out += fold("Subject", encode_header(mail.subject)) + fold("Date", format_mail_date(mail.at));
    out += fold("Message-ID", "<" + mail.message_id + ">");
    if (!mail.in_reply_to.empty()) {
        out += fold("In-Reply-To", "<" + mail.in_reply_to + ">") + fold("References", "<" + mail.in_reply_to + ">");
    }
    out +=
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"" +
        boundary + "\"\r\n\r\n";
    add_part(out, boundary, "text/plain", mail.text);
    add_part(out, boundary, "text/html", mail.html);
    return out + "--" + boundary + "--\r\n";
}

}  // namespace shaduf::observe
