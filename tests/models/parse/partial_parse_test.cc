#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <sstream>

#include "../../world.h"
#include "../project_folder.h"
#include "models/command/console.h"
#include "models/command/dbt_command.h"
#include "models/parse/state/archive.h"

// A parse that begins with what the last one left gives what a parse from nothing gives: the same manifest, the same
// messages, the same status. Told by random edits of the project's own test projects, and by one edit for each trap.
namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

constexpr int kEdits = 4;  // of each project; SHADUF_EDITS=100 makes more

struct Outcome {
    int status = 0;
    std::string messages, manifest;
};

std::string without_times(std::string text) {
    static const std::regex kPassing(
        R"#("(created_at|generated_at|invocation_id|invocation_started_at|run_started_at)": ("[^"]*"|[0-9.e+]+))#");
    return std::regex_replace(text, kPassing, "\"$1\": -");
}

class EditedProject {
public:
    EditedProject() {
        folder_.write("profiles.yml", profile("main"));
        folder_.write("dbt_project.yml", "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: p\n");
    }
    explicit EditedProject(const fs::path& project) {
        fs::copy(project, folder_.path(), fs::copy_options::recursive);
        fs::copy(project, original_.path(), fs::copy_options::recursive);
    }
    static std::string profile(const std::string& schema) {
        return "p: {target: dev, outputs: {dev: {type: duckdb, path: w.duckdb, schema: " + schema + "}}}\n";
    }

    const ProjectFolder& folder() const { return folder_; }
    void restore() const {
        for (const auto& entry : fs::directory_iterator(folder_.path())) {
            const auto name = entry.path().filename();
            if (name != "target" && name != "whole") fs::remove_all(entry.path());
        }
        fs::copy(original_.path(), folder_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }

    Outcome parse(std::vector<std::string> more, const std::string& target = "target") {
        std::vector<std::string> words = {verb, "--project-dir", folder_.at(""), "--profiles-dir", folder_.at("")};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"--target-path", target});
        if (!vars.empty()) words.insert(words.end(), {"--vars", vars});
        World world;
        std::ostringstream out, errors;
        Console console(out, errors);
        const auto adapters = builtin_adapters();
        Outcome outcome;
        outcome.status =
            run_dbt_command({.run = world.run,
                             .adapters = adapters,
                             .messages = console,
                             .environment =
                                 [this](const std::string& name) {
                                     const auto known = environment.find(name);
                                     return known == environment.end() ? std::nullopt : std::optional(known->second);
                                 },
                             .working_folder = folder_.at(""),
                             .home_folder = folder_.at("")},
                            words, console);
        outcome.messages = out.str() + errors.str();
        outcome.manifest = without_times(folder_.read(target + "/manifest.json"));
        return outcome;
    }

    // Both ways, on the same files.
    void expect_same() {
        Outcome partial = parse({"--debug"});
        Outcome whole = parse({"--debug", "--no-partial-parse"}, "whole");
        if (partial.messages.find("Parsed again") != std::string::npos) ++parsed_again;
        for (Outcome* one : {&partial, &whole}) {
            one->messages = std::regex_replace(one->messages, std::regex("[^\n]*Parsed [^\n]*\n"), "");
        }
        EXPECT_EQ(partial.status, whole.status) << partial.messages << whole.messages;
        EXPECT_EQ(partial.messages, whole.messages);
        if (whole.status == 0) {
            EXPECT_EQ(first_difference(partial.manifest, whole.manifest), "");
        }
    }

    static std::string first_difference(const std::string& a, const std::string& b) {
        const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        if (at == a.end() && other == b.end()) return "";
        const auto from = static_cast<size_t>(std::max<ptrdiff_t>(at - a.begin() - 200, 0));
        return "partial: " + a.substr(from, 400) + "\nwhole: " + b.substr(std::min(from, b.size()), 400);
    }

    int parsed_again = 0;
    std::string verb = "parse";
    std::string vars;
    std::map<std::string, std::string> environment;

private:
    ProjectFolder folder_, original_;
};

