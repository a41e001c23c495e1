#include "pipeline/meta_store.h"
#include "pipeline/run.h"
#include "tests/server/project_fixture.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

// A pipeline with expectations, and a model with tests.
class ChecksTest : public ProjectFixture {
protected:
    ChecksTest() {
        in_source("CREATE TABLE orders(id BIGINT, total BIGINT, buyer VARCHAR)");
        write("shaduf.yml", read("shaduf.yml") + "  shop: {type: duckdb, path: " + source_path() + "}\n");
        write("pipelines/shop.yml",
              "source: shop\nsink: warehouse\nschema: raw\nstreams:\n  orders:\n    mode: full_refresh\n    expect:\n"
              "      - not_null: [id]\n      - \"total >= 0\"\n"
              "      - { expression: \"total < 1000\", severity: warn }\n"
              "      - { row_count: { min: 2 }, severity: warn }\n");
        const auto errors = reload();
        EXPECT_TRUE(errors.empty()) << errors.front().to_string();
    }
    std::string source_path() const { return (folder.path() / "shop.duckdb").string(); }
    void in_source(const std::string& sql) {
        auto database = databases.open(source_path(), {}).release_value();
        const auto done = database->connect(world.cancellation).release_value()->execute(sql);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    void run() {
        const auto project = room.view().project;
        RunOptions options;
        options.meta_path = (folder.path() / ".shaduf/meta.db").string();
        const auto summary = run_pipeline(world.run, *project, *project->pipeline("shop"), connectors, options);
        ASSERT_TRUE(summary.ok()) << summary.error().to_string();
        world.clock.advance(std::chrono::hours(1));
    }
    Json check(const std::string& text) {
        const Answer answer = get("/api/v1/checks");
        EXPECT_EQ(answer.status, 200) << answer.json.dump();
        for (const Json& item : answer.json["items"]) {
            if (item["text"] == text) return item;
        }
        ADD_FAILURE() << "no check " << text << " in " << answer.json.dump();
        return Json::object();
    }
};

TEST_F(ChecksTest, WhatHasNotRunIsThereToo) {
    const Answer answer = get("/api/v1/checks");
    ASSERT_EQ(answer.json["items"].size(), 4U) << answer.json.dump();
    EXPECT_TRUE(answer.json["models_error"].is_null());
    const Json id = check("not_null(id)");
    EXPECT_EQ(id["state"], "never");
    EXPECT_EQ(id["on"], "raw.orders");
    EXPECT_EQ(id["column"], "id");
    EXPECT_EQ(id["kind"], "expectation");
    EXPECT_EQ(id["file"], "pipelines/shop.yml");
    EXPECT_EQ(id["line"], 8);
    EXPECT_TRUE(id["last_at"].is_null() && id["failing_rows"].is_null() && id["history"].empty()) << id.dump();
}

TEST_F(ChecksTest, EachRunLeavesAResult) {
    in_source("INSERT INTO orders VALUES (1, 10, 'a'), (2, 2000, 'b'), (3, 5, 'c')");
    run();
    in_source("INSERT INTO orders VALUES (4, -5, 'd'), (NULL, -6, 'e')");
    run();
    const Json negative = check("total >= 0");
    EXPECT_EQ(negative["state"], "failed");
    EXPECT_EQ(negative["failing_rows"], 2);
    ASSERT_EQ(negative["history"].size(), 2U);
    EXPECT_EQ(negative["history"][0]["state"], "passed");
    EXPECT_LT(negative["history"][0]["at"], negative["history"][1]["at"]);
    EXPECT_EQ(negative["last_at"], negative["history"][1]["at"]);
    EXPECT_EQ(check("not_null(id)")["failing_rows"], 1);
    const Json large = check("total < 1000");
    EXPECT_EQ(large["state"], "warned");
    EXPECT_EQ(large["severity"], "warn");
    EXPECT_EQ(large["message"], "1 of 5 rows fail");
    EXPECT_EQ(get("/api/v1/checks?state=failed").json["items"].size(), 2U);
    EXPECT_EQ(get("/api/v1/checks?table=RAW.orders").json["items"].size(), 4U);
    EXPECT_EQ(get("/api/v1/checks?table=raw.other").json["items"].size(), 0U);
}

TEST_F(ChecksTest, ALoadWithTooFewRowsIsToldOf) {
    in_source("INSERT INTO orders VALUES (1, 10, 'a')");
    run();
    const auto checks = get("/api/v1/checks?state=warned").json["items"];
    ASSERT_EQ(checks.size(), 1U) << checks.dump();
    EXPECT_EQ(checks[0]["message"], "the load has 1 rows, expected at least 2");
}

TEST_F(ChecksTest, ComeInPages) {
    std::vector<std::string> seen;
    std::string after;
    do {
        const Answer page = get("/api/v1/checks?limit=3&after=" + percent_encode(after));
        for (const Json& item : page.json["items"]) seen.push_back(item["id"]);
        after = page.json["next"].is_null() ? "" : page.json["next"].get<std::string>();
    } while (!after.empty());
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(ChecksTest, TestsOfModelsAreChecksOfTheirTables) {
    write("dbt_project.yml", "name: acme\nversion: '1'\nmodel-paths: [models]\n");
    write("models/orders.sql", "SELECT 1 AS id");
    write("models/schema.yml", "models:\n  - name: orders\n    columns:\n      - {name: id, tests: [not_null]}\n");
    EXPECT_EQ(check("not_null_orders_id")["state"], "never");
    const std::string id = check("not_null_orders_id")["id"];
    const Json artifact = {
        {"metadata", {{"generated_at", "2026-01-02T03:04:05Z"}}},
        {"results",
         {{{"unique_id", id}, {"status", "fail"}, {"failures", 7}, {"message", "Got 7 results"}}, {{"status", 3}}, 5}}};
    write("target/run_results.json", artifact.dump());
    const Json test = check("not_null_orders_id");
    EXPECT_EQ(test["kind"], "test");
    EXPECT_EQ(test["on"], "main.orders");
    EXPECT_EQ(test["column"], "id");
    EXPECT_EQ(test["state"], "failed");
    EXPECT_EQ(test["failing_rows"], 7);
    EXPECT_EQ(test["message"], "Got 7 results");
    EXPECT_EQ(test["file"], "models/schema.yml");
    // What a flow's task of models has found since is newer.
    auto store = MetaStore::open(folder / ".shaduf/meta.db").release_value();
    const std::vector<CheckRecord> newer = {{id, "run-1", "2026-01-03T00:00:00Z", "passed", 0, ""}};
    ASSERT_TRUE(store->save_checks(newer).ok());
    EXPECT_EQ(check("not_null_orders_id")["state"], "passed");
    in_warehouse("CREATE TABLE orders AS SELECT 1 AS id");
    const Answer table = get("/api/v1/tables/main/orders");
    EXPECT_EQ(table.json["tests"]["passed"], 1) << table.json.dump();
    EXPECT_EQ(table.json["columns"][0]["tests"][0]["state"], "passed");
}

TEST_F(ChecksTest, ModelsThatCannotBeReadDoNotHideExpectations) {
    write("dbt_project.yml", "name: acme\nversion: '1'\nmodel-paths: [models]\n");
    write("models/orders.sql", "SELECT {{ nonsense(");
    const Answer answer = get("/api/v1/checks");
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.json["items"].size(), 4U);
    EXPECT_THAT(answer.json["models_error"].get<std::string>(), testing::HasSubstr("orders.sql"));
}

TEST_F(ChecksTest, ColumnsComeFromColumns) {
    write("dbt_project.yml", "name: acme\nversion: '1'\nmodel-paths: [models]\n");
    write("models/base.sql", "SELECT 1 AS id, 2 AS cents");
    write("models/sums.sql", "SELECT id, cents / 100 AS total FROM {{ ref('base') }}");
    const Answer up = get("/api/v1/lineage/columns?table=main.sums&column=total");
    ASSERT_EQ(up.status, 200) << up.json.dump();
    std::map<std::string, std::string> ids;  // as the graph of tables has them
    const Answer graph = get("/api/v1/lineage");
    for (const Json& node : graph.json["nodes"]) ids[node["name"]] = node["id"];
    const Json wanted = {{"from", {{"node", ids["base"]}, {"column", "cents"}}},
                         {"to", {{"node", ids["sums"]}, {"column", "total"}}}};
    ASSERT_EQ(up.json["edges"].size(), 1U) << up.json.dump();
    EXPECT_EQ(up.json["edges"][0], wanted);
    const Answer down = get("/api/v1/lineage/columns?table=base&column=id");
    ASSERT_EQ(down.json["edges"].size(), 1U) << down.json.dump();
    EXPECT_EQ(down.json["edges"][0]["to"]["column"], "id");
    EXPECT_GE(get("/api/v1/lineage/columns?table=base&column=none").status, 400);
    EXPECT_GE(get("/api/v1/lineage/columns?table=none&column=id").status, 400);
    EXPECT_GE(get("/api/v1/lineage/columns?table=--profiles-dir&column=id").status, 400);
}

}  // namespace
}  // namespace shaduf::server
