#include "models/deps/install.h"

#include <gmock/gmock.h>

#include "models/deps/git.h"
#include "models/deps/resolve.h"
#include "models/yaml/parse_yaml.h"
#include "tests/models/deps/tarball.h"
#include "tests/models/project_folder.h"
#include "tests/world.h"

namespace shaduf::models {
namespace {

using testing::ElementsAre;

std::string hub_version(std::string_view version, std::string_view name, std::string_view packages = "[]",
                        std::string_view requires_dbt = "[\">=1.0.0\", \"<2.0.0\"]") {
    return "\"" + std::string(version) + "\": {\"name\": \"" + std::string(name) +
           "\", \"packages\": " + std::string(packages) + ", \"require_dbt_version\": " + std::string(requires_dbt) +
           ", \"downloads\": {\"tarball\": \"https://tar/" + std::string(name) + "/" + std::string(version) + "\"}}";
}

std::string hub_package(std::initializer_list<std::string> versions) {
    std::string text;
    for (const auto& version : versions) text += (text.empty() ? "" : ", ") + version;
    return "{\"name\": \"x\", \"versions\": {" + text + "}}";
}

// A project with its packages.yml, and a hub that the test scripts.
class Deps {
public:
    explicit Deps(std::string_view packages) {
        folder.write("shop/dbt_project.yml", "name: shop");
        folder.write("shop/packages.yml", packages);
    }

    std::string run(DepsOptions options = {}) {
        Findings findings;
        const std::string root = folder.at("shop");
        auto tree = load_project_file(root).release_value();
        const Project project = read_project(root, tree, tree, VersionCheck::on, findings);
        const RenderText render = render_fake;
        const PackageList wanted = read_packages(root, render, findings);
        EXPECT_TRUE(findings.ok());
        options.hub_url = "https://hub/";
        const auto report = install_dependencies(world.run, project, wanted, render, options, findings);
        std::string text;
        for (const Error& warning : findings.warnings) text += "warning " + folder.plain(warning.to_string()) + "\n";
        if (!report.ok()) return text + folder.plain(report.error().to_string());
        for (const auto& package : report.value().installed) {
            text += package.name + " " + package.version.substr(0, 12) +
                    (package.latest.empty() ? "" : " of " + package.latest) + "\n";
        }
        return text + (report.value().lock_written ? "locked" : "as locked");
    }
    void serve(const std::string& path, const std::string& body) {
        world.http.expect("GET " + path).reply(body).repeat();
    }
    void serve_tarball(const std::string& name, const std::string& version) {
        serve("https://tar/" + name + "/" + version,
              make_tarball({{"top/", "", '5'}, {"top/dbt_project.yml", "name: " + name + "\nversion: " + version}}));
    }

