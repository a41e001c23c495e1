#include "observe/mail_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace shaduf::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MailTextTest, HeadersCannotBeBrokenOut) {
    MailText mail;
    mail.from = "sha\"duf\r\nBcc: eve@x <alerts@acme.example>";
    mail.to = {"ada@acme.example",
               "B\xC3\xB6"
               "b <bob@acme.example>"};
    mail.subject = "bad\r\nBcc: eve@x.example\n\nbody";
    mail.message_id = "inc1-2@acme.example";
    mail.in_reply_to = "inc1-1@acme.example";
    mail.text = "text";
    mail.html = "<p>html</p>";
    const std::string text = mail_to_text(mail);
    EXPECT_THAT(text, Not(HasSubstr("\nBcc")));
    EXPECT_THAT(text, HasSubstr("From: \"shaduf Bcc: eve@x\" <alerts@acme.example>\r\n"));
    EXPECT_THAT(text, HasSubstr("Subject: bad Bcc: eve@x.example body\r\n"));
    EXPECT_THAT(text, HasSubstr("To: ada@acme.example, =?utf-8?B?QsO2Yg==?= <bob@acme.example>\r\n"));
    EXPECT_THAT(text, HasSubstr("Message-ID: <inc1-2@acme.example>\r\nIn-Reply-To: <inc1-1@acme.example>\r\n"));
    EXPECT_THAT(text, HasSubstr("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"));
    for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
        EXPECT_EQ(text[at - 1], '\r');
    }
}

TEST(MailTextTest, SubjectsAreEncodedInPieces) {
    constexpr struct {
        const char* text;
        const char* expected;
    } kCases[] = {{"plain", "plain"},
                  {"caf\xC3\xA9", "=?utf-8?B?Y2Fmw6k=?="},
                  {"=?utf-8?B?eA==?=", "=?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?="}};
    for (const auto& [text, expected] : kCases) EXPECT_EQ(encode_header(text), expected);
    std::string all;
    for (int i = 0; i < 200; ++i) all += "\xE2\x82\xAC";
    const std::string encoded = encode_header(all);
    for (const std::string_view word : split(encoded, ' ')) EXPECT_LE(word.size(), 75U);
}

TEST(MailTextTest, QuotedPrintable) {
    EXPECT_EQ(encode_quoted_printable("a=b\n\xC3\xA9 \n."), "a=3Db\r\n=C3=A9=20\r\n.");
    const std::string lines = encode_quoted_printable(std::string(200, 'x'));
    for (const std::string_view line : split(lines, '\n')) EXPECT_LE(line.size(), 77U);
}

TEST(MailTextTest, Addresses) {
    constexpr struct {
        const char* text;
        const char* bare;
    } kCases[] = {{"a@b.c", "a@b.c"}, {" Ada <a@b.c> ", "a@b.c"}, {"a", ""},     {"@b", ""},       {"a@", ""},
                  {"a@b, c@d", ""},   {"<a@b> x", "a@b"},         {"a b@c", ""}, {"a@b\r\nX", ""}, {"", ""}};
    for (const auto& [text, bare] : kCases) EXPECT_EQ(bare_address(text), bare) << text;
}

}  // namespace
}  // namespace shaduf::observe
