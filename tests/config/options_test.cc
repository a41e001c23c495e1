#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf {
namespace {

constexpr std::string_view kColors[] = {"red", "green"};
constexpr FieldSpec kPoint[] = {{"x", FieldType::integer, "Across.", true},
                                {"y", FieldType::integer, "Up.", false, "7"}};
constexpr FieldSpec kFields[] = {
    {"name", FieldType::text, "Who.", true},
    {"count", FieldType::integer, "How many.", false, "3"},
    {"ratio", FieldType::number, "A share."},
    {"loud", FieldType::boolean, "Whether to shout."},
    {"wait", FieldType::duration, "How long.", false, "5m"},
    {"size", FieldType::bytes, "How large.", false, "64MB"},
    {"tags", FieldType::text_list, "Marks.", false, "[a, b]"},
    {"headers", FieldType::text_map, "Sent along."},
    {"token", FieldType::text, "A key.", false, {}, true},
    {"limit", FieldType::integer, "A secret number.", false, {}, true},
    {.name = "color", .type = FieldType::text, .help = "Which.", .choices = kColors},
    {.name = "at", .type = FieldType::object, .help = "Where.", .children = kPoint},
    {.name = "path", .type = FieldType::object_list, .help = "Along.", .children = kPoint},
    {.name = "places", .type = FieldType::object_map, .help = "By name.", .children = kPoint},
    {"raw", FieldType::any, "Anything."},
    {"document", FieldType::json, "Anything, too."},
};

Result<std::string> resolve(std::string_view text, const Place&) {
    if (text == "${env:N}") return std::string("42");
    if (text == "${env:WORD}") return std::string("word");
    return Error(ErrorKind::invalid_config, "variable not set: " + std::string(text));
}

std::vector<std::string> errors_of(std::string_view yaml, Options& options) {
    const auto node = Node::parse_yaml(yaml, "t.yml");
    if (!node.ok()) return {"YAML: " + node.error().to_string()};
    std::vector<std::string> texts;
    for (const Error& error : Options::create(kFields, node.value(), resolve, options)) {
        texts.push_back(error.to_string());
    }
    return texts;
}

TEST(Options, KnowsWhatReferencesStandFor) {
    Options options;
    ASSERT_THAT(
        errors_of(R"({name: n, headers: {A: "${env:WORD}", B: plain}, document: {a: [1, "${env:N}"], b: c}})", options),
        testing::IsEmpty());
    EXPECT_THAT(options.referenced_texts("headers"), testing::ElementsAre("word"));
    EXPECT_THAT(options.referenced_texts("document"), testing::ElementsAre("42"));
    EXPECT_THAT(options.referenced_texts("raw"), testing::IsEmpty());
}

TEST(Options, ReadsEachType) {
    Options options;
    const auto errors = errors_of(R"(name: shaduf
count: "${env:N}"
ratio: 0.25
loud: yes
wait: 90s
size: 1KiB
tags: one
headers: {A: b, C: "1"}
token: ${env:WORD}
color: green
at: {x: -1}
path: [{x: 1}, {x: 2, y: 3}]
places: {home: {x: 5}}
raw: [1, {a: b}]
)",
                                  options);
    ASSERT_THAT(errors, testing::IsEmpty());
    EXPECT_EQ(options.text("name"), "shaduf");
    EXPECT_EQ(options.integer("count"), 42);
    EXPECT_EQ(options.number("ratio"), 0.25);
    EXPECT_TRUE(options.boolean("loud"));
    EXPECT_EQ(options.duration("wait"), std::chrono::seconds(90));
    EXPECT_EQ(options.bytes("size"), 1024U);
    EXPECT_THAT(options.text_list("tags"), testing::ElementsAre("one"));
    EXPECT_THAT(options.text_map("headers"), testing::ElementsAre(testing::Pair("A", "b"), testing::Pair("C", "1")));
    EXPECT_EQ(options.text("token"), "word");
    EXPECT_EQ(options.object("at").integer("x"), -1);
    EXPECT_EQ(options.object("at").integer("y"), 7);
    ASSERT_EQ(options.object_list("path").size(), 2U);
    EXPECT_EQ(options.object_list("path")[1].integer("y"), 3);
    ASSERT_EQ(options.object_map("places").size(), 1U);
    EXPECT_EQ(options.object_map("places")[0].second.integer("x"), 5);
    EXPECT_EQ(options.node("raw").to_json(), R"([1,{"a":"b"}])");
    EXPECT_EQ(options.place_of("wait").line, 5);
    EXPECT_EQ(options.error("wait", "too long").to_string(), "t.yml:5: wait: too long");
}

