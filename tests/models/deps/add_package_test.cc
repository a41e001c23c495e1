#include "models/deps/add_package.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

struct Case {
    std::string before;
    std::string name, version, source;
    std::string after;
    std::vector<std::string> removed;
};

TEST(AddPackage, KeepsAllLinesButThoseOfTheSamePackage) {
    const Case cases[] = {
        {"", "a/b", "1.0", "hub", "packages:\n  - package: a/b\n    version: '1.0'\n", {}},
        {"packages: []\n", "../tools", "", "local", "packages:\n  - local: ../tools\n", {}},
        {"# ours\npackages:\n- local: x # near\n",
         "a/b",
         ">=1.0.0,<2.0.0",
         "hub",
         "# ours\npackages:\n- local: x # near\n- package: a/b\n  version:\n    - '>=1.0.0'\n    - <2.0.0\n",
         {}},
        {"packages:\n  - git: https://x/dbt-utils.git\n    revision: v1\n\n  - local: y\nother: 1\n",
         "dbt-labs/dbt_utils",
         "1.2.0",
         "hub",
         "packages:\n\n  - local: y\n  - package: dbt-labs/dbt_utils\n    version: 1.2.0\nother: 1\n",
         {"https://x/dbt-utils.git"}},
        {"packages:\n  - package: dbt-labs/dbt_utils_more\n    version: 1.0.0\n",
         "git@host:dbt-labs/dbt_utils.git",
         "main",
         "git",
         "packages:\n  - package: dbt-labs/dbt_utils_more\n    version: 1.0.0\n"
         "  - git: git@host:dbt-labs/dbt_utils.git\n    revision: main\n",
         {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.before + "|" + c.name);
        const auto added = add_package(c.before, {c.name, c.version, c.source}, "packages.yml");
        ASSERT_TRUE(added.ok()) << added.error().to_string();
        EXPECT_EQ(added.value().text, c.after);
        EXPECT_EQ(added.value().removed, c.removed);
    }
}

TEST(AddPackage, RefusesAListThatIsNotOnLines) {
    const auto added = add_package("packages: [{local: x}]\n", {"y", "", "local"}, "packages.yml");
    ASSERT_FALSE(added.ok());
    EXPECT_EQ(added.error().to_string(),
              "packages.yml:1: each package must begin a line of its own, with a dash before it");
}

TEST(AddPackage, ReadsNamesAndVersions) {
    struct Words {
        std::string text, source, name, version;
    };
    const Words cases[] = {{"a/b@1.0", "", "a/b", "1.0"},
                           {"git@host:a/b.git@v1", "git", "git@host:a/b.git", "v1"},
                           {"https://x/y.git@v1", "git", "https://x/y.git", "v1"},
                           {"../x", "local", "../x", ""}};
    for (const Words& c : cases) {
        SCOPED_TRACE(c.text);
        const auto package = read_new_package(c.text, c.source);
        ASSERT_TRUE(package.ok());
        EXPECT_EQ(package.value().name, c.name);
        EXPECT_EQ(package.value().version, c.version);
    }
    EXPECT_FALSE(read_new_package("a/b", "hub").ok());
    EXPECT_FALSE(read_new_package("a/b@1", "tar").ok());
}

}  // namespace
}  // namespace shaduf::models
