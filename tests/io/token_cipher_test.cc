#include "io/token_cipher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace shaduf {
namespace {

using testing::StartsWith;

struct Tokens : testing::Test {
    std::unique_ptr<TokenCipher> cipher = TokenCipher::create("passphrase").release_value();
    std::unique_ptr<TokenCipher> other = TokenCipher::create("another").release_value();

    std::string token_of(std::string_view value) const { return cipher->tokenize(value).release_value(); }
};

TEST_F(Tokens, ComeBackAndAreEqualWhereValuesAre) {
    const std::string values[] = {
        "", " ", "a", "b", "ada@example.org", std::string("\0", 1), "caf\xC3\xA9", std::string(10'000, 'x')};
    std::set<std::string> seen;
    for (const auto& value : values) {
        SCOPED_TRACE(value.substr(0, 20));
        const auto token = cipher->tokenize(value);
        ASSERT_TRUE(token.ok()) << token.error().to_string();
        EXPECT_THAT(token.value(), StartsWith("tok_"));
        EXPECT_EQ(token.value().find_first_of("+/="), std::string::npos);
        EXPECT_EQ(token_of(value), token.value());
        EXPECT_TRUE(seen.insert(token.value()).second);
        EXPECT_NE(other->tokenize(value).value(), token.value());
        const auto back = cipher->detokenize(token.value());
        ASSERT_TRUE(back.ok()) << back.error().to_string();
        EXPECT_EQ(back.value(), value);
    }
}

TEST_F(Tokens, AreRefusedWhenTheyAreNone) {
    std::string changed = token_of("ada@example.org");
    changed[10] = changed[10] == 'A' ? 'B' : 'A';
    const std::string tokens[] = {"",
                                  "tok_",
                                  "tok_AAAA",
                                  "tok_AAAAAAAAAAAAAAAAAAAAAA",
                                  "ada@example.org",
                                  "tok_not base64!",
                                  token_of("ada").substr(4),
                                  token_of("ada").substr(0, 24),
                                  changed,
                                  other->tokenize("ada").value(),
                                  other->tokenize("").value()};
    for (const auto& token : tokens) {
        SCOPED_TRACE(token);
        const auto value = cipher->detokenize(token);
        ASSERT_FALSE(value.ok());
        EXPECT_EQ(value.error().kind(), ErrorKind::bad_data);
    }
}

// The tokens of a project must not change with a release: what is in a warehouse joins with what comes.
TEST_F(Tokens, StayTheSame) {
    EXPECT_EQ(token_of("ada@example.org"), "tok_FEzs5LaTYmzicvV_BttWwJ1pqnOzaljYIDKxYpxj0Q");
    EXPECT_EQ(token_of(""), "tok_TJ1hlYE18CUgHfnhH2JGm90");
}

}  // namespace
}  // namespace shaduf
