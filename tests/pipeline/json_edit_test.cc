#include "pipeline/json_edit.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

constexpr const char* kBlocked = "\"?\"";

struct Case {
    const char* text;
    std::vector<std::string> path;
    std::optional<std::string> replacement;
    std::optional<std::string> expected;
    bool was_met;
    bool was_blocked;
};

TEST(JsonEdit, ChangesOneMemberAndKeepsTheRest) {
    const Case cases[] = {
        {R"({"a": 1})", {"a"}, "2", R"({"a": 2})", true, false},
        {R"( {"n":12345678901234567890.10,"a":{"b":[1]} ,"c":null} )",
         {"a"},
         "2",
         R"({"n":12345678901234567890.10, "a":2, "c":null})",
         true,
         false},
        {R"({"a": 1, "b": 2})", {"a"}, std::nullopt, R"({"b": 2})", true, false},
        {R"({"b": 2, "a": null})", {"a"}, std::nullopt, R"({"b": 2})", false, false},
        {R"({"a": null})", {"a"}, "2", R"({"a": null})", false, false},
        {R"({"A": 1})", {"a"}, "2", R"({"A": 1})", false, false},
        {R"({"\u0061": 1})", {"a"}, "2", R"({"\u0061": 2})", true, false},
        {R"({"a": 1, "a": 3})", {"a"}, "2", R"({"a": 2, "a": 2})", true, false},
        {R"({"a": {"b": {}, "c": 3}, "b": 4})", {"a", "c"}, "2", R"({"a": {"b": {}, "c": 2}, "b": 4})", true, false},
        {R"({"a": {"c": 3}, "b": 4})", {"a", "c"}, std::nullopt, R"({"a": {}, "b": 4})", true, false},
        {R"({"a": "x"})", {"a", "c"}, "2", R"({"a": "?"})", false, true},
        {R"({"a": [{"c": 3}]})", {"a", "c"}, "2", R"({"a": "?"})", false, true},
        {R"({"a": null})", {"a", "c"}, "2", R"({"a": null})", false, false},
        {R"({})", {"a"}, "2", R"({})", false, false},
        {R"([])", {"a"}, "2", std::nullopt, false, false},
        {R"()", {"a"}, "2", std::nullopt, false, false},
        {R"({"b": 1, "a": )", {"a"}, "2", std::nullopt, false, false},
        {R"({"b": 1} x)", {"a"}, "2", std::nullopt, false, false},
    };
    for (const auto& [text, path, replacement, expected, was_met, was_blocked] : cases) {
        SCOPED_TRACE(text);
        std::vector<JsonEdit> edits{{path, replacement}};
        EXPECT_EQ(edit_json(text, edits, kBlocked), expected);
        EXPECT_EQ(edits.front().was_met, was_met);
        EXPECT_EQ(edits.front().was_blocked, was_blocked);
    }
}

TEST(JsonEdit, MayFindKeysInAnyCase) {
    std::vector<JsonEdit> edits{{{"user", "mail"}, "2", true}};
    EXPECT_EQ(edit_json(R"({"User": {"MAIL": 1}})", edits, kBlocked), R"({"User": {"MAIL": 2}})");
}

}  // namespace
}  // namespace shaduf