TEST(Options, FillsInDefaults) {
    Options options;
    ASSERT_THAT(errors_of("name: x", options), testing::IsEmpty());
    EXPECT_EQ(options.integer("count"), 3);
    EXPECT_FALSE(options.has("count"));
    EXPECT_EQ(options.duration("wait"), std::chrono::minutes(5));
    EXPECT_EQ(options.bytes("size"), 64'000'000U);
    EXPECT_THAT(options.text_list("tags"), testing::ElementsAre("a", "b"));
    EXPECT_EQ(options.object("at").integer("y"), 7);
    EXPECT_FALSE(options.has("at"));
    EXPECT_EQ(options.text("token"), "");
    EXPECT_TRUE(options.node("raw").is_null());
    EXPECT_TRUE(options.object_list("path").empty());
}

TEST(Options, TellsAllErrorsAtOnce) {
    struct Case {
        const char* yaml;
        std::vector<std::string> errors;
    };
    const Case cases[] = {
        {"count: 1", {"t.yml:1: missing key: name; Who."}},
        {"name: x\ncont: 1", {"t.yml:2: unknown key: cont; did you mean count?"}},
        {"name: [x]", {"t.yml:1: name: expected a text, found a list"}},
        {"name: x\ncount: many", {"t.yml:2: count: expected a whole number, found many"}},
        {"name: x\ncount: 1.5", {"t.yml:2: count: expected a whole number, found 1.5"}},
        {"name: x\ncount: \"5\"", {"t.yml:2: count: expected a whole number, found the text \"5\""}},
        {"name: x\ncount: 99999999999999999999",
         {"t.yml:2: count: expected a whole number, found 99999999999999999999"}},
        {"name: x\nloud: maybe\nwait: 5\nsize: big\nratio: .inf",
         {"t.yml:5: ratio: expected a number, found .inf", "t.yml:2: loud: expected true or false, found maybe",
          "t.yml:3: wait: expected a duration such as 90s, 5m or 28d, found 5",
          "t.yml:4: size: expected a size such as 256MB, found big"}},
        {"name: x\nlimit: hunter2", {"t.yml:2: limit: expected a whole number, found another text"}},
        {"name: x\ncolor: gren", {"t.yml:2: color: not one of the choices: gren; did you mean green?"}},
        {"name: x\nheaders: {A: [1]}", {"t.yml:2: headers.A: expected a text, found a list"}},
        {"name: x\ntags: [a, {b: c}]", {"t.yml:2: tags: expected a list of texts, found a map"}},
        {"name: x\nat: {y: 2}\npath: [{x: q}]\nplaces: {home: 3}",
         {"t.yml:2: missing key: x; Across.", "t.yml:3: x: expected a whole number, found q",
          "t.yml:4: places: expected a map of maps, found 3"}},
        {"name: ${env:GONE}", {"t.yml:1: variable not set: ${env:GONE}"}},
        {"just text", {"t.yml:1: expected a map of options"}},
    };
    for (const auto& [yaml, errors] : cases) {
        SCOPED_TRACE(yaml);
        Options options;
        EXPECT_EQ(errors_of(yaml, options), errors);
    }
}

TEST(OptionsDeathTest, AskingForAnotherFieldIsABug) {
    Options options;
    ASSERT_THAT(errors_of("name: x", options), testing::IsEmpty());
    EXPECT_DEATH((void)options.text("nmae"), "spec != nullptr");
    EXPECT_DEATH((void)options.integer("name"), "spec != nullptr");
}

}  // namespace
}  // namespace shaduf
