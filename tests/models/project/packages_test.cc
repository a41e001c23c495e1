#include "models/project/packages.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "models/yaml/yaml_builder.h"
#include "tests/models/project_folder.h"
#include "tests/models/python_oracle.h"

namespace shaduf::models {
namespace {

std::string all(const ProjectFolder& folder, const std::vector<Error>& errors) {
    std::string text;
    for (const Error& error : errors) text += (text.empty() ? "" : "\n") + folder.plain(error.to_string());
    return text;
}

std::string summary(const PackageSpec& spec) {
    std::string text = std::string(to_string(spec.kind)) + " " + spec.location;
    if (!spec.versions.empty()) text += " [" + join(spec.versions, ", ") + "]";
    if (spec.revision) text += " @" + *spec.revision;
    if (spec.subdirectory) text += " /" + *spec.subdirectory;
    if (!spec.warn_unpinned) text += " unpinned";
    if (spec.install_prerelease) text += " prerelease";
    if (spec.name) text += " as " + *spec.name;
    return text;
}

TEST(Packages, EveryKindIsRead) {
    const ProjectFolder folder;
    folder.write("packages.yml", R"(packages:
  - {package: dbt-labs/dbt_utils, version: [">=1.0.0", "<2.0.0"]}
  - {package: a/b, version: 0.8.0, install_prerelease: true}
  - {git: "https://{{ host }}/x.git", revision: 1.0, subdirectory: sub, warn-unpinned: false}
  - git: git@github.com:o/r.git
  - local: ../
  - {tarball: "https://x/y.tar.gz", name: y}
  - {private: o/r, provider: github, revision: main}
)");
    Findings findings;
    const auto list = read_packages(folder.at(""), render_fake, findings);
    EXPECT_EQ(all(folder, findings.errors) + all(folder, findings.warnings), "");
    std::vector<std::string> summaries;
    for (const auto& spec : list.packages) summaries.push_back(summary(spec));
    EXPECT_THAT(summaries,
                testing::ElementsAre("package dbt-labs/dbt_utils [>=1.0.0, <2.0.0]", "package a/b [0.8.0] prerelease",
                                     "git https://<host>/x.git @1.0 /sub unpinned", "git git@github.com:o/r.git",
                                     "local ../", "tarball https://x/y.tar.gz as y", "private o/r @main"));
    EXPECT_EQ(list.packages[2].unrendered_location, "https://{{ host }}/x.git");
    EXPECT_EQ(list.packages[3].line, 5U);
}

TEST(Packages, DependenciesAreNotRendered) {
    const ProjectFolder folder;
    folder.write("dependencies.yml", "projects: [{name: other}]\npackages: [{git: '{{ x }}'}]");
    Findings findings;
    const auto list = read_packages(folder.at(""), render_fake, findings);
    ASSERT_EQ(list.packages.size(), 1U);
    EXPECT_EQ(list.file_name, "dependencies.yml");
    EXPECT_EQ(list.packages[0].location, "{{ x }}");
}

TEST(Packages, SayWhatIsWrong) {
    constexpr std::pair<std::string_view, std::string_view> kCases[] = {
        {"packages: 5", "ROOT/packages.yml:1: packages takes a list, not a whole number: 5"},
        {"package: []", "ROOT/packages.yml:1: packages.yml has no key packages; add it with a list"},
        {"projects: []\npackages: []",
         "ROOT/packages.yml:1: packages.yml has the key projects; move it to dependencies.yml"},
        {"packages:\n  - dbt_utils",
         "ROOT/packages.yml:2: an entry of packages takes one of: package, git, local, tarball, private"},
        {"packages:\n  - {version: 1.0.0}",
         "ROOT/packages.yml:2: an entry of packages takes one of: package, git, local, tarball, private"},
        {"packages:\n  - {package: ''}", "ROOT/packages.yml:2: no value for package; say which package"},
        {"packages:\n  - {package: dbt_utils, version: 1.0.0}",
         "ROOT/packages.yml:2: a package of the hub has a namespace: dbt_utils; write it as dbt-labs/dbt_utils"},
        {"packages:\n  - {package: a/b}",
         "ROOT/packages.yml:2: no version for a/b; add `version: [\">=1.0.0\", \"<2.0.0\"]`"},
        {"packages:\n  - {package: a/b, version: [1.0.0,\n \"~1\"]}",
         "ROOT/packages.yml:3: not a version: \"~1\"; write three numbers, as 1.2.0 or \">=1.2.0\""},
        {"packages:\n  - {tarball: x}", "ROOT/packages.yml:2: a tarball needs the name of its package; add `name:`"},
        {"packages:\n  - {local: [x]}",
         "ROOT/packages.yml:2: local takes a text, not a list: [\"x\"]\n"
         "ROOT/packages.yml:2: no value for local; say which package"},
        {"packages:\n  - {local: x, revison: 1}",
         "warning ROOT/packages.yml:2: unknown key of a package: revison; it is ignored, remove it"},
        {"packages:\n  - {git: x, revison: 1}",
         "warning ROOT/packages.yml:2: unknown key of a package: revison; did you mean revision?"},
        {"packages:\n  - {git: '{{ bad }}'}", "ROOT/packages.yml: bad Jinja: {{ bad }}"},
    };
    for (const auto& [yaml, expected] : kCases) {
        SCOPED_TRACE(yaml);
        const ProjectFolder folder;
        folder.write("packages.yml", yaml);
        Findings findings;
        read_packages(folder.at(""), render_fake, findings);
        const std::string warnings = all(folder, findings.warnings);
        EXPECT_EQ(all(folder, findings.errors) + (warnings.empty() ? "" : "warning " + warnings), expected);
    }
    const ProjectFolder folder;
    folder.write("packages.yml", "packages: []");
    folder.write("dependencies.yml", "packages: []");
    Findings findings;
    read_packages(folder.at(""), render_fake, findings);
    EXPECT_EQ(
        all(folder, findings.errors),
        "ROOT/dependencies.yml:1: packages.yml and dependencies.yml both have packages; keep them in one of the two");
}

TEST(Packages, LocksAreWrittenAsDbtWritesThem) {
    const std::vector<LockEntry> entries = {
        {{"package", "dbt-labs/dbt_utils"}, {"version", "1.1.1"}, {"name", "dbt_utils"}},
        {{"git", "https://x/y.git"}, {"revision", "1.0"}, {"name", "yes"}},
        {{"local", "../"}, {"name", "it's: x"}}};
    const std::string text = package_lock_text(entries, "12e4");
    EXPECT_EQ(text,
              "packages:\n  - name: dbt_utils\n    package: dbt-labs/dbt_utils\n    version: 1.1.1\n"
              "  - git: https://x/y.git\n    name: 'yes'\n    revision: '1.0'\n"
              "  - local: ../\n    name: 'it''s: x'\nsha1_hash: 12e4\n");
    const ProjectFolder folder;
    folder.write("package-lock.yml", text);
    Findings findings;
    const auto lock = read_package_lock(folder.at(""), render_fake, findings);
    ASSERT_TRUE(lock);
    EXPECT_EQ(all(folder, findings.errors), "");
    EXPECT_EQ(lock->sha1, "12e4");
    EXPECT_EQ(lock->packages.size(), 3U);
}

TEST(Packages, FewerInstalledThanAskedForIsAnError) {
    const ProjectFolder folder;
    Project project;
    project.root = folder.path().string();
    project.packages_install_path = "dbt_packages";
    PackageList wanted;
    EXPECT_TRUE(installed_packages(project, wanted).value().empty());
    wanted.packages.resize(2);
    folder.write("dbt_packages/b/dbt_project.yml", "");
    folder.write("dbt_packages/__x/dbt_project.yml", "");
    folder.write("dbt_packages/file", "");
    EXPECT_EQ(folder.plain(installed_packages(project, wanted).error().to_string()),
              "ROOT/packages.yml: packages.yml asks for 2 packages, 1 are installed in ROOT/dbt_packages; run `shaduf "
              "dbt deps`");
    std::filesystem::create_directory_symlink(folder.at("dbt_packages/b"), folder.at("dbt_packages/a"));
    EXPECT_THAT(installed_packages(project, wanted).value(),
                testing::ElementsAre(folder.at("dbt_packages/a"), folder.at("dbt_packages/b")));
}

constexpr std::string_view kOracle = R"py(
import sys, json, os, yaml
try:
    from dbt.config.project import package_config_from_data
    from dbt.task.deps import _create_sha1_hash
except ImportError:
    sys.exit(77)
for text in json.load(sys.stdin):
    try:
        raw = yaml.safe_load(text)
        print(_create_sha1_hash(package_config_from_data(yaml.safe_load(text), raw).packages))
    except Exception as e:
        print('error', str(e).replace('\n', ' '))
)py";

TEST(DbtOracle, LocksHaveDbtsHash) {
    const char* python = std::getenv("SHADUF_DBT_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SHADUF_DBT_PYTHON names no Python with dbt: hashes are not compared";
    const std::vector<std::string> files = {
        "packages: [{package: dbt-labs/dbt_utils, version: 1.1.1}]",
        "packages: [{package: dbt-labs/dbt_utils, version: [\">=1.0.0\", \"<2.0.0\"]}, {local: ../}]",
        "packages: [{git: 'https://x/y.git', revision: 1.0}, {git: 'https://x/z.git', warn-unpinned: false, "
        "subdirectory: s}]",
        "packages: [{git: 'https://x/y.git', revision: v1, name: \"\\u00e4\"}]",
        "packages: [{tarball: 'https://x/y.tgz', name: y}]",
        "packages: [{package: a/b, version: 1.0.0, install_prerelease: true}, {private: o/r, provider: github}]",
        "packages: [{git: 'https://x/y.git', revision: 12}]",
    };
    YamlBuilder builder;
    builder.begin_list();
    for (const auto& file : files) builder.add_text(file);
    builder.end_list();
    const auto expected = run_python(kOracle, to_python_json(builder.finish().root()), python);
    if (!expected) GTEST_SKIP() << "SHADUF_DBT_PYTHON has no dbt: hashes are not compared";
    ASSERT_EQ(expected->size(), files.size());
    for (size_t i = 0; i < files.size(); ++i) {
        const ProjectFolder folder;
        folder.write("packages.yml", files[i]);
        Findings findings;
        EXPECT_EQ(read_packages(folder.at(""), render_fake, findings).sha1(), (*expected)[i]) << files[i];
    }
}

}  // namespace
}  // namespace shaduf::models