// One edit a turn, by a seed, so that each failure can be had again.
class Edits {
public:
    Edits(EditedProject& project, unsigned seed) : project_(project), random_(seed) {}

    std::string next() {
        switch (random_() % 14) {
            case 0:
            case 1: return append(any(".sql", "models"), "\n-- edited " + number());
            case 2: return append(any(".sql", "models"), "\n{{ config(tags=['t" + number() + "']) }}");
            case 3: return append(any(".sql", "models"), "\n-- {{ ref('" + name_of(any(".sql", "models")) + "') }}");
            case 4: return write("models/made_" + number() + ".sql", "select " + number() + " as id");
            case 5: return remove(any(".sql", ""));
            case 6: return rename(any(".sql", "models"));
            case 7: return append(any(".yml", "models"), "\n# edited\n");
            case 8: return write("macros/made.sql", "{% macro made() %}" + number() + "{% endmacro %}");
            case 9: project_.vars = "{edited: " + number() + "}"; return "vars";
            case 10: project_.environment["EDITED"] = number(); return "environment";
            case 11:
                return append(any(".sql", "models"), "\n{{ config(meta={'e': env_var('EDITED', 'none')}) }}" +
                                                         std::string("\n-- {{ flags.WHICH }} {{ var('edited', 1) }}"));
            case 12: project_.restore(); return "restored";
            default: return append(any(".csv", ""), "");
        }
    }

private:
    std::string number() { return std::to_string(random_() % 1000); }
    std::string any(const std::string& extension, const std::string& below) {
        std::vector<std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(project_.folder().path())) {
            const std::string path = fs::relative(entry.path(), project_.folder().path()).string();
            if (path.ends_with(extension) && path.starts_with(below) && !path.starts_with("target") &&
                !path.starts_with("whole"))
                files.push_back(path);
        }
        std::sort(files.begin(), files.end());
        return files.empty() ? "" : files[random_() % files.size()];
    }
    static std::string name_of(const std::string& path) { return fs::path(path).stem().string(); }
    std::string append(const std::string& path, const std::string& text) {
        if (!path.empty()) project_.folder().write(path, project_.folder().read(path) + text);
        return "append to " + path + ": " + text;
    }
    std::string write(const std::string& path, const std::string& text) {
        project_.folder().write(path, text);
        return "write " + path;
    }
    std::string remove(const std::string& path) {
        if (!path.empty()) fs::remove(project_.folder().path() / path);
        return "remove " + path;
    }
    // By case alone, or to a name of its own.
    std::string rename(const std::string& path) {
        if (path.empty()) return "nothing to rename";
        const fs::path from = project_.folder().path() / path;
        std::string name = from.stem().string();
        if (random_() % 2 == 0) {
            name += "_moved" + number();
        } else {
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
        }
        fs::rename(from, from.parent_path() / (name + ".sql"));
        return "rename " + path + " to " + name;
    }

    EditedProject& project_;
    std::mt19937 random_;
};

std::vector<fs::path> own_projects() {
    std::vector<fs::path> projects;
    for (const auto& entry : fs::directory_iterator(fs::path(SHADUF_TEST_FOLDER) / "models/projects")) {
        const bool needs_packages = fs::exists(entry.path() / "packages.yml");
        if (fs::exists(entry.path() / "dbt_project.yml") && !needs_packages) projects.push_back(entry.path());
    }
    std::sort(projects.begin(), projects.end());
    return projects;
}

class PartialParseOf : public testing::TestWithParam<fs::path> {};

TEST_P(PartialParseOf, EqualsAParseFromNothingAfterRandomEdits) {
    EditedProject project(GetParam());
    Edits edits(project, 7);
    project.expect_same();
    std::string told;
    const char* more = std::getenv("SHADUF_EDITS");
    const int count = more == nullptr ? kEdits : std::atoi(more);
    for (int i = 0; i < count && !HasFailure(); ++i) {
        told += edits.next() + "\n";
        SCOPED_TRACE(told);
        project.expect_same();
    }
    project.restore();
    project.expect_same();
    project.expect_same();
    EXPECT_GT(project.parsed_again, 0);
}

