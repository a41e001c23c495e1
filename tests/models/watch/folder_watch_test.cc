#include "models/watch/folder_watch.h"

#include <gtest/gtest.h>

#include <functional>

#include "../project_folder.h"
#include "base/cancellation.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

using Paths = std::set<std::string>;

// What is told of edits, below the folder. A file at the end, which always is, ends the wait.
Paths told_of(const std::function<void(const fs::path& root)>& edit) {
    const ProjectFolder folder;
    folder.write("models/a.sql", "select 1");
    folder.write("models/old/b.sql", "select 2");
    folder.write("models/old/c.sql", "select 3");
    folder.write("target/x.sql", "");
    auto watch = FolderWatch::create();
    EXPECT_TRUE(watch.ok());
    EXPECT_TRUE(watch.value()->set_folders({folder.at("")}, {folder.at("models"), folder.at("seeds")}).ok());
    edit(folder.path());
    folder.write("models/last.sql", "");
    const Cancellation cancellation;
    const auto saved = watch.value()->wait(cancellation);
    EXPECT_TRUE(saved.ok());
    Paths paths;
    for (const std::string& file : saved.value().files) {
        if (!file.ends_with("/last.sql")) paths.insert(fs::relative(file, folder.path()).string());
    }
    return paths;
}

void write(const fs::path& file, std::string_view text = "select 7") { std::ofstream(file) << text; }

struct Case {
    std::string name;
    std::function<void(const fs::path& root)> edit;
    Paths expected;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> kCases = {
        {"written in place", [](auto& root) { write(root / "models/a.sql"); }, {"models/a.sql"}},
        {"written twice",
         [](auto& root) {
             write(root / "models/a.sql", "");
             write(root / "models/a.sql");
         },
         {"models/a.sql"}},
        {"written beside and renamed",
         [](auto& root) {
             write(root / "models/.a.sql.swp");
             write(root / "models/4913");
             fs::rename(root / "models/.a.sql.swp", root / "models/a.sql");
             fs::remove(root / "models/4913");
         },
         {"models/a.sql"}},
        {"a backup, then a new file",
         [](auto& root) {
             fs::rename(root / "models/a.sql", root / "models/a.sql~");
             write(root / "models/a.sql");
         },
         {"models/a.sql"}},
        {"deleted", [](auto& root) { fs::remove(root / "models/old/b.sql"); }, {"models/old/b.sql"}},
        {"moved",
         [](auto& root) { fs::rename(root / "models/a.sql", root / "models/old/a.sql"); },
         {"models/a.sql", "models/old/a.sql"}},
        {"a new folder",
         [](auto& root) {
             fs::create_directories(root / "models/new/deep");
             write(root / "models/new/deep/d.sql");
         },
         {"models/new/deep/d.sql"}},
        {"a folder that comes later",
         [](auto& root) {
             fs::create_directories(root / "seeds");
             write(root / "seeds/s.csv");
         },
         {"seeds/s.csv"}},
        {"a folder renamed",
         [](auto& root) { fs::rename(root / "models/old", root / "models/newer"); },
         {"models/newer/b.sql", "models/newer/c.sql", "models/old"}},
        {"a file of the project", [](auto& root) { write(root / "dbt_project.yml"); }, {"dbt_project.yml"}},
        {"of no project",
         [](auto& root) {
             write(root / "target/y.sql");
             write(root / "w.duckdb");
             write(root / "models/#a.sql#");
             write(root / "models/a.txt");
         },
         {}},
    };
    return kCases;
}

TEST(FolderWatch, TellsOfSavesAsEditorsMakeThem) {
    for (const Case& one : cases()) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(told_of(one.edit), one.expected);
    }
}

TEST(FolderWatch, WatchesAFolderThatCameAfterwards) {
    const ProjectFolder folder;
    folder.write("models/a.sql", "");
    auto watch = FolderWatch::create();
    ASSERT_TRUE(watch.ok());
    ASSERT_TRUE(watch.value()->set_folders({}, {folder.at("models")}).ok());
    const Cancellation cancellation;
    folder.write("models/new/b.sql", "");
    ASSERT_TRUE(watch.value()->wait(cancellation).ok());
    EXPECT_EQ(watch.value()->folders(), 2U);
    folder.write("models/new/b.sql", "select 1");
    const auto saved = watch.value()->wait(cancellation);
    ASSERT_TRUE(saved.ok());
    EXPECT_EQ(saved.value().files, Paths{folder.at("models/new/b.sql")});
}

TEST(FolderWatch, EndsWhenCanceled) {
    auto watch = FolderWatch::create();
    ASSERT_TRUE(watch.ok());
    Cancellation cancellation;
    cancellation.cancel();
    const auto saved = watch.value()->wait(cancellation);
    ASSERT_FALSE(saved.ok());
    EXPECT_EQ(saved.error().kind(), ErrorKind::canceled);
}

}  // namespace
}  // namespace shaduf::models
