#include "models/yaml/parse_yaml.h"

#include <gtest/gtest.h>

#include "models/yaml/yaml_builder.h"
#include "tests/models/yaml/typed_text.h"

namespace shaduf::models {
namespace {

struct Case {
    std::string_view yaml;
    std::string_view expected;  // typed text, or "error LINE: what"
};

std::string outcome(std::string_view yaml) {
    const auto tree = parse_yaml(yaml, "f.yml");
    if (tree.ok()) return typed_text(tree.value().root());
    EXPECT_EQ(tree.error().kind(), ErrorKind::invalid_config);
    EXPECT_EQ(tree.error().place().file, "f.yml");
    return "error " + std::to_string(tree.error().place().line) + ": " + tree.error().message();
}

TEST(ParseYaml, ReadsWhatPyYamlReads) {
    constexpr Case kCases[] = {
        {"", "n"},
        {"# only a comment", "n"},
        {"[yes, No, ON, off, True, y, n]", R"([b1,b0,b1,b0,b1,"y","n"])"},
        {"[~, null, Null, NULL, nUll, '']", R"([n,n,n,n,"nUll",""])"},
        {"a:\nb: ", R"({"a"=n,"b"=n})"},
        {"[0, 017, 0o17, 0x1F, 0b101, 1_000, -5, +7, 08]", R"([i0,i15,"0o17",i31,i5,i1000,i-5,i7,"08"])"},
        {"[1:30, 190:20:30, -1:30, 1:75, 1:30.5]", R"([i90,i685230,i-90,"1:75",f90.5])"},
        {"[1.0, .5, 1., -.5, 1e5, 1.5e5, 1.5e+5, 1_0.5]", R"([f1.0,f0.5,f1.0,"-.5","1e5","1.5e5",f150000.0,f10.5])"},
        {"[.inf, -.INF, .nan, -.nan, 1.0e+400]", R"([finf,f-inf,fnan,"-.nan",finf])"},
        {"[9223372036854775807, 9223372036854775808, -9223372036854775808, 0xFFFFFFFFFFFFFFFFFF]",
         "[i9223372036854775807,i9223372036854775808,i-9223372036854775808,i4722366482869645213695]"},
        {"[2024-01-31, 2024-1-31, '2024-01-31']", R"([d2024-01-31,"2024-1-31","2024-01-31"])"},
        {"[2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43.123456789 Z, 2001-1-2 1:02:03]",
         "[t2001-12-14T21:59:43.100000-05:00,t2001-12-14T21:59:43.123456+00:00,t2001-01-02T01:02:03]"},
        {"on: 1\n2: x\n~: y\n1.5: z", R"({b1=i1,i2="x",n="y",f1.5="z"})"},
        {"{a: 1, b: 2, a: 3}", R"({"a"=i3,"b"=i2})"},
        {"{1: a, 1.0: b, true: c}", R"({i1="c"})"},
        {"a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n  r: 4", R"({"a"={"p"=i1,"q"=i2},"b"={"p"=i1,"q"=i3,"r"=i4}})"},
        {"<<: [{a: 1, b: 1}, {b: 2, c: 2}]\nc: 3", R"({"b"=i1,"c"=i3,"a"=i1})"},
        {"<<: {a: 1}\n<<: {a: 2, b: 3}", R"({"a"=i2,"b"=i3})"},
        {"\"<<\": {a: 1}", R"({"<<"={"a"=i1}})"},
        {"[&a x, *a, *a]", R"(["x","x","x"])"},
        {"? a\n: b\n= : c", R"({"a"="b","="="c"})"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\nc: 'it''s'\nd: \"\\u00e4\\n\"",
         R"({"a"="x\ny\n","b"="x y","c"="it's","d"="\u00e4\n"})"},
        {"a: |+\n  x\n\n\n", R"({"a"="x"})"},  // dbt strips the file first
        {"  a: 1\nb: 2", R"({"a"=i1,"b"=i2})"},
        {"[!!str 12, !!int '3', !!float 3, !!bool 'yes', !!null x, ! 12]", R"(["12",i3,f3.0,b1,n,i12])"},
        {"a: \"{{ var('x') }}\"", R"({"a"="{{ var('x') }}"})"},
        {"a\xC2\xA0: \xF0\x9F\x8D\x8B", "{\"a\\u00a0\"=\"\\ud83c\\udf4b\"}"},
    };
    for (const auto& [yaml, expected] : kCases) {
        SCOPED_TRACE(yaml);
        EXPECT_EQ(outcome(yaml), expected);
    }
}

TEST(ParseYaml, SaysWhereAndWhatIsWrong) {
    constexpr Case kCases[] = {
        {"a: [1,\nb: 2",
         "error 3: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence "
         "from line 1; check indentation, quotes and brackets"},
        {"a: b: c",
         "error 1: column 5: not valid YAML: mapping values are not allowed in this context; put texts with "
         "\": \" in quotes, and check the indentation"},
        {"a: 1\nb: @x",
         "error 2: column 4: not valid YAML: found character that cannot start any token while scanning for "
         "the next token from line 2; put texts that begin with @, `, % or a tab, and Jinja, in quotes"},
        {"\n\na: *x", "error 3: column 4: alias of an unknown anchor: *x; put texts that begin with * in quotes"},
        {"a: &x [*x]", "error 1: column 8: a value contains itself: *x"},
        {"a: &x 1\nb: &x 2", "error 2: column 4: anchor given twice: x, first in line 1; name one otherwise"},
        {"a: {{ x }}", "error 1: column 5: a key must be one value, not a list or a map; put {{ ... }} in quotes"},
        {"a: 1\n---\nb: 2", "error 2: more than one document in the file; keep one, without \"---\" between"},
        {"a: !!python/name:x 1", "error 1: column 4: tag not supported: python/name:x; remove it"},
        {"a: !x {}", "error 1: column 4: tag not supported: !x; remove it"},
        {"a: =", "error 1: column 4: a plain = has no meaning here; put it in quotes"},
        {"<<: 1", "error 1: column 5: << takes a map or a list of maps, not a whole number"},
        {"a: 2024-02-30", "error 1: column 4: there is no such day: 2024-02-30; put it in quotes if it is a text"},
        {"a: 2024-02-03 25:00:00",
         "error 1: column 4: there is no such time: 2024-02-03 25:00:00; put it in quotes if it is a text"},
        {"a: 0x_", "error 1: column 4: a number without digits: 0x_; put it in quotes if it is a text"},
        {"a: 1\nb: \xFF", "error 2: not valid UTF-8; save the file as UTF-8"},
        {"a: \x01", "error 1: not valid YAML: control characters are not allowed; remove the character"},
    };
    for (const auto& [yaml, expected] : kCases) {
        SCOPED_TRACE(yaml);
        EXPECT_EQ(outcome(yaml), expected);
    }
}

TEST(ParseYaml, IsBounded) {
    EXPECT_EQ(outcome(std::string(201, '[') + std::string(201, ']')),
              "error 1: column 201: nested too deep: the limit is 200 levels");
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int k = 0; k < 9; ++k) laughs += ", " + before;
        laughs += "]\n";
    }
    EXPECT_THAT(outcome(laughs), testing::HasSubstr("too many values (those that aliases repeat counted)"));
}

TEST(ParseYaml, KeepsPlacesAndDuplicates) {
    const auto parsed = parse_yaml("\n\nmodels:\n  - name: a\n    name: b\n<<: {x: 1}\nx: 2\nmodels: 3\n", "f.yml");
    ASSERT_TRUE(parsed.ok());
    const YamlNode& root = parsed.value().root();
    EXPECT_EQ(root.find_key("models")->line(), 3U);
    EXPECT_EQ(root.find("models")->line(), 8U);
    EXPECT_EQ(root.find("models")->column(), 9U);
    ASSERT_EQ(parsed.value().duplicates().size(), 3U);
    EXPECT_EQ(parsed.value().duplicates()[0].key, "name");
    EXPECT_EQ(parsed.value().duplicates()[0].line, 5U);
    EXPECT_EQ(parsed.value().duplicates()[0].first_line, 4U);
    EXPECT_EQ(parsed.value().duplicates()[1].key, "x");  // of the merged map
    EXPECT_EQ(parsed.value().duplicates()[2].key, "models");
    EXPECT_TRUE(parse_yaml("<<: {x: 1}\nx: 2\n", "f.yml").value().duplicates().empty());
}

TEST(ParseYaml, FindsKeysOfSmallAndLargeMaps) {
    for (const int count : {1, 11, 12, 13, 400}) {
        SCOPED_TRACE(count);
        std::string text = "7: seven\ntrue: yes\n";
        for (int i = 0; i < count; ++i) text += "key_" + std::to_string(i * 7 % 401) + ": " + std::to_string(i) + "\n";
        const auto tree = parse_yaml(text, "f.yml");
        ASSERT_TRUE(tree.ok());
        for (int i = 0; i < count; ++i) {
            const YamlNode* value = tree.value().root().find("key_" + std::to_string(i * 7 % 401));
            ASSERT_NE(value, nullptr);
            EXPECT_EQ(value->integer(), i);
        }
        for (const std::string_view missing : {"", "key_", "key_402", "7", "true", "zzz"}) {
            EXPECT_EQ(tree.value().root().find(missing), nullptr) << missing;
        }
    }
}

TEST(YamlBuilder, MakesTreesThatHoldPartsOfOthers) {
    YamlTree held;
    {
        const auto tree = parse_yaml("a: [1, two]", "f.yml");
        ASSERT_TRUE(tree.ok());
        YamlBuilder builder;
        builder.begin_map();
        builder.key("kept");
        builder.add(*tree.value().root().find("a"));
        builder.key("made");
        builder.add_real(0.5);
        builder.key("kept");
        builder.add_boolean(true);
        builder.key("again");
        builder.add(*tree.value().root().find("a"));
        builder.end_map();
        builder.keep(tree.value());
        held = builder.finish();
    }
    EXPECT_EQ(to_python_json(held.root()), R"({"kept": true, "made": 0.5, "again": [1, "two"]})");
}

}  // namespace
}  // namespace shaduf::models
