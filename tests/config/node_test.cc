#include "config/node.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(Node, ReadsDocuments) {
    struct Case {
        const char* yaml;
        const char* json;
    };
    const Case cases[] = {
        {"", "null"},
        {"# only a comment\n", "null"},
        {"a: 1\nb: [x, \"2\", true, ~]", R"({"a":1,"b":["x","2",true,null]})"},
        {"a: 'true'\nb: 007\nc: -1.5e3\nd: 1.\ne:", R"({"a":"true","b":"007","c":-1.5e3,"d":"1.","e":null})"},
        {"text: |\n  one\n  two\n", R"({"text":"one\ntwo\n"})"},
        {"{a: {b: []}, c: {}}", R"({"a":{"b":[]},"c":{}})"},
        {"a: &x [1, 2]\nb: *x", R"({"a":[1,2],"b":[1,2]})"},
        {"base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}", R"({"base":{"x":1,"y":2},"c":{"y":3,"x":1}})"},
        {"a: \"tab\\there \\u00e9 \\x01\"", "{\"a\":\"tab\\u0009here \xC3\xA9 \\u0001\"}"},
        {"first: 1\n---\nsecond: 2\n", R"({"first":1})"},
    };
    for (const auto& [yaml, json] : cases) {
        SCOPED_TRACE(yaml);
        const auto node = Node::parse_yaml(yaml, "t.yml");
        ASSERT_TRUE(node.ok()) << node.error().to_string();
        std::string expected = json;
        for (size_t at = 0; (at = expected.find('\n', at)) != std::string::npos;) expected.replace(at, 1, "\\u000a");
        for (size_t at = 0; (at = expected.find("\\n", at)) != std::string::npos;) expected.replace(at, 2, "\\u000a");
        EXPECT_EQ(node.value().to_json(), expected);
    }
}

TEST(Node, RefusesWithALine) {
    std::string deep;
    for (int i = 0; i < 70; ++i) deep = "[" + deep + "]";
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string inner = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner;
        for (int j = 1; j < 10; ++j) bomb += ", " + inner;
        bomb += "]\n";
    }
    struct Case {
        std::string yaml;
        const char* error;
    };
    const Case cases[] = {
        {"a: 1\nb: 2\na: 3", "t.yml:3: key given twice: a; first in line 1"},
        {"a:\n  - x\n - y", "t.yml:3: not valid YAML: end of map not found"},
        {"a: [1, 2", "t.yml:1: not valid YAML: end of sequence flow not found"},
        {"ok: 1\na: &x {b: *x}", "t.yml:2: an alias contains itself: name a finished anchor"},
        {"a: *nothing", "t.yml:1: not valid YAML: the referenced anchor is not defined"},
        {"\n? [a]\n: 1", "t.yml:2: a key must be text, not a list or a map"},
        {"~: 1", "t.yml:1: a key must be text: write it in quotes"},
        {"a: {<<: 3}", "t.yml:1: << takes a map or a list of maps"},
        {"a: b\nc: \xFF", "t.yml:2: not valid UTF-8: save the file as UTF-8"},
        {deep, "t.yml:1: nested too deep: the limit is 64 levels"},
        {bomb, "t.yml:6: too many values (aliases counted): the limit is 1,000,000"},
    };
    for (const auto& [yaml, error] : cases) {
        SCOPED_TRACE(yaml);
        const auto node = Node::parse_yaml(yaml, "t.yml");
        ASSERT_FALSE(node.ok());
        EXPECT_EQ(node.error().kind(), ErrorKind::invalid_config);
        EXPECT_EQ(node.error().to_string(), error);
    }
}

TEST(Node, RemembersLinesAndQuotes) {
    const auto parsed = Node::parse_yaml("a: 1\n\nb:\n  c: \"2\"\n  d:\n    - e\n    - f\n  n:\n", "t.yml");
    ASSERT_TRUE(parsed.ok());
    const Node& root = parsed.value();
    EXPECT_EQ(root.place_of_key("b").line, 3);
    EXPECT_EQ(root["b"].place_of_key("d").line, 5);
    EXPECT_EQ(root["b"]["d"].items()[1].place().to_string(), "t.yml:7");
    EXPECT_EQ(root["b"]["n"].place().line, 8);
    EXPECT_TRUE(root["b"]["c"].is_quoted());
    EXPECT_FALSE(root["a"].is_quoted());
    EXPECT_TRUE(root.has("a"));
    EXPECT_FALSE(root.has("c"));
    EXPECT_TRUE(root["c"]["d"].is_null());
}

TEST(Node, NamesAFileThatIsNotThere) {
    const auto node = Node::load_yaml("no/such/file.yml");
    ASSERT_FALSE(node.ok());
    EXPECT_EQ(node.error().to_string(), "no/such/file.yml: cannot read the file: No such file or directory");
}

}  // namespace
}  // namespace shaduf
