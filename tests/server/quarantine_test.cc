#include "pipeline/run.h"
#include "tests/server/project_fixture.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

// A pipeline that has run, and turned two rows away.
class QuarantineTest : public ProjectFixture {
protected:
    QuarantineTest() {
        const std::string source = (folder.path() / "shop.duckdb").string();
        {
            auto database = databases.open(source, {}).release_value();
            EXPECT_TRUE(
                database->connect(world.cancellation)
                    .release_value()
                    ->execute("CREATE TABLE orders(id BIGINT, total BIGINT); INSERT INTO orders VALUES (1, 10), (2, "
                              "-5), (3, -6)")
                    .ok());
        }
        write("shaduf.yml", read("shaduf.yml") + "  shop: {type: duckdb, path: " + source + "}\n");
        write("pipelines/shop.yml",
              "source: shop\nsink: warehouse\nschema: raw\nstreams:\n  orders:\n    mode: incremental\n    "
              "cursor_field: id\n"
              "    write: append\n    expect:\n      - \"total >= 0\"\n");
        const auto errors = reload();
        EXPECT_TRUE(errors.empty()) << errors.front().to_string();
        const auto project = room.view().project;
        RunOptions options;
        options.meta_path = (folder.path() / ".shaduf/meta.db").string();
        const auto summary = run_pipeline(world.run, *project, *project->pipeline("shop"), connectors, options);
        EXPECT_TRUE(summary.ok()) << summary.error().to_string();
    }
};

TEST_F(QuarantineTest, TellsWhatWasTurnedAway) {
    const Answer groups = get("/api/v1/quarantine");
    ASSERT_EQ(groups.status, 200) << groups.json.dump();
    ASSERT_GE(groups.json["items"].size(), 1U) << groups.json.dump();
    int64_t count = 0;
    for (const Json& group : groups.json["items"]) count += group["rows"].get<int64_t>();
    EXPECT_EQ(count, 2);
    const Answer rows = get("/api/v1/quarantine/rows?pipeline=shop&stream=orders");
    ASSERT_EQ(rows.json["items"].size(), 2U) << rows.json.dump();
    EXPECT_EQ(get("/api/v1/quarantine/rows?q=-6").json["items"].size(), 1U);
    EXPECT_EQ(get("/api/v1/quarantine/rows?q=' OR 1=1 --").json["items"].size(), 0U);
    EXPECT_EQ(get("/api/v1/quarantine/rows?limit=1").json["items"].size(), 1U);
}

TEST_F(QuarantineTest, MendsAndReplaysRows) {
    const Answer rows = get("/api/v1/quarantine/rows?q=-6");
    const std::string id = rows.json["items"][0]["id"];
    Json body = {{"pipeline", "shop"}, {"stream", "orders"}, {"edits", {{id, {{"total", 6}}}}}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/replay", body.dump(), Role::editor).status, 403);
    const Answer replayed = call("POST", "/api/v1/quarantine/replay", body.dump(), Role::operator_);
    ASSERT_EQ(replayed.status, 200) << replayed.json.dump();
    EXPECT_EQ(replayed.json["replayed"], 1) << replayed.json.dump();
    EXPECT_EQ(count("SELECT total::BIGINT FROM raw.orders WHERE id = 3"), 6);
    EXPECT_EQ(get("/api/v1/quarantine/rows").json["items"].size(), 1U);
    body["edits"] = {{"none", {{"total", 6}}}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/replay", body.dump()).status, 404);
    const Json again = {{"pipeline", "shop"}, {"stream", "orders"}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/replay", again.dump()).json["again_quarantined"], 1);
}

TEST_F(QuarantineTest, DiscardsWhatIsNamed) {
    const std::string id = get("/api/v1/quarantine/rows?q=-6").json["items"][0]["id"];
    const Json body = {{"pipeline", "shop"}, {"stream", "orders"}, {"ids", {id}}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/discard", body.dump(), Role::operator_).json["discarded"], 1);
    const Json unknown = {{"pipeline", "shop"}, {"stream", "orders"}, {"reason", "no such reason"}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/discard", unknown.dump()).json["discarded"], 0);
    EXPECT_EQ(get("/api/v1/quarantine/rows").json["items"].size(), 1U);
    const Json other = {{"pipeline", "nope"}, {"stream", "orders"}};
    EXPECT_EQ(call("POST", "/api/v1/quarantine/discard", other.dump()).status, 404);
}

TEST_F(QuarantineTest, PipelinesTellHowTheyEnded) {
    const Answer list = get("/api/v1/pipelines");
    ASSERT_EQ(list.json["items"].size(), 1U) << list.json.dump();
    EXPECT_EQ(list.json["items"][0]["state"], "ok");
    EXPECT_EQ(list.json["items"][0]["quarantined"], 2);
    const Answer one = get("/api/v1/pipelines/shop");
    ASSERT_EQ(one.status, 200) << one.json.dump();
    EXPECT_EQ(one.json["streams"][0]["expectations"].dump(), R"(["total >= 0"])");
    EXPECT_EQ(one.json["streams"][0]["history"][0]["rows"], 1);
    EXPECT_FALSE(one.json["streams"][0]["checkpoint"].is_null());
    EXPECT_EQ(get("/api/v1/pipelines/none").status, 404);
}

TEST_F(QuarantineTest, LineageLeadsFromConnectionsToModels) {
    write("dbt_project.yml", "name: acme\nversion: '1.0'\nprofile: acme\n");
    write("models/sources.yml", "version: 2\nsources:\n  - name: raw\n    tables: [{name: orders}]\n");
    write("models/stg.sql", "select id, total from {{ source('raw', 'orders') }}");
    write("models/mart.sql", "select id, total * 2 as doubled from {{ ref('stg') }}");
    write("models/schema.yml",
          "version: 2\nmodels:\n  - name: mart\n    description: The end.\n    columns:\n      - name: "
          "id\n        tests: [not_null]\n");
    const Answer answer = get("/api/v1/lineage");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    const auto edge = [](const std::string& from, const std::string& to) { return Json{{"from", from}, {"to", to}}; };
    EXPECT_THAT(answer.json["edges"].get<std::vector<Json>>(),
                testing::UnorderedElementsAre(edge("connection:shop", "table:raw.orders"),
                                              edge("table:raw.orders", "model.acme.stg"),
                                              edge("model.acme.stg", "model.acme.mart")));
    EXPECT_EQ(get("/api/v1/lineage?select=stg&depth=0").json["nodes"].size(), 1U);
    EXPECT_EQ(get("/api/v1/lineage?select=stg&depth=0").json["hidden"]["model.acme.stg"].dump(),
              R"({"down":1,"up":1})");
    EXPECT_EQ(get("/api/v1/lineage?select=%2Bmart").json["nodes"].size(), 4U);
    EXPECT_EQ(get("/api/v1/lineage?select=shop%2B1").json["nodes"].size(), 3U);
    EXPECT_EQ(get("/api/v1/lineage?select=path:models&depth=0").json["nodes"].size(), 3U);
    for (const Json& node : answer.json["nodes"]) {
        EXPECT_EQ(node["tests"]["total"], node["id"] == "model.acme.mart" ? 1 : 0);
    }
    const Answer columns = get("/api/v1/lineage/columns?table=mart&column=doubled");
    ASSERT_EQ(columns.status, 200) << columns.json.dump();
    EXPECT_THAT(columns.response.body, testing::HasSubstr(R"("to":{"column":"doubled","node":"model.acme.mart"})"));
}

}  // namespace
}  // namespace shaduf::server
