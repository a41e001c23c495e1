#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <sstream>

#include "../../world.h"
#include "../project_folder.h"
#include "io/duckdb.h"
#include "models/command/console.h"
#include "models/command/dbt_command.h"

namespace shaduf::models {
namespace {

using Edit = std::function<void(const ProjectFolder& folder)>;

// What a command prints; each time that it begins to wait, the next edit is made. The last one ends it.
class Script final : public std::stringbuf {
public:
    Script(const ProjectFolder& folder, std::vector<Edit> edits, Cancellation& cancellation)
        : folder_(folder), edits_(std::move(edits)), cancellation_(cancellation) {}

protected:
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        const auto written = std::stringbuf::xsputn(text, size);
        if (std::string_view(text, static_cast<size_t>(size)).starts_with("Watching")) {
            next_ < edits_.size() ? edits_[next_++](folder_) : cancellation_.cancel();
        }
        return written;
    }

private:
    const ProjectFolder& folder_;
    const std::vector<Edit> edits_;
    Cancellation& cancellation_;
    size_t next_ = 0;
};

class WatchCommand : public testing::Test {
protected:
    WatchCommand() {
        folder_.write("profiles.yml",
                      "p: {target: dev, outputs: {dev: {type: duckdb, path: w.duckdb, schema: main}}}\n");
        folder_.write("dbt_project.yml", "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: p\n");
        folder_.write("models/a.sql", "select 1 as id");
        folder_.write("models/b.sql", "select id, {{ twice(1) }} as two from {{ ref('a') }}");
        folder_.write("models/s.yml", "models: [{name: a, columns: [{name: id, data_tests: [not_null]}]}]");
        folder_.write("macros/m.sql", "{% macro twice(x) %}{{ x * 2 }}{% endmacro %}");
    }

    // What it printed between the first wait and the last one, without times.
    std::string run(std::vector<std::string> words, std::vector<Edit> edits) {
        DuckDbInstances databases;
        World world(databases);
        Script script(folder_, std::move(edits), world.cancellation);
        std::ostream out(&script);
        Console console(out, out);
        const auto adapters = builtin_adapters();
        words.insert(words.end(), {"--watch", "--project-dir", folder_.at(""), "--profiles-dir", folder_.at("")});
        status_ = run_dbt_command({.run = world.run,
                                   .adapters = adapters,
                                   .messages = console,
                                   .environment = [](const std::string&) { return std::optional<std::string>(); },
                                   .working_folder = folder_.at(""),
                                   .home_folder = folder_.at("")},
                                  words, console);
        const std::string text = std::regex_replace(script.str(), std::regex("[0-9]+ ms|[0-9.]+s\\b"), "-");
        const size_t first = text.find('\n', text.find("Watching"));
        const size_t last = text.rfind("Watching");
        return first < last ? text.substr(first + 1, last - first - 1) : text;
    }

    static bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

    ProjectFolder folder_;
    int status_ = -1;
};

TEST_F(WatchCommand, CompilesWhatWasSaved) {
    const std::string told = run({"compile"}, {[](auto& folder) { folder.write("models/a.sql", "select 2 as id"); }});
    EXPECT_EQ(told, "Saved models/a.sql\nCompiled model.shop.a in -:\n\nselect 2 as id\n\n");
    EXPECT_EQ(folder_.read("target/compiled/shop/models/a.sql"), "select 2 as id");
    EXPECT_EQ(status_, 0);
}

TEST_F(WatchCommand, BuildsWhatWasSavedAndItsTests) {
    const std::string told = run({"build"}, {[](auto& folder) { folder.write("models/a.sql", "select 2 as id"); }});
    EXPECT_TRUE(holds(told, "created sql view model main.a")) << told;
    EXPECT_TRUE(holds(told, "PASS test not_null_a_id")) << told;
    EXPECT_FALSE(holds(told, "model main.b")) << told;
    EXPECT_TRUE(holds(told, "TOTAL=2")) << told;
}

TEST_F(WatchCommand, BuildsWhatReadsItWhenAsked) {
    const std::string told =
        run({"build", "--watch-descendants"}, {[](auto& folder) { folder.write("models/a.sql", "select 2 as id"); }});
    EXPECT_TRUE(holds(told, "created sql view model main.b")) << told;
    EXPECT_TRUE(holds(told, "TOTAL=3")) << told;
}

TEST_F(WatchCommand, KeepsToTheSelection) {
    const std::string told =
        run({"run", "--select", "b"}, {
                                          [](auto& folder) { folder.write("models/a.sql", "select 2 as id"); },
                                      });
    EXPECT_TRUE(holds(told, "Compiled model.shop.a")) << told;
    EXPECT_TRUE(holds(told, "Nothing of it is selected.")) << told;
}

TEST_F(WatchCommand, KnowsWhoCallsAMacro) {
    const std::string told =
        run({"compile"},
            {[](auto& folder) { folder.write("macros/m.sql", "{% macro twice(x) %}{{ x * 4 }}{% endmacro %}"); }});
    EXPECT_TRUE(holds(told, "Compiled model.shop.b")) << told;
    EXPECT_TRUE(holds(told, "4 as two")) << told;
    EXPECT_FALSE(holds(told, "model.shop.a")) << told;
}

TEST_F(WatchCommand, GoesOnAfterErrors) {
    const std::string told =
        run({"compile"},
            {
                [](auto& folder) { folder.write("models/a.sql", "select {{ 1 +"); },
                [](auto& folder) { folder.write("dbt_project.yml", "name: ["); },
                [](auto& folder) { folder.write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: p\n"); },
                [](auto& folder) { folder.write("models/a.sql", "select 3 as id"); },
                [](auto& folder) { folder.write("models/a.sql", "select 3 as id"); },
            });
    EXPECT_TRUE(holds(told, "error: models/a.sql:1")) << told;
    EXPECT_TRUE(holds(told, "dbt_project.yml")) << told;
    EXPECT_TRUE(holds(told, "select 3 as id")) << told;
    EXPECT_TRUE(holds(told, "No node is another for it (-).")) << told;
    EXPECT_EQ(status_, 0);
}

TEST_F(WatchCommand, GoesWithFewVerbs) {
    const std::string told = run({"seed"}, {});
    EXPECT_TRUE(holds(told, "--watch goes with build, compile, run and test, not with seed")) << told;
    EXPECT_EQ(status_, 2);
}

}  // namespace
}  // namespace shaduf::models
