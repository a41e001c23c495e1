#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace shaduf::observe {

// A mail of text and HTML alike, of which the reader's program shows what it can.
struct MailText {
    std::string from;             // "shaduf <alerts@acme.example>", or the address alone
    std::vector<std::string> to;  // the same
    std::string subject;
    std::string message_id;   // without brackets: the same at each try
    std::string in_reply_to;  // "": it begins a thread
    Timestamp at{};
    std::string text;
    std::string html;
};

// Headers and body as SMTP takes them, lines ended by CRLF, all ASCII (RFC 5322, 2045 to 2047). What would end a header
// in a subject or a name becomes a space.
std::string mail_to_text(const MailText& mail);

// A header's text in ASCII: as it is, or in encoded words of RFC 2047, each at most 75 characters.
std::string encode_header(std::string_view text);
std::string encode_quoted_printable(std::string_view text);
// "Sun, 22 Nov 2026 08:05:03 +0000"
std::string format_mail_date(Timestamp at);
// "alerts@acme.example" of "shaduf <alerts@acme.example>"; "" when that is none.
std::string bare_address(std::string_view address);

}  // namespace shaduf::observe