INSTANTIATE_TEST_SUITE_P(OwnProjects, PartialParseOf, testing::ValuesIn(own_projects()),
                         [](const auto& project) { return project.param.filename().string(); });

struct Trap {
    std::string name;
    std::function<void(EditedProject&)> edit;
    std::string expected;  // in the manifest after it
};

const std::vector<Trap>& traps() {
    static const std::vector<Trap> kTraps = {
        {"text", [](auto& p) { p.folder().write("models/a.sql", "select 2 as id"); }, "select 2 as id"},
        {"environment", [](auto& p) { p.environment["TAG"] = "second"; }, "\"second\""},
        {"variable", [](auto& p) { p.vars = "{tag: varied}"; }, "\"varied\""},
        {"macro", [](auto& p) { p.folder().write("macros/m.sql", "{% macro m() %}new{% endmacro %}"); }, "\"new\""},
        {"profile", [](auto& p) { p.folder().write("profiles.yml", EditedProject::profile("other")); },
         "\"schema\": \"other\""},
        {"patch added", [](auto& p) { p.folder().write("models/p.yml", "models: [{name: a, description: said}]"); },
         "\"description\": \"said\""},
        {"patch changed",
         [](auto& p) { p.folder().write("models/s.yml", "models: [{name: b, description: other words}]"); },
         "other words"},
        {"moved",
         [](auto& p) {
             fs::create_directories(p.folder().path() / "models/deep");
             fs::rename(p.folder().path() / "models/a.sql", p.folder().path() / "models/deep/a.sql");
         },
         "models/deep/a.sql"},
        {"renamed by case",
         [](auto& p) { fs::rename(p.folder().path() / "models/c.sql", p.folder().path() / "models/C.sql"); },
         "model.shop.C"},
        {"project",
         [](auto& p) {
             p.folder().write("dbt_project.yml",
                              "name: shop\nversion: '1.0'\nprofile: p\nmodels: {+materialized: table}\n");
         },
         "\"materialized\": \"table\""},
        {"clock going back",
         [](auto& p) {
             const auto file = p.folder().path() / "models/a.sql";
             const auto before = fs::last_write_time(file);
             p.folder().write("models/a.sql", "select 7 as id");  // as long as it was
             fs::last_write_time(file, before);
         },
         "select 7 as id"},
        {"flag", [](auto& p) { p.verb = "ls"; }, "\"which-list\""},
    };
    return kTraps;
}

TEST(PartialParse, FallsInNoTrap) {
    for (const Trap& trap : traps()) {
        SCOPED_TRACE(trap.name);
        EditedProject project;
        project.environment["TAG"] = "first";
        project.folder().write("models/a.sql", "select 1 as id");
        project.folder().write("models/b.sql",
                               "{{ config(tags=[env_var('TAG'), var('tag', 'none'), m(), 'which-' ~ flags.WHICH]) }}"
                               "select * from {{ ref('a') }}");
        project.folder().write("models/c.sql", "select 3 as id");
        project.folder().write("models/s.yml", "models: [{name: b, description: words}]");
        project.folder().write("macros/m.sql", "{% macro m() %}old{% endmacro %}");
        project.expect_same();
        trap.edit(project);
        project.expect_same();
        EXPECT_NE(project.parse({}).manifest.find(trap.expected), std::string::npos);
    }
}

