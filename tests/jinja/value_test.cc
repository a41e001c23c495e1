#include "jinja/value.h"

#include <gtest/gtest.h>

#include "jinja/template.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

TEST(JinjaValue, PrintsAsPythonDoes) {
    const std::vector<std::pair<Value, std::string>> cases{
        {Value(), "Undefined"},
        {Value::none(), "None"},
        {Value(true), "True"},
        {Value(-7), "-7"},
        {Value(1.0), "1.0"},
        {Value(0.1), "0.1"},
        {Value(1e16), "1e+16"},
        {Value(123456789012345680.0), "1.2345678901234568e+17"},
        {Value(1e-5), "1e-05"},
        {Value(0.0001), "0.0001"},
        {Value("it's"), "\"it's\""},
        {Value("a\n\x01\xC3\xA9"), "'a\\n\\x01\xC3\xA9'"},
        {Value::tuple({Value(1)}), "(1,)"},
        {Value::list({Value("a"), Value::none()}), "['a', None]"},
        {Value::markup("<"), "Markup('<')"},
    };
    for (const auto& [value, expected] : cases) EXPECT_EQ(value.repr(), expected);
}

TEST(JinjaValue, EqualsAndHashesAcrossNumbers) {
    EXPECT_TRUE(Value(1).equals(Value(1.0)));
    EXPECT_TRUE(Value(true).equals(Value(1)));
    EXPECT_EQ(Value(1).hash(), Value(1.0).hash());
    EXPECT_EQ(Value(true).hash(), Value(1).hash());
    EXPECT_FALSE(Value("1").equals(Value(1)));
    EXPECT_FALSE(Value::list({Value(1)}).equals(Value::tuple({Value(1)})));
    EXPECT_FALSE(Value::list({}).hash().has_value());
    EXPECT_FALSE(Value::tuple({Value::list({})}).hash().has_value());
}

TEST(JinjaDict, KeepsTheOrderAndFindsAmongMany) {
    Dict dict;
    for (int i = 0; i < 1000; ++i) dict.set(Value("key" + std::to_string(i)), Value(i));
    dict.set(Value("key5"), Value(-1));
    EXPECT_TRUE(dict.erase(Value("key0")));
    EXPECT_FALSE(dict.erase(Value("key0")));
    ASSERT_EQ(dict.size(), 999U);
    EXPECT_EQ(dict.entries()[0].key.string(), "key1");
    EXPECT_EQ(dict.find("key5")->integer(), -1);
    EXPECT_EQ(dict.find("key999")->integer(), 999);
    EXPECT_EQ(dict.find("key1000"), nullptr);
}

TEST(JinjaDict, HoldsKeysOfAllKinds) {
    Dict dict;
    dict.set(Value(1), Value("one"));
    dict.set(Value(1.0), Value("uno"));
    dict.set(Value::none(), Value("none"));
    dict.set(Value::tuple({Value(1), Value("a")}), Value("tuple"));
    EXPECT_EQ(dict.size(), 3U);
    EXPECT_EQ(dict.find(Value(true))->string(), "uno");
    EXPECT_EQ(dict.find(Value::tuple({Value(1), Value("a")}))->string(), "tuple");
}

TEST(JinjaLiteral, ReadsWhatPythonReads) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"1", "1"},
        {"-1.5e3", "-1500.0"},
        {" 0x1F", "31"},
        {"1_000", "1000"},
        {"'a' \"b\"", "'ab'"},
        {"r'\\n'", "'\\\\n'"},
        {"'''a\nb'''", "'a\\nb'"},
        {"[1, 'x', None, True,]", "[1, 'x', None, True]"},
        {"(1,)", "(1,)"},
        {"1, 2", "(1, 2)"},
        {"()", "()"},
        {"{'a': {1, 2}, 'b': []}", "{'a': {1, 2}, 'b': []}"},
        {"{}", "{}"},
        {"set()", "set()"},
        {"[1,\n 2]", "[1, 2]"},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        const auto value = parse_literal(text);
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(value->repr(), expected);
    }
    for (const char* text :
         {"", "a", "1 2", "[1", "{1: }", "{1: 2, 3}", "'a", "01", "1__0", "f()", "{[]: 1}", "- ", "Nonex"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(parse_literal(text).has_value());
    }
}

TEST(JinjaJson, ReadsAndWrites) {
    Vm vm({});
    const std::string text = R"({"a": [1, 2.5, null, true], "b": "é\u00e9\ud83d\ude00\n"})";
    const auto value = from_json(text);
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(to_json(vm, value.value(), {}).release_value(),
              R"({"a": [1, 2.5, null, true], "b": "\u00e9\u00e9\ud83d\ude00\n"})");
    JsonStyle style;
    style.ascii = false;
    style.indent = 2;
    EXPECT_EQ(to_json(vm, Value::list({Value("é")}), style).release_value(), "[\n  \"é\"\n]");
    for (const char* wrong : {"", "[1,]", "{\"a\"}", "01", "nul", "[1] 2", "\"\x01\"", "99999999999999999999"}) {
        SCOPED_TRACE(wrong);
        EXPECT_FALSE(from_json(wrong).ok());
    }
}

}  // namespace
}  // namespace shaduf::jinja
