#include "models/parse/template_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

struct Case {
    std::string_view text;
    bool is_literal;
    std::vector<std::string> names;
};

TEST(TemplateReadsTest, CollectsTheNamesOfVars) {
    const Case kCases[] = {
        {"select {{ var('a') }}, {{ var(\"b\", 1) }}", true, {"a", "b"}},
        {"{% if var.has_var('a') and builtins.var( 'b' ) %}", true, {"a", "b"}},
        {"{{ env_var('A') }} {{ my.var('a') }} {{ variable }}", true, {}},
        {"select var, var(x) from t", true, {}},
        {"{{ var(name) }}", false, {}},
        {"{{ var('pre_' ~ name) }}", false, {}},
        {"{% set v = var %}", false, {}},
        {"{{ a }} var {{ b }}", true, {}},
    };
    for (const Case& test : kCases) {
        SCOPED_TRACE(test.text);
        std::set<std::string, std::less<>> names;
        EXPECT_EQ(collect_vars(test.text, names), test.is_literal);
        EXPECT_THAT(names, testing::ElementsAreArray(test.names));
    }
}

}  // namespace
}  // namespace shaduf::models