    ProjectFolder folder;
    World world;
};

TEST(Deps, TheHighestVersionThatAllAcceptIsInstalled) {
    Deps deps(
        "packages:\n  - {package: a/utils, version: [\">=1.0.0\", \"<2.0.0\"]}\n  - {package: a/more, version: "
        "0.1.0}\n");
    deps.serve("/api/v1/a/utils.json",
               hub_package({hub_version("1.0.0", "utils"), hub_version("1.2.0", "utils"), hub_version("1.3.0", "utils"),
                            hub_version("1.4.0", "utils", "[]", "\">=2.0.0\""), hub_version("1.5.0-rc1", "utils"),
                            hub_version("2.0.0", "utils")}));
    deps.serve("/api/v1/a/more.json",
               hub_package({hub_version("0.1.0", "more", R"([{"package": "a/utils", "version": ["<1.3.0"]}])"),
                            hub_version("0.2.0", "more")}));
    deps.serve_tarball("utils", "1.2.0");
    deps.serve_tarball("more", "0.1.0");
    EXPECT_EQ(deps.run(), "utils 1.2.0 of 2.0.0\nmore 0.1.0 of 0.2.0\nlocked");
    EXPECT_EQ(deps.folder.read("shop/dbt_packages/utils/dbt_project.yml"), "name: utils\nversion: 1.2.0");
    EXPECT_THAT(deps.folder.read("shop/package-lock.yml"),
                testing::StartsWith("packages:\n  - name: utils\n    package: a/utils\n    version: 1.2.0\n"
                                    "  - name: more\n    package: a/more\n    version: 0.1.0\nsha1_hash: "));
    deps.folder.write("shop/dbt_packages/left_over", "x");
    EXPECT_EQ(deps.run(), "utils 1.2.0 of 2.0.0\nmore 0.1.0 of 0.2.0\nas locked");
    EXPECT_FALSE(deps.folder.has("shop/dbt_packages/left_over"));
    EXPECT_EQ(deps.run({.lock = DepsOptions::Lock::renew, .install = DepsOptions::Install::nothing}), "locked");
    deps.folder.write("shop/packages.yml", "packages: [{package: a/more, version: 0.1.0}]");
    EXPECT_EQ(deps.run(), "more 0.1.0 of 0.2.0\nutils 1.2.0 of 2.0.0\nlocked");
}

TEST(Deps, ConflictsNameBothSides) {
    const auto outcome = [](std::string_view packages) {
        Deps deps(packages);
        deps.serve("/api/v1/a/utils.json", hub_package({hub_version("1.0.0", "utils"), hub_version("1.9.0-b1", "utils"),
                                                        hub_version("3.0.0", "utils", "[]", "\">=2.0.0\"")}));
        deps.serve("/api/v1/a/more.json",
                   hub_package({hub_version("0.1.0", "more", R"([{"package": "a/utils", "version": "<1.0.0"}])")}));
        deps.serve("/api/v1/a/copy.json", hub_package({hub_version("0.1.0", "utils")}));
        deps.serve("/api/v1/a/self.json", hub_package({hub_version("0.1.0", "shop")}));
        deps.world.http.expect("GET /api/v1/a/utlis.json").reply(404, "").repeat();
        deps.serve("/api/v1/index.json", R"(["a/utils", "a/more"])");
        const std::string text = deps.run();
        EXPECT_FALSE(deps.folder.has("shop/package-lock.yml"));
        EXPECT_FALSE(deps.folder.has("shop/dbt_packages"));
        return text;
    };
    EXPECT_EQ(outcome("packages:\n - {package: a/utils, version: 1.0.0}\n - {package: a/more, version: 0.1.0}"),
              "ROOT/shop/packages.yml:2: package a/utils: no version is both <1.0.0 and =1.0.0; asked for by "
              "packages.yml (1.0.0), "
              "more (<1.0.0)");
    EXPECT_EQ(outcome("packages:\n - {package: a/utils, version: \">=2.0.0\"}"),
              "ROOT/shop/packages.yml:2: no version of a/utils is >=2.0.0 and runs with dbt 1.11.16; the newest are: "
              "1.0.0; asked for "
              "by packages.yml (>=2.0.0)");
    EXPECT_EQ(outcome("packages:\n - {package: a/utlis, version: 1.0.0}"),
              "package not in the hub's index: a/utlis; did you mean a/utils?");
    EXPECT_EQ(outcome("packages:\n - {package: a/utils, version: 1.0.0}\n - {package: a/copy, version: 0.1.0}"),
              "ROOT/shop/packages.yml:3: two packages have the name utils: a/utils, asked for by packages.yml (1.0.0), "
              "and a/copy, "
              "asked for by packages.yml (0.1.0); keep one");
    EXPECT_EQ(outcome("packages:\n - {package: a/self, version: 0.1.0}"),
              "ROOT/shop/packages.yml:2: a package has the name of the project itself: shop, from a/self; take it out");
    EXPECT_EQ(outcome("packages:\n - {private: o/r}"),
              "private packages belong to dbt's cloud: o/r; give the repository with `git:` instead");
}

TEST(Deps, PreReleasesComeWhenAskedFor) {
    for (const auto& [packages, expected] :
         {std::pair("packages: [{package: a/utils, version: \">=1.0.0\"}]", "utils 1.0.0 of 1.0.0\nlocked"),
          std::pair("packages: [{package: a/utils, version: \">=1.0.0\", install_prerelease: true}]",
                    "utils 1.1.0-rc1 of 1.0.0\nlocked"),
          std::pair("packages: [{package: a/utils, version: [\">=1.0.0-a\"]}]", "utils 1.1.0-rc1 of 1.0.0\nlocked")}) {
        Deps deps(packages);
        deps.serve("/api/v1/a/utils.json",
                   hub_package({hub_version("1.0.0", "utils"), hub_version("1.1.0-rc1", "utils")}));
        deps.serve_tarball("utils", "1.0.0");
        deps.serve_tarball("utils", "1.1.0-rc1");
        EXPECT_EQ(deps.run(), expected);
    }
}

TEST(Deps, ServersThatFailAreAskedAgain) {
    Deps deps("packages: [{package: a/utils, version: 1.0.0}]");
    deps.world.http.expect("GET /api/v1/a/utils.json")
        .reply(503, "")
        .reply(hub_package({hub_version("1.0.0", "utils")}));
    deps.world.http.expect("GET https://tar/utils/1.0.0").reply(302, {{"Location", "https://other/x.tgz"}}, "");
    deps.serve("https://other/x.tgz", make_tarball({{"top/dbt_project.yml", "name: utils"}}));
    EXPECT_EQ(deps.run(), "utils 1.0.0 of 1.0.0\nlocked");
}

TEST(Deps, AFailureLeavesWhatWasInstalled) {
    Deps deps("packages: [{tarball: \"https://tar/x\", name: x}]");
    deps.folder.write("shop/dbt_packages/old/dbt_project.yml", "name: old");
    deps.world.http.expect("GET https://tar/x")
        .reply(make_tarball({{"a/dbt_project.yml", "name: y"}, {"b", ""}}))
        .repeat();
    EXPECT_EQ(deps.run(),
              "not a package: https://tar/x holds 2 files at its top; it takes one folder with the project in it");
    EXPECT_TRUE(deps.folder.has("shop/dbt_packages/old/dbt_project.yml"));
    EXPECT_FALSE(deps.folder.has("shop/dbt_packages.new"));
}

TEST(Deps, LocalPackagesAreLinked) {
    Deps deps("packages: [{local: ../tools}, {tarball: \"https://tar/x\", name: named}]");
    deps.folder.write("tools/dbt_project.yml", "name: tools");
    deps.folder.write("tools/packages.yml",
                      "packages: [{local: ../base}]");  // from the root project's folder, as dbt has it
    deps.folder.write("base/dbt_project.yml", "name: base");
    deps.serve("https://tar/x", make_tarball({{"a/dbt_project.yml", "name: y"}}));
    EXPECT_EQ(deps.run(), "tools \nnamed \nbase \nlocked");
    EXPECT_EQ(std::filesystem::read_symlink(deps.folder.at("shop/dbt_packages/tools")).string(),
              deps.folder.at("tools"));
    EXPECT_TRUE(deps.folder.has("shop/dbt_packages/named/dbt_project.yml"));
    deps.folder.write("shop/packages.yml", "packages: [{local: ../nowhere}]");
    EXPECT_THAT(deps.run(), testing::StartsWith("ROOT/nowhere/dbt_project.yml: no dbt_project.yml in ROOT/nowhere"));
    EXPECT_TRUE(deps.folder.has("tools/dbt_project.yml"));
    deps.folder.write("evil/dbt_project.yml", "name: ../x");
    deps.folder.write("shop/packages.yml", "packages: [{local: ../evil}]");
    EXPECT_EQ(deps.run(),
              "ROOT/shop/package-lock.yml:2: cannot install a package by that name: ../x; it is no name of a folder");
}

// A bare repository with a tag, a branch and a project in a folder.
class GitDeps : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("git --version >/dev/null 2>&1") != 0)
            GTEST_SKIP() << "no git: packages of git are not fetched";
        const std::string script =
            "set -e; cd '" + sources_.at("") +
            "'; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
            "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; git init -q -b main work; cd work; "
            "printf 'name: utils\\nversion: 1' >dbt_project.yml; mkdir sub; echo 'name: inner' >sub/dbt_project.yml; "
            "git add .; "
            "git commit -qm one; git tag v1; git rev-parse HEAD >../first; printf 'name: utils\\nversion: 2' "
            ">dbt_project.yml; "
            "git commit -qam two; git rev-parse HEAD >../second; cd ..; git clone -q --bare work utils.git";
        ASSERT_EQ(std::system(script.c_str()), 0);
        url_ = "file://" + sources_.at("utils.git");
        first_ = sources_.read("first").substr(0, 40);
        second_ = sources_.read("second").substr(0, 40);
    }
    std::string packages(const std::string& more) const {
        return "packages:\n  - {git: \"" + url_ + "\"" + more + "}\n";
    }

    ProjectFolder sources_;
    std::string url_, first_, second_;
};