TEST(PartialParse, ReadsPackages) {
    EditedProject project;
    project.folder().write("packages.yml", "packages: [{local: pkg}]");
    project.folder().write("dbt_packages/pkg/dbt_project.yml", "name: pkg\nversion: '1.0'\n");
    project.folder().write("dbt_packages/pkg/models/p.sql", "select 1 as id");
    project.folder().write("dbt_packages/pkg/models/s.yml", "models: [{name: p, description: said}]");
    project.folder().write("models/a.sql", "select * from {{ ref('p') }}");
    project.folder().write("models/s.yml", "models: [{name: a, config: {tags: [own]}}]");
    project.expect_same();
    for (const std::string file : {"dbt_packages/pkg/models/p.sql", "models/a.sql"}) {
        SCOPED_TRACE(file);
        project.folder().write(file, project.folder().read(file) + " -- edited");
        project.expect_same();
    }
    EXPECT_EQ(project.parsed_again, 2);
    project.folder().write("dbt_packages/pkg/models/p.sql", "select * from {{ ref('a') }}");
    project.expect_same();
    EXPECT_NE(project.parse({}).messages.find("cycle"), std::string::npos);
}

// The state is of use, which nothing above shows.
TEST(PartialParse, ParsesWhatDidNotChangeNoMore) {
    EditedProject project;
    project.folder().write("models/a.sql", "{{ log('parsed a', info=true) }} select 1 as id");
    project.folder().write("models/b.sql", "{{ log('parsed b', info=true) }} select 2 as id");
    EXPECT_NE(project.parse({}).messages.find("parsed a"), std::string::npos);
    EXPECT_EQ(project.parse({}).messages, "");
    project.folder().write("models/b.sql", "{{ log('parsed b', info=true) }} select 3 as id");
    const Outcome changed = project.parse({});
    EXPECT_NE(changed.messages.find("parsed b"), std::string::npos);
    EXPECT_EQ(changed.messages.find("parsed a"), std::string::npos);
    EXPECT_NE(project.parse({"--no-partial-parse"}).messages.find("parsed a"), std::string::npos);
    project.environment["DBT_PARTIAL_PARSE"] = "false";
    EXPECT_NE(project.parse({}).messages.find("parsed a"), std::string::npos);
}

TEST(PartialParse, IgnoresAStateThatIsOdd) {
    EditedProject project;
    project.folder().write("models/a.sql", "{{ log('parsed a', info=true) }} select 1 as id");
    project.parse({});
    const std::string state = project.folder().read("target/partial_parse.shaduf");
    ASSERT_GT(state.size(), 100U);
    std::string torn = state;
    torn[torn.size() / 2] ^= 1;
    for (const std::string& odd :
         {std::string(), std::string("x"), state.substr(0, state.size() - 1), torn, state + "x"}) {
        SCOPED_TRACE(odd.size());
        project.folder().write("target/partial_parse.shaduf", odd);
        EXPECT_NE(project.parse({}).messages.find("parsed a"), std::string::npos);
    }
    EXPECT_EQ(project.parse({}).messages, "");
}

TEST(Archive, GivesValuesBack) {
    auto dict = jinja::make<jinja::Dict>();
    dict->set("a", jinja::Value(int64_t{7}));
    dict->set("b",
              jinja::Value::list({jinja::Value("x"), jinja::Value(1.5), jinja::Value::none(), jinja::Value(true)}));
    ArchiveWriter::Pool pool;
    ArchiveWriter out(pool);
    out(jinja::Value(dict), std::optional<std::string>("text"), std::optional<int>(), std::vector<int>{1, 2});
    ASSERT_TRUE(out.is_whole());
    const ArchiveReader::Pool none;
    ArchiveReader in(out.bytes(), none);
    jinja::Value value;
    std::optional<std::string> text;
    std::optional<int> number;
    std::vector<int> numbers;
    in(value, text, number, numbers);
    EXPECT_TRUE(in.is_well());
    EXPECT_EQ(value.repr(), jinja::Value(dict).repr());
    EXPECT_EQ(text, "text");
    EXPECT_EQ(number, std::nullopt);
    EXPECT_EQ(numbers, (std::vector<int>{1, 2}));
    for (size_t size = 0; size < out.bytes().size(); ++size) {
        SCOPED_TRACE(size);
        ArchiveReader cut(std::string_view(out.bytes()).substr(0, size), none);
        cut(value, text, number, numbers);
        EXPECT_FALSE(cut.is_well());
    }
}

}  // namespace
}  // namespace shaduf::models
