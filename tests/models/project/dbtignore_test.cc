#include "models/project/dbtignore.h"

#include <gtest/gtest.h>

#include <random>

#include "models/yaml/yaml_builder.h"
#include "tests/models/python_oracle.h"

namespace shaduf::models {
namespace {

TEST(IgnorePatterns, MeanWhatGitMeans) {
    struct Case {
        std::string_view patterns;
        std::string_view path;
        bool ignored;
    };
    constexpr Case kCases[] = {
        {"", "models/a.sql", false},
        {"# models", "models/a.sql", false},
        {"a.sql", "models/x/a.sql", true},
        {"a.sql", "models/x/b.sql", false},
        {"models/a.sql", "models/a.sql", true},
        {"models/a.sql", "x/models/a.sql", false},
        {"/a.sql", "models/a.sql", false},
        {"models/", "models/x/a.sql", true},
        {"models", "models/x/a.sql", true},
        {"a.sql/", "models/a.sql", false},
        {"*.py", "models/x/a.py", true},
        {"models/*.py", "models/x/a.py", false},
        {"models/**/*.py", "models/a.py", true},
        {"models/**/*.py", "models/x/y/a.py", true},
        {"**/x", "models/x/a.sql", true},
        {"models/**", "models/a.sql", true},
        {"**/", "a.sql", false},
        {"**/", "models/a.sql", true},
        {"a?c.sql",
         "models/a\xC3\xA4"
         "c.sql",
         true},
        {"[a-c]1.sql", "models/b1.sql", true},
        {"[!a-c]1.sql", "models/b1.sql", false},
        {"[]x].sql", "models/].sql", true},
        {"[x.sql", "models/[x.sql", true},
        {"\\#a.sql", "models/#a.sql", true},
        {"\\*.sql", "models/a.sql", false},
        {"*.sql\n!keep.sql", "models/keep.sql", false},
        {"*.sql\n!keep.sql\nkeep.sql", "models/keep.sql", true},
        {"  a.sql  \r", "models/a.sql", true},
        {"models/a.sql", "./models/a.sql", true},
    };
    for (const auto& [patterns, path, ignored] : kCases) {
        const auto parsed = IgnorePatterns::parse(patterns, ".dbtignore");
        ASSERT_TRUE(parsed.ok());
        EXPECT_EQ(parsed.value().ignores(path), ignored) << patterns << " on " << path;
    }
    EXPECT_EQ(IgnorePatterns::parse("a\nb\\", ".dbtignore").error().to_string(),
              ".dbtignore:2: a pattern ends in a backslash: b\\; remove it");
}

// Lists of patterns and a path, one case a line of JSON; "1" when pathspec, which dbt uses, ignores it.
constexpr std::string_view kOracle = R"py(
import sys, json
try:
    import pathspec
except ImportError:
    sys.exit(77)
for patterns, path in json.load(sys.stdin):
    try:
        spec = pathspec.PathSpec.from_lines(pathspec.patterns.GitWildMatchPattern, patterns.split('\n'))
        print('1' if spec.match_file(path) else '0')
    except Exception as e:
        print('error')
)py";

// Left out, as pathspec differs from git in them: [!a] that takes a slash, and "/**/".
TEST(DbtOracle, IgnorePatternsMatchAsPathspec) {
    const char* python = std::getenv("SHADUF_DBT_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SHADUF_DBT_PYTHON names no Python with dbt: .dbtignore is not compared";
    std::mt19937 engine(9);
    const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine); };
    constexpr std::string_view kParts[] = {"a", "b",  "*",    "**", "/",   "/",   "?",  "[ab]",
                                           "!", "a*", ".sql", "ab", "\\*", "*b*", "\n", " "};
    constexpr std::string_view kNames[] = {"a", "b", "ab", "ba", "a.sql", "aab", "b.sql", "*"};
    std::vector<std::pair<std::string, std::string>> cases;
    YamlBuilder builder;
    builder.begin_list();
    for (int i = 0; i < 30'000; ++i) {
        std::string patterns;
        for (size_t count = 1 + below(6); count > 0; --count) patterns += kParts[below(std::size(kParts))];
        std::string path(kNames[below(std::size(kNames))]);
        for (size_t count = below(4); count > 0; --count) path += "/" + std::string(kNames[below(std::size(kNames))]);
        builder.begin_list();
        builder.add_text(patterns);
        builder.add_text(path);
        builder.end_list();
        cases.emplace_back(patterns, path);
    }
    builder.end_list();
    const auto expected = run_python(kOracle, to_python_json(builder.finish().root()), python);
    if (!expected) GTEST_SKIP() << "SHADUF_DBT_PYTHON has no pathspec: .dbtignore is not compared";
    ASSERT_EQ(expected->size(), cases.size());
    for (size_t i = 0; i < cases.size(); ++i) {
        if ((*expected)[i] == "error" || cases[i].first.find("/**/") != std::string::npos) continue;
        const auto parsed = IgnorePatterns::parse(cases[i].first, ".dbtignore");
        ASSERT_TRUE(parsed.ok()) << cases[i].first;
        EXPECT_EQ(parsed.value().ignores(cases[i].second), (*expected)[i] == "1")
            << cases[i].first << " on " << cases[i].second;
    }
}

}  // namespace
}  // namespace shaduf::models
