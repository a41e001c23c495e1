#include "tests/server/project_fixture.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

class TablesTest : public ProjectFixture {
protected:
    TablesTest() {
        in_warehouse(
            "CREATE SCHEMA raw; CREATE TABLE raw.orders(id BIGINT NOT NULL, total DOUBLE, name VARCHAR, j JSON); "
            "INSERT INTO raw.orders SELECT range, range / 10.0, CASE WHEN range % 4 = 0 THEN NULL ELSE 'n' || "
            "(range % 3) END, '{}' FROM range(1000); CREATE VIEW raw.v AS SELECT * FROM raw.orders; "
            "CREATE TABLE _shaduf_own(a INT)");
    }
};

TEST_F(TablesTest, ListsWhatPeopleMadeOrLoaded) {
    const Answer answer = get("/api/v1/tables");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    ASSERT_EQ(answer.json["items"].size(), 2U) << answer.json.dump();
    EXPECT_EQ(answer.json["items"][0]["name"], "orders");
    EXPECT_EQ(answer.json["items"][0]["rows"], 1000);
    EXPECT_EQ(answer.json["items"][0]["columns"], 4);
    EXPECT_EQ(answer.json["items"][1]["kind"], "view");
    EXPECT_EQ(get("/api/v1/tables?q=ORD").json["items"].size(), 1U);
    EXPECT_EQ(get("/api/v1/tables?schema=main").json["items"].size(), 0U);
    const Answer first = get("/api/v1/tables?limit=1");
    EXPECT_EQ(first.json["items"].size(), 1U);
    const Answer second = get("/api/v1/tables?limit=1&after=" + percent_encode(first.json["next"].get<std::string>()));
    EXPECT_EQ(second.json["items"][0]["name"], "v");
    EXPECT_TRUE(second.json["next"].is_null());
}

TEST_F(TablesTest, TellsWhoMakesATable) {
    write("pipelines/shop.yml",
          "source: local\nsink: warehouse\nschema: raw\nstreams:\n  orders:\n    mode: full_refresh\n    policies: "
          "{name: hash}\n");
    write("shaduf.yml", read("shaduf.yml") + "policy_key: \"0123456789abcdef0123456789abcdef\"\n");
    const auto errors = reload();
    ASSERT_TRUE(errors.empty()) << errors.front().to_string();
    const Answer answer = get("/api/v1/tables/raw/orders");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    EXPECT_EQ(answer.json["made_by"].dump(), R"({"kind":"pipeline","name":"shop"})");
    EXPECT_EQ(answer.json["columns"][0]["nullable"], false);
    EXPECT_EQ(answer.json["columns"][2]["policy"], "hash");
    EXPECT_EQ(get("/api/v1/tables/raw/none").status, 404);
    EXPECT_EQ(get("/api/v1/tables/raw/or'ders").status, 404);
}

TEST_F(TablesTest, ProfilesColumns) {
    const Answer answer = get("/api/v1/tables/raw/orders/profile?columns=id,total,name,j");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    EXPECT_EQ(answer.json["rows"], 1000);
    const Json total = answer.json["columns"][1];
    EXPECT_EQ(total["min"], "0.0");
    EXPECT_EQ(total["max"], "99.9");
    EXPECT_NEAR(total["mean"].get<double>(), 49.95, 0.001);
    ASSERT_EQ(total["histogram"].size(), 20U);
    int64_t sum = 0;
    for (const Json& bin : total["histogram"]) sum += bin.get<int64_t>();
    EXPECT_EQ(sum, 1000);
    const Json name = answer.json["columns"][2];
    EXPECT_EQ(name["nulls"], 250);
    EXPECT_EQ(name["distinct"], 3);
    EXPECT_EQ(name["top"].size(), 3U);
    EXPECT_EQ(name["top"][0]["count"], 250);
    EXPECT_EQ(answer.json["columns"][3]["top"].size(), 0U) << "JSON has no order";
    EXPECT_EQ(get("/api/v1/tables/raw/orders/profile?columns=nope").status, 404);
}

TEST_F(TablesTest, ATableOfManyColumnsIsProfiledInParts) {
    std::string columns;
    for (int i = 0; i < 2000; ++i) columns += (i == 0 ? "c" : ", c") + std::to_string(i) + " INT";
    in_warehouse("CREATE TABLE wide(" + columns + ")");
    EXPECT_EQ(get("/api/v1/tables/main/wide").json["columns"].size(), 2000U);
    EXPECT_EQ(get("/api/v1/tables/main/wide/profile").json["columns"].size(), 50U);
    EXPECT_EQ(get("/api/v1/tables/main/wide/profile?columns=c1999").json["columns"][0]["name"], "c1999");
}

TEST_F(TablesTest, ShowsSomeRows) {
    const Answer answer = get("/api/v1/tables/raw/orders/sample?limit=2");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    EXPECT_EQ(answer.json["rows"].size(), 2U);
    EXPECT_EQ(answer.json["cut"], true);
}

}  // namespace
}  // namespace shaduf::server