TEST_F(GitDeps, RevisionsBecomeCommits) {
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {", revision: v1", first_, "utils"},
        {", revision: " + first_, first_, "utils"},
        {", revision: " + first_.substr(0, 9), first_, "utils"},
        {", revision: main, warn-unpinned: false", second_, "utils"},
        {", revision: v1, subdirectory: sub", first_, "inner"},
    };
    for (const auto& [more, commit, name] : cases) {
        SCOPED_TRACE(more);
        Deps deps(packages(more));
        EXPECT_EQ(deps.run(), name + " " + commit.substr(0, 12) + "\nlocked");
        EXPECT_THAT(deps.folder.read("shop/package-lock.yml"), testing::HasSubstr("revision: " + commit));
        EXPECT_FALSE(deps.folder.has("shop/dbt_packages/" + name + "/.git"));
        EXPECT_EQ(deps.run(), name + " " + commit.substr(0, 12) + "\nas locked");
        EXPECT_THAT(deps.folder.read("shop/dbt_packages/" + name + "/dbt_project.yml"),
                    testing::StartsWith("name: " + name));
    }
}

TEST_F(GitDeps, WhatMovesOrIsNotThereIsTold) {
    Deps moving(packages(""));
    EXPECT_EQ(moving.run(), "warning ROOT/shop/packages.yml:2: package " + url_ +
                                " is at HEAD, which moves; pin it with `revision:`, a tag or a commit\nutils " +
                                second_.substr(0, 12) + "\nlocked");
    Deps missing(packages(", revision: v9"));
    EXPECT_THAT(missing.run(), testing::StartsWith("git cannot fetch revision v9 of " + url_ +
                                                   "; check both, and that git may sign in: "));
    Deps option(packages(", revision: --upload-pack=touch"));
    EXPECT_EQ(option.run(), "not a revision of git: --upload-pack=touch; correct it");
    const std::string plain = url_.substr(0, url_.size() - 4);
    Deps conflict("packages:\n  - {git: \"" + url_ + "\", revision: v1}\n  - {git: \"" + plain +
                  "\", revision: main}\n");
    EXPECT_EQ(conflict.run(),
              "ROOT/shop/packages.yml:2: package " + url_ +
                  " is asked for at several revisions by packages.yml (v1), packages.yml (main); agree on one");
}

TEST_F(GitDeps, TokensInUrlsAreNotShown) {
    World world;
    const ProjectFolder folder;
    const auto commit = check_out(
        world.run, {"https://user:token@127.0.0.1:1/x.git", "https://{{ token }}@host/x.git", "v1"}, folder.at("c"));
    ASSERT_FALSE(commit.ok());
    EXPECT_THAT(commit.error().to_string(), testing::Not(testing::HasSubstr("token@127")));
}

TEST(Lock, WithoutVersionsIsRefused) {
    PackageSpec spec{.location = "a/b", .versions = {">=1.0.0"}};
    EXPECT_EQ(pinned_of_lock(spec).error().message(),
              "the lock has no single version of a/b; run `shaduf dbt deps --upgrade`");
}

}  // namespace
}  // namespace shaduf::models
