#include "io/crypto.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(Crypto, HashesAsPublished) {
    // FIPS 180-4 examples; RFC 4231, test case 2.
    EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    Sha256 pieces;
    pieces.add("a");
    pieces.add("");
    pieces.add("bc");
    EXPECT_EQ(pieces.finish(), sha256("abc"));
}

TEST(Crypto, Base64GoesThereAndBack) {
    struct Case {
        const char* bytes;
        const char* text;
    };
    // RFC 4648, section 10.
    const Case cases[] = {{"", ""},
                          {"f", "Zg=="},
                          {"fo", "Zm8="},
                          {"foo", "Zm9v"},
                          {"foob", "Zm9vYg=="},
                          {"fooba", "Zm9vYmE="},
                          {"foobar", "Zm9vYmFy"},
                          {"\xfb\xff", "+/8="}};
    for (const auto& [bytes, text] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(to_base64(bytes), text);
        EXPECT_EQ(from_base64(text).release_value(), bytes);
    }
    EXPECT_EQ(from_base64("-_8").release_value(), "\xfb\xff");
    EXPECT_EQ(from_base64("Zg").release_value(), "f");
    for (const char* wrong : {"Z", "Zm=v", "Zm9v YmFy", "Zm9vY===", "Zm9*"}) {
        SCOPED_TRACE(wrong);
        EXPECT_FALSE(from_base64(wrong).ok());
    }
}

}  // namespace
}  // namespace shaduf
