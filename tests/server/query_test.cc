#include "tests/server/project_fixture.h"

namespace shaduf::server {
namespace {

class QueryTest : public ProjectFixture {
protected:
    QueryTest() {
        in_warehouse(
            "CREATE TABLE orders(id BIGINT, total DECIMAL(20,2), small DECIMAL(6,2), note VARCHAR, made TIMESTAMP, "
            "tags "
            "VARCHAR[]); INSERT INTO orders VALUES (9007199254740993, 12345678901234567.89, 3.50, 'a', "
            "'2026-01-02 03:04:05', ['x']), (2, NULL, 1, NULL, NULL, NULL); CREATE SEQUENCE s; CREATE SCHEMA raw; "
            "CREATE TABLE raw.items AS SELECT range AS n FROM range(5000); CREATE VIEW v AS SELECT * FROM orders; "
            "CREATE TABLE raw.\"only.csv\" AS SELECT 1 AS a");
    }
    Answer ask(const std::string& sql, nlohmann::json more = nlohmann::json::object()) {
        more["sql"] = sql;
        return call("POST", "/api/v1/query", more.dump(), Role::viewer);
    }
    std::string refused(const std::string& sql) {
        const Answer answer = ask(sql);
        EXPECT_GE(answer.status, 400) << sql << " gave " << answer.json.dump();
        return answer.status >= 400 ? message_of(answer.json) : "";
    }
};

TEST_F(QueryTest, LosesNothingOfValues) {
    const Answer answer = ask("SELECT id, total, small, note, made, tags FROM orders ORDER BY note");
    ASSERT_EQ(answer.status, 200) << answer.json.dump();
    EXPECT_EQ(answer.json["columns"][1]["type"], "decimal(20,2)");
    EXPECT_EQ(answer.json["rows"][0].dump(),
              R"(["9007199254740993","12345678901234567.89",3.5,"a","2026-01-02T03:04:05",["x"]])");
    EXPECT_EQ(answer.json["rows"][1].dump(), "[2,null,1.0,null,null,null]");
    EXPECT_EQ(answer.json["cut"], false);
    EXPECT_EQ(answer.json["rows_total"], 2);
}

TEST_F(QueryTest, ReadsAllThatOnlyReads) {
    for (const char* sql :
         {"SELECT 1", "FROM orders", "WITH a AS (SELECT 1 AS x) SELECT * FROM a JOIN a AS b USING (x)",
          "VALUES (1), (2)", "SELECT n, sum(n) OVER (ORDER BY n) FROM raw.items QUALIFY n < 3;",
          "DESCRIBE SELECT * FROM orders", "SUMMARIZE SELECT * FROM orders", "SELECT * FROM v -- the view",
          "SELECT * FROM information_schema.tables", "SELECT * FROM range(3), unnest([1, 2])",
          "SELECT random(), uuid(), now()", "SELECT count(*) FROM acme.orders",
          "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
          "SELECT list_transform([1, 2], lambda x: x + 1), {'type': 'BASE_TABLE', 'class': 'NOVEL'}",
          "SELECT * FROM duckdb_tables", "SELECT count(*) FROM orders o, LATERAL (SELECT o.id)"}) {
        const Answer answer = ask(sql);
        EXPECT_EQ(answer.status, 200) << sql << ": " << message_of(answer.json);
    }
}

TEST_F(QueryTest, RefusesWhatWritesOrReachesOut) {
    write("secret.csv", "a,b\n1,2\n");
    const std::string file = (folder.path() / "secret.csv").string();
    const std::string attacks[] = {
        "INSERT INTO orders SELECT * FROM orders",
        "DELETE FROM orders",
        "UPDATE orders SET note = 'x'",
        "DROP TABLE orders",
        "CREATE TABLE t AS SELECT 1",
        "TRUNCATE orders",
        "SELECT 1; DROP TABLE orders",
        "SELECT 1 /* */ ; -- x\n DELETE FROM orders",
        "COPY orders TO '" + file + ".out'",
        "COPY (SELECT 1) TO '" + file + ".out'",
        "ATTACH '" + file + ".db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET memory_limit = '10GB'",
        "RESET memory_limit",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "EXPLAIN ANALYZE INSERT INTO orders SELECT * FROM orders",
        "PREPARE p AS DELETE FROM orders",
        "EXPORT DATABASE '" + file + ".dir'",
        "VACUUM",
        "CHECKPOINT",
        "BEGIN; DELETE FROM orders; COMMIT",
        "COMMIT",
        "ROLLBACK",
        "SELECT nextval('s')",
        "SELECT NEXTVAL('s')",
        "SELECT 1 WHERE (SELECT nextval('s')) > 0",
        "SELECT setseed(0.5)",
        "SELECT write_log('x')",
        "SELECT current_setting('temp_directory')",
        "SELECT * FROM read_csv('" + file + "')",
        "SELECT * FROM READ_CSV_AUTO('" + file + "')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('" + file + "')",
        "SELECT * FROM '" + file + "'",
        "FROM '" + file + "'",
        "SELECT * FROM \"" + file + "\"",
        "SELECT (SELECT count(*) FROM '" + file + "')",
        "SELECT 1 WHERE EXISTS (FROM '" + file + "')",
        "WITH x AS (FROM '" + file + "') SELECT 1",
        "DESCRIBE '" + file + "'",
        "SUMMARIZE '" + file + "'",
        "SELECT * FROM (WITH \"" + file + "\" AS (SELECT 1) SELECT 1), \"" + file + "\"",
        "SELECT * FROM \"only.csv\"",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM query_table('" + file + "')",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT json_serialize_plan('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM parquet_metadata('x')",
        "SELECT * FROM 'https://example.com/a.parquet'",
        "MERGE INTO orders USING orders o ON (orders.id = o.id) WHEN MATCHED THEN DELETE",
        "",
        ";",
        "nonsense",
    };
    for (const std::string& sql : attacks) {
        EXPECT_FALSE(refused(sql).empty()) << sql;
    }
    EXPECT_EQ(count("SELECT count(*) FROM orders"), 2);
    EXPECT_EQ(count("SELECT count(*) FROM duckdb_sequences() WHERE last_value IS NULL"), 1);
    EXPECT_FALSE(std::filesystem::exists(file + ".out"));
    EXPECT_EQ(refused("SELECT * FROM ordrs"), "table not found: ordrs");
}

TEST_F(QueryTest, EndsWhatIsTooLargeOrTooSlow) {
    const Answer some = ask("SELECT n FROM raw.items ORDER BY n", {{"limit", 3}});
    EXPECT_EQ(some.json["rows"].dump(), "[[0],[1],[2]]");
    EXPECT_EQ(some.json["cut"], true);
    EXPECT_TRUE(some.json["rows_total"].is_null());
    const Answer wide = ask("SELECT repeat('x', 20000) FROM raw.items", {{"limit", 10000}});
    EXPECT_EQ(wide.json["cut"], true);
    EXPECT_LT(wide.response.body.size(), size_t{80} << 20);
    const Answer slow = ask("SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range",
                            {{"timeout_ms", 200}});
    EXPECT_EQ(slow.status, 503) << slow.json.dump();
    EXPECT_THAT(message_of(slow.json), testing::HasSubstr("no answer within 200ms"));
    EXPECT_EQ(ask("SELECT 1").status, 200);
}

TEST_F(QueryTest, SaysWhenThereIsNoDataYet) {
    write("shaduf.yml",
          "name: acme\nenvironments:\n  dev: {warehouse: local}\nconnections:\n  local: {type: duckdb, path: " +
              (folder.path() / "none.duckdb").string() + "}\n");
    reload();
    EXPECT_THAT(refused("SELECT 1"), testing::HasSubstr("no data yet"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "none.duckdb"));
}

TEST_F(QueryTest, GivesFiles) {
    const auto whole = [](const HttpServerResponse& response) {
        std::string out;
        while (response.next_chunk(out)) {
        }
        return out;
    };
    const auto csv = call("POST", "/api/v1/query/download", R"({"sql": "SELECT n FROM raw.items", "format": "csv"})");
    ASSERT_EQ(csv.status, 200) << csv.json.dump();
    const std::string text = whole(csv.response);
    EXPECT_TRUE(text.starts_with("n\n0\n1\n"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5001);
    const auto parquet = call("POST", "/api/v1/query/download", R"({"sql": "FROM raw.items", "format": "parquet"})");
    write("out.parquet", whole(parquet.response));
    EXPECT_EQ(count("SELECT sum(n)::BIGINT FROM read_parquet('" + (folder.path() / "out.parquet").string() + "')"),
              12497500);
    const auto bad = call("POST", "/api/v1/query/download", R"({"sql": "DROP TABLE orders", "format": "csv"})");
    EXPECT_EQ(bad.status, 400);
}

}  // namespace
}  // namespace shaduf::server
