#include "tests/server/project_fixture.h"

#include <sys/stat.h>

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

class ConnectionsTest : public ProjectFixture {
protected:
    void project(const std::string& connections) {
        write("shaduf.yml",
              "name: acme\nenvironments:\n  dev: {warehouse: local}\nconnections:\n  local: {type: duckdb, path: " +
                  warehouse_path() + "}\n" + connections);
        reload();
    }
};

TEST_F(ConnectionsTest, EveryConnectorHasItsFields) {
    const Answer answer = get("/api/v1/connectors");
    ASSERT_EQ(answer.json["items"].size(), connectors.all().size());
    bool has_secret = false;
    for (const Json& connector : answer.json["items"]) {
        for (const Json& field : connector["fields"]) {
            EXPECT_NE(field["help"], "") << connector["name"];
            has_secret = has_secret || field["secret"] == true;
        }
    }
    EXPECT_TRUE(has_secret);
}

TEST_F(ConnectionsTest, NeverShowsSecrets) {
    variables["SHOP_DSN"] = "postgresql://etl:hunter2@db/shop";
    write(".secrets/token", "s3cr3t");
    chmod((folder.path() / ".secrets/token").c_str(), 0600);
    project(
        "  shop: {type: postgres, dsn: \"${env:SHOP_DSN}\"}\n"
        "  raw: {type: postgres, dsn: \"postgresql://etl:hunter2@db/shop\"}\n");
    const Answer shop = get("/api/v1/connections/shop");
    ASSERT_EQ(shop.status, 200) << shop.json.dump();
    EXPECT_EQ(shop.json["options"]["dsn"].dump(), R"({"from":"env:SHOP_DSN","set":true})");
    EXPECT_EQ(get("/api/v1/connections/raw").json["options"]["dsn"].dump(), R"({"from":null,"set":true})");
    for (const char* target :
         {"/api/v1/connections", "/api/v1/connections/shop", "/api/v1/connections/raw", "/api/v1/secrets"}) {
        EXPECT_EQ(get(target).response.body.find("hunter2"), std::string::npos) << target;
        EXPECT_EQ(get(target).response.body.find("s3cr3t"), std::string::npos) << target;
    }
    EXPECT_EQ(get("/api/v1/connections/none").status, 404);
}

TEST_F(ConnectionsTest, SecretsAreWrittenAndNeverRead) {
    write("shaduf.yml", read("shaduf.yml") + "  crm: {type: postgres, dsn: \"${secret:crm_dsn}\"}\n");
    EXPECT_EQ(call("PUT", "/api/v1/secrets/crm_dsn", R"({"value": "postgresql://x/y"})", Role::viewer).status, 403);
    EXPECT_EQ(call("PUT", "/api/v1/secrets/crm_dsn", R"({"value": "postgresql://x/y"})").status, 204);
    EXPECT_EQ(read(".secrets/crm_dsn"), "postgresql://x/y");
    struct stat found {};
    ASSERT_EQ(stat((folder.path() / ".secrets/crm_dsn").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    const Answer answer = get("/api/v1/secrets");
    ASSERT_EQ(answer.json["items"].size(), 1U);
    EXPECT_EQ(answer.json["items"][0]["name"], "crm_dsn");
    EXPECT_EQ(answer.json["items"][0]["set"], true);
    EXPECT_EQ(answer.json["items"][0]["used_by"].dump(), R"(["shaduf.yml: connections.crm"])");
    EXPECT_NE(room.view().project->connection("crm"), nullptr);
    for (const char* name : {"..%2fx", "a.b", "%2e%2e", "a%2fb"}) {
        EXPECT_GE(call("PUT", std::string("/api/v1/secrets/") + name, R"({"value": "x"})").status, 400) << name;
    }
}

TEST_F(ConnectionsTest, TestsStepByStep) {
    in_warehouse("CREATE TABLE t(a BIGINT)");
    const Answer saved = call("POST", "/api/v1/connections/local/test");
    ASSERT_EQ(saved.status, 200) << saved.json.dump();
    EXPECT_EQ(saved.json["ok"], true) << saved.json.dump();
    EXPECT_EQ(saved.json["steps"].back()["found"], "1 stream can be read.");
    EXPECT_EQ(get("/api/v1/connections").json["items"][0]["last_test"]["ok"], true);

    // A port that nobody listens on: one that a server has just given back.
    auto server = HttpServer::start({}, [](const HttpServerRequest&) { return HttpServerResponse(); }).release_value();
    const int port = server->port();
    server->stop();
    const Json draft = {{"name", "shop"},
                        {"type", "postgres"},
                        {"options", {{"dsn", "postgresql://etl:hunter2@127.0.0.1:" + std::to_string(port) + "/shop"}}}};
    const Answer failed = call("POST", "/api/v1/connections/test", draft.dump());
    ASSERT_EQ(failed.status, 200) << failed.json.dump();
    EXPECT_EQ(failed.json["ok"], false);
    EXPECT_EQ(failed.json["steps"].back()["name"], "connect");
    EXPECT_THAT(failed.json["steps"].back()["found"].get<std::string>(),
                testing::HasSubstr("nothing answers at 127.0.0.1"));
    EXPECT_NE(failed.json["steps"].back()["do"], nullptr);
    EXPECT_EQ(failed.response.body.find("hunter2"), std::string::npos);

    const Json bad = {{"type", "postgres"}, {"options", {{"dns", "x"}}}};
    EXPECT_EQ(call("POST", "/api/v1/connections/test", bad.dump()).status, 400);
    EXPECT_EQ(call("POST", "/api/v1/connections/local/test", "", Role::viewer).status, 403);
}

TEST_F(ConnectionsTest, FindsStreamsAndKeepsTheAnswer) {
    EXPECT_EQ(get("/api/v1/connections/local/discover").status, 404);
    in_warehouse("CREATE TABLE t(a BIGINT, b VARCHAR); INSERT INTO t SELECT range, 'x' FROM range(50)");
    const Answer found = call("POST", "/api/v1/connections/local/discover");
    ASSERT_EQ(found.status, 200) << found.json.dump();
    EXPECT_EQ(found.json["streams"][0]["name"], "t");
    EXPECT_EQ(found.json["streams"][0]["columns"][0]["type"], "int64");
    EXPECT_EQ(get("/api/v1/connections/local/discover").json, found.json);
    // A failure leaves what was found.
    write("shaduf.yml", "name: acme\nconnections:\n  local: {type: duckdb, path: /none/x.duckdb}\n");
    EXPECT_GE(call("POST", "/api/v1/connections/local/discover").status, 400);
    EXPECT_EQ(get("/api/v1/connections/local/discover").json, found.json);
}

TEST_F(ConnectionsTest, PreviewsRows) {
    in_warehouse("CREATE TABLE t(a BIGINT); INSERT INTO t SELECT range FROM range(50)");
    const Answer rows = call("POST", "/api/v1/connections/local/preview", R"({"stream": "t", "limit": 2})");
    ASSERT_EQ(rows.status, 200) << rows.json.dump();
    EXPECT_EQ(rows.json["rows"].dump(), "[[0],[1]]");
    EXPECT_EQ(call("POST", "/api/v1/connections/local/preview", R"({"stream": "t", "options": {"nope": 1}})").status,
              400);
}

}  // namespace
}  // namespace shaduf::server
