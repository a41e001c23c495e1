#include "models/project/source_files.h"

#include <gmock/gmock.h>

#include "io/crypto.h"
#include "models/yaml/parse_yaml.h"
#include "tests/models/project_folder.h"

namespace shaduf::models {
namespace {

Project project_of(const ProjectFolder& folder, std::string_view yaml = "name: shop") {
    Findings findings;
    auto tree = parse_yaml(yaml, "dbt_project.yml");
    EXPECT_TRUE(tree.ok());
    auto project = read_project(folder.at(""), tree.value(), tree.value(), VersionCheck::on, findings);
    EXPECT_TRUE(findings.ok());
    return project;
}

std::vector<std::string> listed(const ProjectFolder& folder, std::string_view yaml = "name: shop") {
    Findings findings;
    std::vector<std::string> lines;
    for (const auto& file : find_source_files(project_of(folder, yaml), findings)) {
        lines.push_back(std::string(to_string(file.type)) + " " + std::string(file.searched_path()) + " | " +
                        std::string(file.relative_path()));
    }
    for (const auto& error : findings.errors) lines.push_back("error " + folder.plain(error.to_string()));
    for (const auto& warning : findings.warnings) lines.push_back("warning " + folder.plain(warning.to_string()));
    return lines;
}

TEST(SourceFiles, PlayTheirParts) {
    const ProjectFolder folder;
    for (const std::string_view name :
         {"models/b.sql",         "models/a.py",          "models/x/.hidden.sql", "models/x/#a.sql",
          "models/x/~a.sql",      "models/x/a.SQL",       "models/.x/c.sql",      "models/schema.yml",
          "models/x/more.yaml",   "models/docs.md",       "models/a.txt",         "models/.sql",
          "macros/m.sql",         "macros/m.py",          "tests/t.sql",          "tests/generic/g.sql",
          "tests/fixtures/f.csv", "tests/fixtures/f.sql", "tests/generic/g.yml",  "tests/x/generic/n.sql",
          "seeds/s.csv",          "snapshots/s.sql",      "analyses/a.sql",       "functions/f.sql",
          "other/o.sql",          "target/models/a.sql"}) {
        folder.write(name, "x");
    }
    EXPECT_THAT(listed(folder),
                testing::ElementsAre(
                    "macro macros | m.sql", "model models | .x/c.sql", "model models | b.sql", "model models | x/a.SQL",
                    "model models | a.py", "snapshot snapshots | s.sql", "analysis analyses | a.sql",
                    "singular_test tests | t.sql", "singular_test tests | x/generic/n.sql",
                    "generic_test tests/generic | g.sql", "seed seeds | s.csv", "docs models | docs.md",
                    "schema models | schema.yml", "schema tests | generic/g.yml", "schema models | x/more.yaml",
                    "fixture tests/fixtures | f.csv", "fixture tests/fixtures | f.sql", "function functions | f.sql"));
}

TEST(SourceFiles, AreWhereTheProjectSays) {
    const ProjectFolder folder;
    for (const std::string_view name : {"m/a.sql", "m/n/b.sql", "m-x/c.sql", "z/d.sql"}) folder.write(name, "x");
    EXPECT_THAT(listed(folder, "{name: shop, model-paths: [m/, ./z, nowhere, m/n], macro-paths: [m]}"),
                testing::ElementsAre("macro m | a.sql", "macro m | n/b.sql", "model m/ | a.sql", "model m/ | n/b.sql",
                                     "model ./z | d.sql", "model m/n | b.sql"));
}

TEST(SourceFiles, LinksAndIgnoredFiles) {
    const ProjectFolder folder;
    folder.write("models/a.sql", "x");
    folder.write("models/old/b.sql", "x");
    folder.write("elsewhere/c.sql", "x");
    std::filesystem::create_symlink(folder.at("elsewhere/c.sql"), folder.at("models/linked.sql"));
    std::filesystem::create_symlink(folder.at("nothing"), folder.at("models/broken.sql"));
    std::filesystem::create_directory_symlink(folder.at("elsewhere"), folder.at("models/folder"));
    std::filesystem::create_directory_symlink(folder.at("elsewhere"), folder.at("macros"));
    folder.write(".dbtignore", "models/old/\n");
    EXPECT_THAT(listed(folder),
                testing::ElementsAre("macro macros | c.sql", "model models | a.sql", "model models | linked.sql",
                                     "warning ROOT/models/broken.sql: cannot look at it, so it is left out: "
                                     "No such file or directory"));
    folder.write(".dbtignore", "x\\");
    EXPECT_THAT(listed(folder),
                testing::Contains("error ROOT/.dbtignore:1: a pattern ends in a backslash: x\\; remove it"));
}

TEST(FileBodies, AreStrippedAndHashedAsDbtDoes) {
    const ProjectFolder folder;
    folder.write("models/a.sql", " \n\n\xC2\xA0select 1\n\xE3\x80\x80\x1F ");
    folder.write("models/b.sql", "");
    folder.write("models/c.sql", "bad \xFF");
    folder.write("seeds/big.csv", std::string((1 << 20) + 1, 'x'));
    folder.write("seeds/fits.csv", std::string(1 << 20, 'x'));
    Findings findings;
    auto files = find_source_files(project_of(folder), findings);
    ASSERT_EQ(files.size(), 5U);
    files.push_back({FileType::model, "models/gone.sql", 6});
    const FileBodies bodies = read_bodies(folder.at(""), files, 2, findings);
    EXPECT_EQ(bodies[0].contents, "select 1");
    EXPECT_EQ(bodies[0].lines_before, 2U);
    EXPECT_EQ(bodies[0].checksum, to_hex(sha256("select 1")));
    EXPECT_EQ(bodies[0].checksum_name, "sha256");
    EXPECT_EQ(bodies[1].checksum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(bodies[3].checksum, "seeds/big.csv");
    EXPECT_EQ(bodies[3].checksum_name, "path");
    EXPECT_EQ(bodies[4].checksum, to_hex(sha256(std::string(1 << 20, 'x'))));
    ASSERT_EQ(findings.errors.size(), 2U);
    EXPECT_EQ(folder.plain(findings.errors[0].to_string()),
              "ROOT/models/c.sql: not valid UTF-8; save the file as UTF-8");
    EXPECT_EQ(folder.plain(findings.errors[1].to_string()),
              "ROOT/models/gone.sql: cannot read the file: No such file or directory");
}

TEST(FileBodies, ManyFilesByManyThreads) {
    const ProjectFolder folder;
    for (int i = 0; i < 500; ++i) {
        folder.write("models/m" + std::to_string(i) + ".sql",
                     "select " + std::to_string(i) + std::string(static_cast<size_t>(i) * 40, ' ') + "-- end");
    }
    Findings findings;
    auto files = find_source_files(project_of(folder), findings);
    ASSERT_EQ(files.size(), 500U);
    for (auto& file : files) file.bytes /= 3;  // as if each had grown since
    const FileBodies bodies = read_bodies(folder.at(""), files, 4, findings);
    for (size_t i = 0; i < files.size(); ++i) {
        EXPECT_EQ(bodies[i].contents, folder.read(files[i].path)) << files[i].path;
        EXPECT_EQ(bodies[i].checksum, to_hex(sha256(bodies[i].contents)));
    }
    EXPECT_TRUE(findings.ok());
}

}  // namespace
}  // namespace shaduf::models
