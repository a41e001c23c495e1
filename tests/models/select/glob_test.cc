#include "models/select/glob.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

struct Case {
    std::string_view text, pattern;
    bool matches;
};

TEST(Glob, IsThatOfPythonsFnmatch) {
    constexpr Case kCases[] = {
        {"", "", true},
        {"a", "", false},
        {"", "*", true},
        {"orders", "ord*", true},
        {"orders", "*ers", true},
        {"orders", "o*d*s", true},
        {"orders", "o*x*s", false},
        {"aab", "*ab", true},
        {"a.b/c", "a*c", true},
        {"abc", "a?c", true},
        {"ac", "a?c", false},
        {"b", "[abc]", true},
        {"d", "[a-c]", false},
        {"d", "[!a-c]", true},
        {"]", "[]]", true},
        {"[a", "[a", true},
        {"-", "[a-]", true},
        {"Orders", "orders", false},
        {"é", "?", true},
        {"é", "[à-ü]", true},
        {"ab", "a**b", true},
        {"abcabd", "*ab?", true},
        {"x", "[!x]", false},
    };
    for (const auto& [text, pattern, matches] : kCases) {
        EXPECT_EQ(matches_glob(text, pattern), matches) << text << " against " << pattern;
    }
}

TEST(Glob, OfPathsGoesPartByPart) {
    constexpr Case kCases[] = {
        {"models/a.sql", "models/*.sql", true},
        {"models/x/a.sql", "models/*.sql", false},
        {"models/x/a.sql", "models/**/*.sql", true},
        {"models/a.sql", "models/**/*.sql", true},
        {"models/x/y", "models/**", true},
        {"models", "models/", true},
        {"models", "./models", true},
        {"models", "**", true},
        {"models/x", "models", false},
        {"seeds/x", "*/x", true},
    };
    for (const auto& [path, pattern, matches] : kCases) {
        EXPECT_EQ(matches_path_glob(path, pattern), matches) << path << " against " << pattern;
    }
}

}  // namespace
}  // namespace shaduf::models
