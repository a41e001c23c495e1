#include "models/project/project.h"

#include <gmock/gmock.h>

#include "models/yaml/parse_yaml.h"
#include "tests/models/project_folder.h"
#include "tests/models/yaml/typed_text.h"

namespace shaduf::models {
namespace {

using testing::ElementsAre;

struct Read {
    Project project;
    Findings findings;
};

Read read(std::string_view yaml, VersionCheck check = VersionCheck::on) {
    Read result;
    auto raw = parse_yaml(yaml, "/p/dbt_project.yml");
    EXPECT_TRUE(raw.ok()) << raw.error().to_string();
    auto rendered = render_tree(raw.value(), render_fake, renders_in_project);
    EXPECT_TRUE(rendered.ok()) << rendered.error().to_string();
    result.project = read_project("/p", raw.release_value(), rendered.release_value(), check, result.findings);
    return result;
}

std::string all(const std::vector<Error>& errors) {
    std::string text;
    for (const Error& error : errors) text += (text.empty() ? "" : "\n") + error.to_string();
    return text;
}

TEST(Project, HasDbtsDefaults) {
    const auto [project, findings] = read("name: shop\nprofile: shop");
    EXPECT_EQ(all(findings.errors) + all(findings.warnings), "");
    EXPECT_EQ(project.name, "shop");
    EXPECT_THAT(project.model_paths, ElementsAre("models"));
    EXPECT_THAT(project.seed_paths, ElementsAre("seeds"));
    EXPECT_THAT(project.analysis_paths, ElementsAre("analyses"));
    EXPECT_THAT(project.docs_paths,
                ElementsAre("models", "seeds", "snapshots", "analyses", "macros", "tests", "functions"));
    EXPECT_EQ(project.target_path, "target");
    EXPECT_EQ(project.packages_install_path, "dbt_packages");
    EXPECT_THAT(project.clean_targets, ElementsAre("target"));
    EXPECT_FALSE(project.query_comment.comment);
    EXPECT_TRUE(project.configs(ConfigSection::models).is_null());
}

TEST(Project, ReadsEveryKey) {
    const auto [project, findings] = read(R"(
name: shop
version: 1.0
config-version: 2
profile: "{{ p }}"
require-dbt-version: [">=1.3.0", "<2.0.0"]
source-paths: [models, more/]
data-paths: [data]
target-path: "{{ t }}"
clean-targets: [target, dbt_packages]
quoting: {database: true, identifier: false}
query-comment: {comment: "{{ c }}", append: true}
dispatch:
  - {macro_namespace: dbt_utils, search_order: [shop, dbt_utils]}
on-run-start: "{{ start }}"
on-run-end: ["{{ a }}", b]
vars: {shop: {x: "{{ x }}"}}
tests: {+severity: warn}
models:
  shop: {+materialized: "{{ m }}", +post-hook: "{{ h }}"}
semantic-models: {+enabled: false}
)");
    EXPECT_EQ(all(findings.errors), "");
    EXPECT_EQ(all(findings.warnings),
              "/p/dbt_project.yml:7: source-paths is an old key; write model-paths\n"
              "/p/dbt_project.yml:8: data-paths is an old key; write seed-paths");
    EXPECT_EQ(project.version, "1.0");
    EXPECT_EQ(project.profile, "<p>");
    EXPECT_EQ(project.require_dbt_version.size(), 2U);
    EXPECT_THAT(project.model_paths, ElementsAre("models", "more/"));
    EXPECT_THAT(project.seed_paths, ElementsAre("data"));
    EXPECT_THAT(project.all_source_paths(),
                ElementsAre("models", "more", "data", "snapshots", "analyses", "macros", "tests", "functions"));
    EXPECT_EQ(project.target_path, "<t>");
    EXPECT_EQ(project.quoting.database, true);
    EXPECT_EQ(project.quoting.identifier, false);
    EXPECT_EQ(project.quoting.schema, std::nullopt);
    EXPECT_EQ(project.query_comment.comment, "{{ c }}");
    EXPECT_TRUE(project.query_comment.append);
    ASSERT_EQ(project.dispatch.size(), 1U);
    EXPECT_THAT(project.dispatch[0].search_order, ElementsAre("shop", "dbt_utils"));
    EXPECT_THAT(project.on_run_start, ElementsAre("{{ start }}"));
    EXPECT_THAT(project.on_run_end, ElementsAre("{{ a }}", "b"));
    EXPECT_EQ(typed_text(project.vars()), R"({"shop"={"x"="{{ x }}"}})");
    EXPECT_EQ(typed_text(project.configs(ConfigSection::models)),
              R"({"shop"={"+materialized"="<m>","+post-hook"="{{ h }}"}})");
    EXPECT_EQ(typed_text(project.unrendered_configs(ConfigSection::models)["shop"]["+materialized"]), R"("{{ m }}")");
    EXPECT_EQ(typed_text(project.configs(ConfigSection::data_tests)), R"({"+severity"="warn"})");
    EXPECT_EQ(typed_text(project.configs(ConfigSection::semantic_models)), R"({"+enabled"=b0})");
}

TEST(Project, SaysAllThatIsWrong) {
    struct Case {
        std::string_view yaml;
        std::string_view errors;
        std::string_view warnings;
    };
    constexpr Case kCases[] = {
        {"profile: x", "/p/dbt_project.yml:1: the project has no name; add `name: my_project`", ""},
        {"name: my-shop",
         "/p/dbt_project.yml:1: not a name for a project: my-shop; use letters, digits and _, a letter first", ""},
        {"name: 1st", "/p/dbt_project.yml:1: not a name for a project: 1st; use letters, digits and _, a letter first",
         ""},
        {"name: config", "/p/dbt_project.yml:1: the name is reserved: config; choose another", ""},
        {"name: [a]\nmodels: 5",
         "/p/dbt_project.yml:1: name takes a text, not a list: [\"a\"]\n"
         "/p/dbt_project.yml:1: not a name for a project: [\"a\"]; use letters, digits and _, a letter first\n"
         "/p/dbt_project.yml:2: models takes a map, not a whole number: 5",
         ""},
        {"name: a\nmodel-paths: models", "/p/dbt_project.yml:2: model-paths takes a list of texts, not a text: models",
         ""},
        {"name: a\nmodel-paths: [models,\n 1]",
         "/p/dbt_project.yml:3: model-paths takes a list of texts; one of them is a whole number: 1", ""},
        {"name: a\nsource-paths: [x]\nmodel-paths: [y]",
         "/p/dbt_project.yml:2: both source-paths and model-paths are given; keep model-paths", ""},
        {"name: a\ntests: {a: {+enabled: true}}\ndata_tests: {a: {+enabled: true}}",
         "/p/dbt_project.yml:2: both tests and data_tests are given; keep data_tests", ""},
        {"name: a\nconfig-version: 3", "/p/dbt_project.yml:2: config-version not known: 3; write 2", ""},
        {"name: a\nrequire-dbt-version: \">=2\"",
         "/p/dbt_project.yml:2: not a version: \">=2\"; write three numbers, as 1.2.0 or \">=1.2.0\"", ""},
        {"name: a\nrequire-dbt-version: \">=2.0.0,<3.0.0\"",
         "/p/dbt_project.yml:2: package a needs dbt >=2.0.0, <3.0.0; shaduf does what dbt 1.11.16 does: take another "
         "version of the package, or try --no-version-check",
         ""},
        {"name: a\nrequire-dbt-version: [\">=2.0.0\", \"<1.0.0\"]",
         "/p/dbt_project.yml:2: require-dbt-version can never hold: no version is both <1.0.0 and >=2.0.0; widen it",
         ""},
        {"name: a\ndispatch: [{macro_namespace: x}]",
         "/p/dbt_project.yml:2: an entry of dispatch takes macro_namespace (a text) and search_order (a list of "
         "packages)",
         ""},
        {"name: a\nmodel_paths: [x]\nfoo: 1\nname: b", "",
         "/p/dbt_project.yml:4: key given twice: name, first in line 1; the last one counts, remove one\n"
         "/p/dbt_project.yml:2: unknown key of dbt_project.yml: model_paths; did you mean model-paths?\n"
         "/p/dbt_project.yml:3: unknown key of dbt_project.yml: foo; it is ignored, remove it"},
        {"name: a\nquoting: {databse: true}", "",
         "/p/dbt_project.yml:2: unknown key of quoting: databse; did you mean database?"},
    };
    for (const auto& [yaml, errors, warnings] : kCases) {
        SCOPED_TRACE(yaml);
        const auto result = read(yaml);
        EXPECT_EQ(all(result.findings.errors), errors);
        EXPECT_EQ(all(result.findings.warnings), warnings);
    }
    EXPECT_TRUE(read("name: a\nrequire-dbt-version: \">=2.0.0\"", VersionCheck::off).findings.ok());
}

TEST(Project, NamesTheFolderThatHasOne) {
    const ProjectFolder folder;
    const auto message = [&](std::string_view where) {
        std::filesystem::create_directories(folder.path() / where);
        const auto tree = load_project_file(folder.at(where));
        return tree.ok() ? "read" : folder.plain(tree.error().to_string());
    };
    EXPECT_EQ(
        message("a/b"),
        "ROOT/a/b/dbt_project.yml: no dbt_project.yml in ROOT/a/b; give the project's folder with --project-dir, or "
        "make one with `shaduf init`");
    folder.write("a/dbt_project.yml", "name: x");
    EXPECT_EQ(
        message("a/b"),
        "ROOT/a/b/dbt_project.yml: no dbt_project.yml in ROOT/a/b; there is one in ROOT/a: give it with --project-dir");
    EXPECT_EQ(find_project_root(folder.at("a/b")), folder.at("a"));
    EXPECT_EQ(message("a"), "read");
    folder.write("a/dbt_project.yml", "[x]");
    EXPECT_EQ(message("a"),
              "ROOT/a/dbt_project.yml:1: dbt_project.yml is not a map, but a list; begin with `name: my_project`");
}

TEST(Project, SelectorsAreKeptAsTheyAre) {
    const ProjectFolder folder;
    EXPECT_FALSE(load_selectors_file(folder.at("")).value());
    folder.write("selectors.yml", "selectors:\n  - name: daily\n    definition: 'tag:daily'\n");
    EXPECT_EQ(load_selectors_file(folder.at("")).value()->root()["selectors"].items().size(), 1U);
    folder.write("selectors.yml", "selectrs: []");
    EXPECT_FALSE(load_selectors_file(folder.at("")).ok());
}

}  // namespace
}  // namespace shaduf::models
