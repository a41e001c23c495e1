#include "models/artifacts/manifest_json.h"

#include <gtest/gtest.h>

#include <sstream>

#include "models/artifacts/json_writer.h"
#include "models/yaml/json_tree.h"
#include "tests/models/made_manifest.h"

namespace shaduf::models {
namespace {

TEST(JsonWriter, WritesAsPythonDoes) {
    const std::vector<std::pair<std::string, std::string>> kCases = {
        {"{a: 1, b: [true, null, 1.5, 1.0e+20]}", R"({"a": 1, "b": [true, null, 1.5, 1e+20]})"},
        {"'a\"b\\c'", R"("a\"b\\c")"},
        {R"("tab\tline\nbell\a")", R"("tab\tline\nbell\u0007")"},
        {"é €", R"("\u00e9 \u20ac")"},
        {"\"\\U0001F600\"", R"("\ud83d\ude00")"},
        {"{1: a, null: c}", R"({"1": "a", "null": "c"})"},
        {"-.inf", "-Infinity"},
        {"[[], {}]", "[[], {}]"},
        {".nan", "NaN"},
    };
    for (const auto& [yaml, json] : kCases) {
        const auto value = value_of_yaml(yaml);
        ASSERT_TRUE(value.ok()) << yaml;
        EXPECT_EQ(json_of(value.value()), json);
    }
}

class ArtifactsTest : public testing::Test {
protected:
    YamlTree read(const BareServices& bare, const std::string& name) {
        auto tree = parse_json(bare.folder.read("target/" + name));
        EXPECT_TRUE(tree.ok());
        return tree.release_value();
    }
};

TEST_F(ArtifactsTest, ManifestHoldsEverything) {
    MadeManifest made;
    Node& orders = made.model("marts/orders", {"source.shop.raw.orders"}, "{materialized: table, meta: {a: 1}}");
    orders.columns.push_back({.name = "id", .data_type = "integer"});
    orders.version = "2";
    orders.refs.push_back({.name = "x", .version = "1.5"});
    made.model("marts/cte", {}, "{materialized: ephemeral}");
    made.test("unique_orders", "unique", {"orders"});
    made.source("raw", "orders");
    made.exposure("report", {"model.shop.orders"});
    made.unit_test("totals", "orders");
    BareServices bare(made.done());
    NodeResult result;
    result.unique_id = "model.shop.orders";
    result.compiled_code = "select 2";
    result.build_path = "x";
    result.extra_ctes = {{"model.shop.cte", " cte as (1)"}};
    ASSERT_TRUE(write_manifest(*bare.services, {result}, R"({"nightly": {}})").ok());

    const YamlTree tree = read(bare, "manifest.json");
    const YamlNode& root = tree.root();
    const YamlNode& head = root["metadata"];
    EXPECT_EQ(head["dbt_schema_version"].text(), "https://schemas.getdbt.com/dbt/manifest/v12.json");
    EXPECT_EQ(head["project_id"].text().size(), 32U);
    EXPECT_EQ(head["generated_at"].text(), "2026-01-02T03:04:05Z");
    EXPECT_EQ(head["run_started_at"].text(), "2026-01-02T03:04:05.000006+00:00");
    EXPECT_NE(root["selectors"].find("nightly"), nullptr);

    const YamlNode& node = root["nodes"]["model.shop.orders"];
    EXPECT_EQ(node["config"]["materialized"].text(), "table");
    EXPECT_EQ(node["columns"]["id"]["data_type"].text(), "integer");
    EXPECT_EQ(node["relation_name"].text(), R"("main"."orders")");
    EXPECT_EQ(node["compiled_code"].text(), "select 2");
    EXPECT_EQ(node["compiled_path"].text(), "target/compiled/shop/models/marts/orders.sql");
    EXPECT_EQ(node["build_path"].text(), "target/run/shop/models/marts/orders.sql");
    EXPECT_EQ(node["extra_ctes"].items()[0]["id"].text(), "model.shop.cte");
    EXPECT_EQ(node["version"].integer(), 2);
    EXPECT_EQ(node["refs"].items()[0]["version"].real(), 1.5);
    EXPECT_TRUE(root["nodes"]["model.shop.cte"]["relation_name"].is_null());
    EXPECT_EQ(root["nodes"]["model.shop.cte"].find("compiled_code"), nullptr);
    EXPECT_EQ(root["nodes"]["test.shop.unique_orders"]["test_metadata"]["name"].text(), "unique");
    EXPECT_EQ(root["exposures"]["exposure.shop.report"]["owner"]["name"].text(), "Ann");
    EXPECT_EQ(root["exposures"]["exposure.shop.report"]["extra"].integer(), 1);

    EXPECT_EQ(to_python_json(root["parent_map"]["model.shop.orders"]), R"(["source.shop.raw.orders"])");
    EXPECT_EQ(to_python_json(root["child_map"]["model.shop.orders"]),
              R"(["exposure.shop.report", "test.shop.unique_orders", "unit_test.shop.orders.totals"])");
}

TEST_F(ArtifactsTest, RunResultsHoldWhatBecameOfEachNode) {
    MadeManifest made;
    BareServices bare(made.done());
    bare.services->invocation_args = jinja::make<jinja::Dict>();
    bare.services->invocation_args->set("which", "build");
    NodeResult passed, seed;
    passed.unique_id = "test.shop.a";
    passed.status = NodeStatus::fail;
    passed.failures = 3;
    passed.message = "Got 3 results";
    passed.compiled_code = "select 1";
    passed.timing.push_back({"compile", WallTime(std::chrono::seconds(1)), WallTime(std::chrono::seconds(2))});
    seed.unique_id = "seed.shop.b";
    seed.status = NodeStatus::no_op;
    ASSERT_TRUE(write_run_results(*bare.services, {passed, seed}, 1.5).ok());
    const YamlTree tree = read(bare, "run_results.json");
    EXPECT_EQ(to_python_json(tree.root()["results"]),
              R"([{"status": "fail", "timing": [{"name": "compile", "started_at": "1970-01-01T00:00:01Z", )"
              R"("completed_at": "1970-01-01T00:00:02Z"}], "thread_id": "", "execution_time": 0.0, )"
              R"("adapter_response": {}, "message": "Got 3 results", "failures": 3, "unique_id": "test.shop.a", )"
              R"("compiled": true, "compiled_code": "select 1", "relation_name": null, "batch_results": null}, )"
              R"({"status": "no-op", "timing": [], "thread_id": "", "execution_time": 0.0, "adapter_response": {}, )"
              R"("message": null, "failures": null, "unique_id": "seed.shop.b", "compiled": null, )"
              R"("compiled_code": null, "relation_name": null, "batch_results": null}])");
    EXPECT_EQ(tree.root()["elapsed_time"].real(), 1.5);
    EXPECT_EQ(tree.root()["args"]["which"].text(), "build");
}

TEST_F(ArtifactsTest, AFileThatCannotBeWrittenIsAnErrorAndLeavesNothing) {
    MadeManifest made;
    BareServices bare(made.done());
    bare.folder.write("target", "a file where the folder should be");
    const auto written = write_manifest(*bare.services, {}, "");
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(bare.folder.plain(written.error().message()),
              "cannot write an artifact: ROOT/target/manifest.json; is there room, and may it be written? "
              "--no-write-json writes none");
}

}  // namespace
}  // namespace shaduf::models
