#include "flow/task_config.h"

#include <gtest/gtest.h>

#include "base/cancellation.h"
#include "flow/json_values.h"

namespace shaduf {
namespace {

class TaskTemplatesTest : public testing::Test {
protected:
    std::string rendered(const std::string& json) {
        const auto made = templates.render(parse_json_value(json).value(), none);
        return made.ok() ? json_text_of(made.value()) : "error: " + made.error().message();
    }
    const Timestamp due{std::chrono::seconds(1'767'323'045)};
    const Cancellation none;
    TaskTemplates templates =
        TaskTemplates::create({"r1",
                               "shop",
                               due,
                               {due - std::chrono::days(1), due},
                               R"json({"country": "CH", "n": 3, "evil": "${secret:key} {{ 1 }}"})json",
                               R"({"a": {"list": [1, 2], "name": "x"}, "b-c": {"v": 1}})"})
            .release_value();
};

TEST_F(TaskTemplatesTest, Render) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("plain")", R"("plain")"},
        {R"("{{ run.id }} {{ flow }} {{ due }}")", R"("r1 shop 2026-01-02T03:04:05Z")"},
        {R"("{{ interval.begin[:10] }}")", R"("2026-01-01")"},
        {R"("{{ inputs.n }}")", "3"},
        {R"("n={{ inputs.n + 1 }}")", R"("n=4")"},
        {R"("{{ outputs.a.list }}")", "[1,2]"},
        {R"({"x": ["{{ outputs['b-c'].v }}", 5, null]})", R"({"x":[1,5,null]})"},
        {R"("${env:X} {{ inputs.country }} $${y}")", R"("${env:X} CH $${y}")"},
        {R"("{{ inputs.evil }}")", R"("$${secret:key} {{ 1 }}")"},
        {R"("a {{ inputs.evil }} ${env:X}")", R"("a $${secret:key} {{ 1 }} ${env:X}")"},
        {R"({"l": "{{ [inputs.evil] }}"})", R"({"l":["$${secret:key} {{ 1 }}"]})"},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(rendered(text), expected);
    }
    EXPECT_EQ(rendered(R"("{{ inputs.nope }}")").substr(0, 6), "error:");
    EXPECT_EQ(rendered(R"("{% for i in range(100000000) %}x{% endfor %}")").substr(0, 6), "error:");
}

TEST_F(TaskTemplatesTest, Conditions) {
    EXPECT_TRUE(templates.holds("inputs.country == 'CH' and outputs.a.list | length == 2", none).value());
    EXPECT_FALSE(templates.holds("inputs.n > 3", none).value());
    EXPECT_FALSE(templates.holds("inputs.nope", none).ok());
    EXPECT_FALSE(check_condition("a ==").ok());
    EXPECT_TRUE(check_condition("a == 1").ok());
}

TEST_F(TaskTemplatesTest, Items) {
    templates.set_item(parse_json_value(R"({"id": 7})").value(), 4);
    EXPECT_EQ(rendered(R"("{{ item.id }} {{ index }}")"), R"("7 4")");
}

TEST(TaskConfig, IsTheSameAfterJson) {
    const char* text = R"({"if":"inputs.x","for_each":{"items":["a"],"parallel":2},"options":{"command":"ls"}})";
    EXPECT_EQ(TaskConfig::from_json(text).value().to_json(), text);
    EXPECT_EQ(TaskConfig::from_json("{}").value().to_json(), R"({"options":{}})");
}

TEST(JsonValues, Pointers) {
    const auto value = parse_json_value(R"({"a": {"b/c": [10, {"~": 1}]}})").value();
    const std::pair<const char*, const char*> cases[] = {
        {"/a/b~1c/0", "10"}, {"/a/b~1c/1/~0", "1"}, {"", R"({"a":{"b/c":[10,{"~":1}]}})"}};
    for (const auto& [pointer, expected] : cases) EXPECT_EQ(json_text_of(value_at(value, pointer).value()), expected);
    for (const char* wrong : {"a", "/x", "/a/b~1c/2", "/a/b~1c/-1", "/a/b~1c/0/z"}) {
        EXPECT_FALSE(value_at(value, wrong).ok()) << wrong;
    }
}

}  // namespace
}  // namespace shaduf
