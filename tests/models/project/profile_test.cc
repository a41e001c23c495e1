#include "models/project/profile.h"

#include <gmock/gmock.h>

#include "tests/models/project_folder.h"
#include "tests/models/yaml/typed_text.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kProfiles = R"(config: {send_anonymous_usage_stats: false}
shop:
  target: "{{ dev }}"
  outputs:
    <dev>: {type: duckdb, path: "{{ path }}", threads: 4, attach: [{path: "{{ bad }}"}]}
    good: {type: postgres, password: "{{ bad }}", host: "{{ h }}"}
    typeless: {path: x}
    text: x
    threads: {type: duckdb, threads: many}
empty: {target: x}
plain: {outputs: {default: {type: duckdb}}}
number: {target: 5, outputs: {x: {type: duckdb}}}
)";

TEST(Profile, IsLookedForWhereDbtLooks) {
    const ProjectFolder folder;
    for (const std::string_view place : {"flag", "variable", "working", "project", "home/.dbt"}) {
        folder.write(std::string(place) + "/profiles.yml", "x: {outputs: {}}");
    }
    ProfilesSearch search{folder.at("flag"), folder.at("variable"), folder.at("working"), folder.at("project"),
                          folder.at("home")};
    const auto found = [&] {
        const auto profiles = load_profiles(search);
        return folder.plain(profiles.ok() ? profiles.value().path : profiles.error().to_string());
    };
    EXPECT_EQ(found(), "ROOT/flag/profiles.yml");
    search.flag.reset();
    EXPECT_EQ(found(), "ROOT/variable/profiles.yml");
    search.variable.reset();
    EXPECT_EQ(found(), "ROOT/working/profiles.yml");
    search.working_folder = folder.at("nowhere");
    EXPECT_EQ(found(), "ROOT/project/profiles.yml");
    search.project_folder = folder.at("nowhere");
    EXPECT_EQ(found(), "ROOT/home/.dbt/profiles.yml");
    search.home_folder = folder.at("other");
    EXPECT_EQ(found(),
              "no profiles.yml found; looked in: ROOT/nowhere, ROOT/other/.dbt; write one, or give its folder with "
              "--profiles-dir");
    search.variable = folder.at("nowhere");
    EXPECT_EQ(found(),
              "no profiles.yml in ROOT/nowhere, the folder of DBT_PROFILES_DIR; correct it, or put the file there");
    search.variable = folder.at("flag");
    folder.write("flag/profiles.yml", "");
    EXPECT_EQ(found(),
              "ROOT/flag/profiles.yml:1: profiles.yml holds nothing; it takes a map of profiles, each with target and "
              "outputs");
}

TEST(Profile, TargetsAreChosenAndOnlyTheyAreRendered) {
    const ProjectFolder folder;
    folder.write("profiles.yml", kProfiles);
    const auto profiles = load_profiles(ProfilesSearch{.flag = folder.at("")});
    ASSERT_TRUE(profiles.ok());
    struct Case {
        std::string profile;
        std::optional<std::string> target;
        std::string_view outcome;
    };
    const Case cases[] = {
        {"shop", "good", R"(good postgres 1 {"type"="postgres","password"="{{ bad }}","host"="<h>"})"},
        {"plain", {}, R"(default duckdb 1 {"type"="duckdb"})"},
        {"shop", {}, ":5: bad Jinja: {{ bad }}"},
        {"shp", {}, ":1: no profile shp; there are: shop, empty, plain, number; did you mean shop?"},
        {"shop", "prod",
         ":2: profile shop has no target prod; there are: <dev>, good, typeless, text, threads; give one of "
         "them with --target"},
        {"empty", {}, ":10: profile empty has no outputs; add `outputs:` with a target"},
        {"number", {}, ":12: target takes the name of one of the outputs, not a whole number"},
        {"shop", "typeless", ":7: target typeless has no type; add `type: duckdb`"},
        {"shop", "text", ":8: target text takes a map with type and credentials, not a text"},
        {"shop", "threads", ":9: threads takes a whole number, not a text: many"},
    };
    for (const auto& [profile, target, outcome] : cases) {
        const auto chosen = choose_target(profiles.value(), profile, target, render_fake);
        if (!chosen.ok()) {
            EXPECT_EQ(chosen.error().to_string(), profiles.value().path + std::string(outcome));
            continue;
        }
        EXPECT_EQ(chosen.value().target_name + " " + chosen.value().type + " " +
                      std::to_string(chosen.value().threads) + " " + typed_text(chosen.value().credentials.root()),
                  outcome);
    }
}

}  // namespace
}  // namespace shaduf::models
