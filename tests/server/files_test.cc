#include "tests/server/project_fixture.h"

#include <unistd.h>

#include <thread>

#include "server/project/project_files.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

class FilesTest : public ProjectFixture {
protected:
    std::string sha(const std::string& path) { return get("/api/v1/files/" + path).json["sha"]; }
};

TEST_F(FilesTest, ShowsWhatMakesTheProjectAndNothingElse) {
    write("pipelines/a.yml", "source: x\n");
    write("models/deep/m.sql", "select 1");
    write(".env", "TOKEN=1\n");
    write(".secrets/crm", "hush");
    write("pipelines/.hidden.yml", "x");
    write("profiles.yml", "password: x\n");
    write("models/data.bin", "x");
    ASSERT_EQ(symlink("/etc/passwd", (folder.path() / "models/link.sql").c_str()), 0);
    ASSERT_EQ(symlink("/etc", (folder.path() / "macros").c_str()), 0);
    const Answer answer = get("/api/v1/files");
    std::vector<std::string> paths;
    for (const Json& file : answer.json["items"]) paths.push_back(file["path"]);
    EXPECT_THAT(paths, testing::ElementsAre("models/deep/m.sql", "pipelines/a.yml", "shaduf.yml"));
    EXPECT_EQ(answer.json["items"][1]["kind"], "pipeline");
    EXPECT_EQ(get("/api/v1/files/models/deep/m.sql").json["text"], "select 1");
}

TEST_F(FilesTest, NoPathLeavesTheProject) {
    ASSERT_EQ(symlink("/etc", (folder.path() / "macros").c_str()), 0);
    std::filesystem::create_directories(folder.path() / "models");
    ASSERT_EQ(symlink("/etc/hosts", (folder.path() / "models/link.sql").c_str()), 0);
    write(".env", "TOKEN=1\n");
    write(".secrets/crm", "hush");
    for (const char* path : {"../etc/passwd",
                             "models/../../x.yml",
                             "/etc/passwd",
                             ".env",
                             ".env.prod",
                             ".secrets/crm",
                             ".shaduf/runs.db",
                             "models/%2e%2e/x.yml",
                             "models/..%2f..%2fx.yml",
                             "%2fetc%2fpasswd",
                             "models//x.sql",
                             "models/./x.sql",
                             "models/x.sql%00.yml",
                             "models\\x.sql",
                             "profiles.yml",
                             "acme.duckdb",
                             "macros/hosts.sql",
                             "models/link.sql",
                             "models/.x.sql",
                             "models/x.sh",
                             "models",
                             "pipelines/",
                             "",
                             "bin/x.py"}) {
        const std::string target = std::string("/api/v1/files/") + path;
        EXPECT_GE(get(target).status, 400) << path;
        EXPECT_GE(call("PUT", target, R"({"text": "x", "base_sha": null})").status, 400) << path;
    }
    EXPECT_FALSE(std::filesystem::exists("/etc/hosts.sql"));
    std::ifstream hosts("/etc/hosts");
    EXPECT_NE(std::string(std::istreambuf_iterator<char>(hosts), {}), "x");
}

TEST_F(FilesTest, EditsKeepCommentsAndTellTheDiff) {
    const std::string before = read("shaduf.yml");
    nlohmann::ordered_json body = {{"base_sha", sha("shaduf.yml")},
                                   {"dry_run", true},
                                   {"edits",
                                    {{{"path", {"connections", "crm"}},
                                      {"op", "set"},
                                      {"value", {{"type", "rest"}, {"base_url", "https://x.test"}}}}}}};
    const Answer dry = call("PATCH", "/api/v1/files/shaduf.yml", body.dump());
    ASSERT_EQ(dry.status, 200) << dry.json.dump();
    EXPECT_EQ(dry.json["written"], false);
    EXPECT_EQ(read("shaduf.yml"), before);
    EXPECT_THAT(dry.json["diff"].get<std::string>(),
                testing::HasSubstr("+  crm:\n+    type: rest\n+    base_url: https://x.test\n"));
    body["dry_run"] = false;
    const Answer saved = call("PATCH", "/api/v1/files/shaduf.yml", body.dump());
    ASSERT_EQ(saved.status, 200) << saved.json.dump();
    EXPECT_EQ(read("shaduf.yml"), before + "  crm:\n    type: rest\n    base_url: https://x.test\n");
    EXPECT_EQ(saved.json["errors"].size(), 0U) << saved.json.dump();
    EXPECT_NE(room.view().project->connection("crm"), nullptr) << "the project is read again";
}

