#include "base/text.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(Text, ReadsSizes) {
    struct Case {
        const char* text;
        std::optional<uint64_t> bytes;
    };
    const Case cases[] = {{"0", 0},
                          {"1048576", 1048576},
                          {"256MB", 256'000'000},
                          {" 64 KiB ", 65536},
                          {"1.5gb", 1'500'000'000},
                          {"2TiB", 2ULL << 40},
                          {"7b", 7},
                          {"", std::nullopt},
                          {"MB", std::nullopt},
                          {"-1", std::nullopt},
                          {"1 parsec", std::nullopt},
                          {"nan", std::nullopt},
                          {"nanMB", std::nullopt},
                          {"inf", std::nullopt},
                          {"1e300", std::nullopt},
                          {"10000000TB", std::nullopt}};
    for (const auto& [text, bytes] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_bytes(text), bytes);
    }
}

TEST(Text, PrintsSizesAndCounts) {
    EXPECT_EQ(format_bytes(999), "999 B");
    EXPECT_EQ(format_bytes(999'940), "999.9 kB");
    EXPECT_EQ(format_bytes(999'960), "1.0 MB");
    EXPECT_EQ(format_bytes(128'000'000), "128.0 MB");
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(-1000), "-1,000");
    EXPECT_EQ(format_count(1'234'567), "1,234,567");
    EXPECT_EQ(format_count(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Text, FindsTheNearestName) {
    const std::vector<std::string> known{"streams", "source", "sink", "schema", "id"};
    struct Case {
        const char* name;
        const char* nearest;  // "" is none
    };
    const Case cases[] = {{"steams", "streams"}, {"STREAMS", "streams"}, {"strams", "streams"},
                          {"srouce", "source"},  {"skin", ""},           {"snik", "sink"},
                          {"di", "id"},          {"frequency", ""},      {"", ""}};
    for (const auto& [name, expected] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(nearest(name, known).value_or(""), expected);
    }
    EXPECT_EQ(did_you_mean("sinc", known), "; did you mean sink?");
    EXPECT_EQ(did_you_mean("frequency", known), "; known: streams, source, sink, schema, id");
    EXPECT_EQ(did_you_mean("any", {}), "");
}

TEST(Text, TellsValidUtf8FromOther) {
    struct Case {
        std::string text;
        bool valid;
        std::string mended;
    };
    const Case cases[] = {
        {"", true, ""},
        {"plain text of many bytes", true, "plain text of many bytes"},
        {"caf\xC3\xA9", true, "caf\xC3\xA9"},
        {"\xE2\x82\xAC", true, "\xE2\x82\xAC"},
        {"\xF0\x9F\x98\x80", true, "\xF0\x9F\x98\x80"},
        {"\xF4\x8F\xBF\xBF", true, "\xF4\x8F\xBF\xBF"},
        {std::string("a\0b", 3), true, std::string("a\0b", 3)},
        {"caf\xE9", false, "caf\xEF\xBF\xBD"},
        {"12345678\xFF", false, "12345678\xEF\xBF\xBD"},
        {"\xC0\x80", false, "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
        {"\xE0\x80\x80", false, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
        {"\xED\xA0\x80", false, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // surrogate
        {"\xF4\x90\x80\x80", false, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // above U+10FFFF
        {"\xE2\x82", false, "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // cut short
    };
    for (const auto& [text, valid, mended] : cases) {
        SCOPED_TRACE(testing::PrintToString(text));
        EXPECT_EQ(is_valid_utf8(text), valid);
        EXPECT_EQ(make_valid_utf8(text), mended);
        EXPECT_TRUE(is_valid_utf8(mended));
    }
}

TEST(Text, SplitsTrimsAndJoins) {
    EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
    EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
    EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
    EXPECT_TRUE(equals_ignoring_case("Id", "iD"));
    EXPECT_FALSE(equals_ignoring_case("id", "ids"));
}

}  // namespace
}  // namespace shaduf