TEST_F(FilesTest, TellsWhatTheProjectWouldHaveAgainstIt) {
    const Json body = {{"base_sha", nullptr},
                       {"dry_run", true},
                       {"text", "source: local\nsink: warehouse\nstreams:\n  a: {moed: x}\n"}};
    const Answer answer = call("PUT", "/api/v1/files/pipelines/a.yml", body.dump());
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    ASSERT_EQ(answer.json["errors"].size(), 1U) << answer.json.dump();
    EXPECT_EQ(answer.json["errors"][0]["file"], "pipelines/a.yml");
    EXPECT_EQ(answer.json["errors"][0]["line"], 4);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "pipelines"));
}

TEST_F(FilesTest, WorksWhileTheProjectIsBroken) {
    write("shaduf.yml", "name: [\n");
    EXPECT_EQ(call("POST", "/api/v1/check").json["errors"].size(), 1U);
    const Json body = {{"base_sha", sha("shaduf.yml")}, {"text", "name: mended\n"}};
    EXPECT_EQ(call("PUT", "/api/v1/files/shaduf.yml", body.dump()).status, 200);
    EXPECT_EQ(call("POST", "/api/v1/check").json["errors"].size(), 0U);
}

TEST_F(FilesTest, AnOtherTextOnDiskIsAConflict) {
    write("models/m.sql", "one");
    const std::string base = sha("models/m.sql");
    write("models/m.sql", "two");
    const Json body = {{"base_sha", base}, {"text", "mine"}};
    const Answer answer = call("PUT", "/api/v1/files/models/m.sql", body.dump());
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.json["current"]["text"], "two");
    EXPECT_EQ(answer.json["error"]["kind"], "conflict");
    EXPECT_EQ(read("models/m.sql"), "two");
    EXPECT_EQ(call("PUT", "/api/v1/files/models/m.sql", R"({"text": "x", "base_sha": null})").status, 409);
    const Json gone = {{"base_sha", base}, {"text", "mine"}};
    EXPECT_EQ(call("PUT", "/api/v1/files/models/other.sql", gone.dump()).status, 409);
}

TEST_F(FilesTest, RolesAndFoldersHold) {
    write("models/m.sql", "one");
    const Json body = {{"base_sha", sha("models/m.sql")}, {"text", "two"}};
    EXPECT_EQ(call("PUT", "/api/v1/files/models/m.sql", body.dump(), Role::viewer).status, 403);
    const Caller other{"eve", Role::editor, {"pipelines"}, "127.0.0.1"};
    EXPECT_EQ(call("PUT", "/api/v1/files/models/m.sql", body.dump(), other).status, 403);
    const Caller own{"ann", Role::editor, {"models"}, "127.0.0.1"};
    EXPECT_EQ(call("PUT", "/api/v1/files/models/m.sql", body.dump(), own).status, 200);
    EXPECT_EQ(read("models/m.sql"), "two");
}

// Whoever reads while others write has a whole text, and each writer either wrote or was told of the other.
TEST_F(FilesTest, WritersAtOnceLoseNothing) {
    const ProjectFiles files(folder.path().string());
    write("models/m.sql", std::string(100'000, 'a'));
    std::atomic<bool> done{false};
    std::atomic<int> broken{0};
    std::thread reader([&] {
        while (!done) {
            const auto text = files.read("models/m.sql");
            if (!text.ok() || text.value().text.find_first_not_of(text.value().text[0]) != std::string::npos) ++broken;
        }
    });
    for (int i = 0; i < 50; ++i) {
        const auto now = files.read("models/m.sql");
        ASSERT_TRUE(
            files.write("models/m.sql", now.value().sha, std::string(100'000, static_cast<char>('b' + i % 20))).ok());
    }
    done = true;
    reader.join();
    EXPECT_EQ(broken, 0);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "models")) {
        EXPECT_EQ(entry.path().filename(), "m.sql") << "nothing is left beside the file";
    }
}

}  // namespace
}  // namespace shaduf::server
