#include "io/duckdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/cancellation.h"
#include "data/builder.h"
#include "io/duckdb_expression.h"
#include "io/duckdb_internal.h"
#include "tests/world.h"

namespace shaduf {
namespace {

struct DuckDb : testing::Test {
    TempFolder folder;
    Cancellation cancellation;
    DuckDbInstances instances;
    std::shared_ptr<DuckDbDatabase> database = instances.open_in_memory({}).release_value();
    std::unique_ptr<DuckDbConnection> connection = database->connect(cancellation).release_value();

    std::string rows_of(const std::string& sql) {
        auto batches = connection->query(sql);
        if (!batches.ok()) return batches.error().to_string();
        std::string text;
        for (const auto& batch : batches.value()) {
            for (size_t row = 0; row < batch.rows(); ++row) text += batch.row_as_json(row) + "\n";
        }
        return text;
    }
};

SchemaPtr every_type() {
    return std::make_shared<const Schema>(std::vector<Field>{
        {"b", TypeKind::boolean},
        {"i", TypeKind::int64},
        {"f", TypeKind::float64},
        {"d", DataType::decimal(3)},
        {"s", TypeKind::string},
        {"z", TypeKind::bytes},
        {"day", TypeKind::date},
        {"t", TypeKind::time},
        {"ts", TypeKind::timestamp},
        {"tz", TypeKind::timestamp_tz},
        {"j", TypeKind::json},
        {"l", DataType::list(DataType::list(TypeKind::json))},
        {"st", DataType::structure({{"x", TypeKind::string}, {"y", DataType::list(TypeKind::date)}})},
        {"d4", DataType::decimal(4, 1)},
        {"d9", DataType::decimal(9, 0)},
        {"d18", DataType::decimal(18, 18)},
        {"d19", DataType::list(DataType::decimal(19, 2))}});
}

RecordBatch rows_of_every_type(int64_t first, int64_t count) {
    RecordBatchBuilder rows(every_type());
    for (int64_t i = first; i < first + count; ++i) {
        if (i % 7 == 3) {
            for (size_t c = 0; c < 17; ++c) rows.column(c).append_null();
            rows.end_row();
            continue;
        }
        rows.column(0).append_boolean(i % 2 == 0);
        rows.column(1).append_int64(i);
        rows.column(2).append_float64(static_cast<double>(i) / 3);
        rows.column(3).append_decimal(int128{i} * 1'000'000'000'000'000'000 * (i % 2 == 0 ? 1 : -1));
        rows.column(4).append_text("a text of more than twelve bytes " + std::to_string(i));
        rows.column(5).append_text(std::string_view("\0\xff", 2));
        rows.column(6).append_date(static_cast<int32_t>(i) - 5);
        rows.column(7).append_int64(i * 1'001 % 86'400'000'000);
        rows.column(8).append_int64(i * 86'400'000'001);
        rows.column(9).append_int64(-i);
        rows.column(10).append_text("{\"i\":" + std::to_string(i) + "}");
        for (int64_t item = 0; item < i % 3; ++item) {
            rows.column(11).child(0).child(0).append_text(R"("an item in a list")");
            rows.column(11).child(0).append_list();
        }
        rows.column(11).append_list();
        i % 5 == 0 ? rows.column(12).child(0).append_null()
                   : rows.column(12).child(0).append_text("nested text of some length " + std::to_string(i));
        rows.column(12).child(1).child(0).append_date(static_cast<int32_t>(i));
        rows.column(12).child(1).append_list();
        rows.column(12).append_structure();
        const int sign = i % 2 == 0 ? 1 : -1;
        rows.column(13).append_decimal(9'999 * sign);
        rows.column(14).append_decimal((999'999'999 - i) * sign);
        rows.column(15).append_decimal((999'999'999'999'999'999 - i) * sign);
        rows.column(16).child(0).append_decimal(int128{9'999'999'999'999'999'999U} * sign);
        rows.column(16).append_list();
        rows.end_row();
    }
    return rows.finish();
}

std::string create_table(const std::string& name, const Schema& schema) {
    std::string sql = "CREATE TABLE " + quote_identifier(name) + " (";
    for (size_t i = 0; i < schema.size(); ++i) {
        if (i > 0) sql += ", ";
        sql += quote_identifier(schema[i].name) + " " + duckdb_type_name(schema[i].type);
    }
    return sql + ")";
}

TEST_F(DuckDb, KeepsEveryTypeAndValue) {
    const std::vector<RecordBatch> batches{rows_of_every_type(0, 5000), rows_of_every_type(5000, 0),
                                           rows_of_every_type(5000, 3001)};
    ASSERT_TRUE(connection->execute(create_table("t", *every_type())).ok());
    auto appended = connection->append("t", every_type(), batches);
    ASSERT_TRUE(appended.ok()) << appended.error().to_string();
    EXPECT_EQ(appended.value(), 8001);
    auto back = connection->query("SELECT * FROM t ORDER BY i NULLS FIRST");
    ASSERT_TRUE(back.ok()) << back.error().to_string();
    EXPECT_EQ(back.value()[0].schema()->to_string(), every_type()->to_string());
    std::multiset<std::string> expected;
    for (const auto& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) expected.insert(batch.row_as_json(row));
    }
    std::multiset<std::string> actual;
    for (const auto& batch : back.value()) {
        for (size_t row = 0; row < batch.rows(); ++row) actual.insert(batch.row_as_json(row));
    }
    EXPECT_EQ(actual, expected);
}

RecordBatch numbers(int64_t first, int64_t count) {
    RecordBatchBuilder rows(std::make_shared<const Schema>(std::vector<Field>{{"i", TypeKind::int64}}));
    for (int64_t i = first; i < first + count; ++i) {
        rows.column(0).append_int64(i);
        rows.end_row();
    }
    return rows.finish();
}

TEST_F(DuckDb, AppendsWhatComesWhileItInserts) {
    const auto unordered = instances.open_in_memory({.threads = 2, .keep_order = false}).release_value();
    connection = unordered->connect(cancellation).release_value();
    ASSERT_TRUE(connection->execute("CREATE TABLE t (i BIGINT, other VARCHAR DEFAULT 'x'); BEGIN").ok());
    auto append = connection->begin_append("t", numbers(0, 0).schema(), {64 << 10, 2}).release_value();
    int64_t next = 0;
    for (int64_t i = 0; i < 500; ++i) {
        const int64_t count = i * 37 % 3001;  // none, one slice, more; in sum many times what may wait
        ASSERT_TRUE(append->write(numbers(next, count)).ok());
        next += count;
    }
    const auto inserted = append->finish();
    ASSERT_TRUE(inserted.ok()) << inserted.error().to_string();
    EXPECT_EQ(inserted.value(), next);
    append.reset();
    ASSERT_TRUE(connection->execute("COMMIT").ok());
    EXPECT_EQ(rows_of("SELECT count(*) AS n, count(DISTINCT i) AS d, min(i) AS low, max(i) AS high, min(other) AS o "
                      "FROM t"),
              "{\"n\":" + std::to_string(next) + ",\"d\":" + std::to_string(next) +
                  ",\"low\":0,\"high\":" + std::to_string(next - 1) + ",\"o\":\"x\"}\n");
}

TEST_F(DuckDb, AppendTellsTheErrorOfItsStatement) {
    ASSERT_TRUE(connection->execute("CREATE TABLE t (i BIGINT CHECK (i < 100000)); BEGIN").ok());
    auto append = connection->begin_append("t", numbers(0, 0).schema(), {1 << 10, 2}).release_value();
    Result<void> written;
    for (int64_t i = 0; written.ok() && i < 1000; ++i) written = append->write(numbers(i * 1000, 1000));
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind(), ErrorKind::bad_data);
    EXPECT_THAT(written.error().message(), testing::HasSubstr("CHECK constraint failed"));
    append.reset();
    ASSERT_TRUE(connection->execute("ROLLBACK").ok());
    EXPECT_EQ(rows_of("SELECT count(*) AS n FROM t"), "{\"n\":0}\n");
}

TEST_F(DuckDb, AnAppendThatIsLetGoInsertsNothing) {
    ASSERT_TRUE(connection->execute("CREATE TABLE t (i BIGINT); BEGIN").ok());
    auto append = connection->begin_append("t", numbers(0, 0).schema(), {1 << 20, 2}).release_value();
    ASSERT_TRUE(append->write(numbers(0, 10'000)).ok());
    append.reset();
    ASSERT_TRUE(connection->execute("ROLLBACK").ok());
    EXPECT_EQ(rows_of("SELECT count(*) AS n FROM t"), "{\"n\":0}\n");
}

// The engine's threads wait for rows, which its own interrupt does not reach.
TEST_F(DuckDb, CancellationEndsAnAppendThatWaitsForRows) {
    ASSERT_TRUE(connection->execute("CREATE TABLE t (i BIGINT); BEGIN").ok());
    auto append = connection->begin_append("t", numbers(0, 0).schema(), {1 << 20, 2}).release_value();
    ASSERT_TRUE(append->write(numbers(0, 10)).ok());
    cancellation.cancel();
    Result<void> written;
    while (written.ok()) written = append->write(numbers(0, 10));
    EXPECT_EQ(written.error().kind(), ErrorKind::canceled);
    EXPECT_FALSE(append->finish().ok());
}

TEST_F(DuckDb, NewFilesAreOfTheStorageVersionAskedFor) {
    const auto version_of = [&](const std::string& name, const std::string& version) {
        DuckDbOptions options;
        options.storage_version = version;
        auto opened = instances.open((folder.path() / name).string(), options);
        if (!opened.ok()) return opened.error().to_string();
        connection = opened.value()->connect(cancellation).release_value();
        return rows_of("SELECT tags['storage_version'] AS v FROM duckdb_databases() WHERE NOT internal");
    };
    EXPECT_THAT(version_of("a.duckdb", "v1.3.0"), testing::HasSubstr("v1.3.0"));
    EXPECT_THAT(version_of("b.duckdb", "v1.0.0"), testing::HasSubstr("v1.0.0"));
    EXPECT_THAT(version_of("c.duckdb", "1.3"),
                testing::HasSubstr("knows no storage version 1.3; give one like v1.3.0"));
}

TEST_F(DuckDb, ReadsRowsByAnySelectionOfColumns) {
    const std::vector<RecordBatch> batches{rows_of_every_type(0, 3000)};
    struct Case {
        const char* sql;
        const char* rows;
    };
    const Case cases[] = {
        {"SELECT count(*) AS n FROM $rows", "{\"n\":3000}\n"},
        {"SELECT j->>'i' AS j, i FROM $rows WHERE s LIKE '%bytes 2998'", "{\"j\":\"2998\",\"i\":2998}\n"},
        {"SELECT sum(_shaduf_row)::BIGINT AS n FROM $rows", "{\"n\":4498500}\n"},
        {"SELECT st.x AS x, _shaduf_row AS r FROM $rows WHERE i = 2501",
         "{\"x\":\"nested text of some length 2501\",\"r\":2501}\n"},
    };
    for (const auto& [sql, rows] : cases) {
        SCOPED_TRACE(sql);
        auto answer = connection->query_over(sql, every_type(), batches);
        ASSERT_TRUE(answer.ok()) << answer.error().to_string();
        ASSERT_EQ(answer.value()[0].rows(), 1U);
        EXPECT_EQ(answer.value()[0].row_as_json(0) + "\n", rows);
    }
}

TEST_F(DuckDb, ReadsTheTypesOfForeignTables) {
    const char* cases[][3] = {
        {"1::TINYINT", "int64", "1"},
        {"-300::SMALLINT", "int64", "-300"},
        {"4294967295::UINTEGER", "int64", "4294967295"},
        {"18446744073709551615::UBIGINT", "decimal(20,0)", "18446744073709551615"},
        {"-12345678901234567890123::HUGEINT", "decimal(38,0)", "-12345678901234567890123"},
        {"0.5::FLOAT", "float64", "0.5"},
        {"-1.25::DECIMAL(4,2)", "decimal(4,2)", "-1.25"},
        {"-1.25::DECIMAL(18,3)", "decimal(18,3)", "-1.250"},
        {"'2023-10-23 12:34:56'::TIMESTAMP_S", "timestamp", "\"2023-10-23T12:34:56\""},
        {"'2023-10-23 12:34:56.5'::TIMESTAMP_MS", "timestamp", "\"2023-10-23T12:34:56.500000\""},
        {"'1960-10-23 12:34:56.000000001'::TIMESTAMP_NS", "timestamp", "\"1960-10-23T12:34:56\""},
        {"'0b6b4a5c-8f0e-4b53-9c1d-ffffffffffff'::UUID", "string", "\"0b6b4a5c-8f0e-4b53-9c1d-ffffffffffff\""},
        {"'b'::ENUM('a', 'b')", "string", "\"b\""},
        {"[1, NULL]::INTEGER[2]", "list<int64>", "[1,null]"},
        {"INTERVAL 3 DAY", "string", "\"3 days\""},
        {"'12:00:00+02'::TIMETZ", "string", "\"12:00:00+02\""},
        {"'101'::BIT", "string", "\"101\""},
        {"MAP {'a': 1}", "string", "\"{a=1}\""},
        {"[INTERVAL 1 HOUR]", "string", "\"['01:00:00']\""},
        {"NULL", "int64", "null"},
    };
    for (const auto& [sql, type, json] : cases) {
        SCOPED_TRACE(sql);
        auto answer = connection->query(std::string("SELECT ") + sql + " AS c;");
        ASSERT_TRUE(answer.ok()) << answer.error().to_string();
        const RecordBatch& row = answer.value()[0];
        EXPECT_EQ((*row.schema())[0].type.to_string(), type);
        EXPECT_EQ(row.row_as_json(0), std::string("{\"c\":") + json + "}");
    }
}

TEST_F(DuckDb, BindsValues) {
    EXPECT_EQ(rows_of("SELECT 1 AS a WHERE false"), "");
    auto answer = connection->query("SELECT ? AS b, ? AS i, ? AS f, ? AS s, ? AS n",
                                    {true, int64_t{-7}, 0.5, std::string("it's\0x", 6), std::monostate{}});
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
    EXPECT_EQ(answer.value()[0].row_as_json(0), R"({"b":true,"i":-7,"f":0.5,"s":"it's\u0000x","n":null})");
}

TEST_F(DuckDb, TellsErrorsApart) {
    ASSERT_TRUE(connection->execute("CREATE TABLE t (a INTEGER NOT NULL)").ok());
    struct Case {
        const char* sql;
        ErrorKind kind;
    };
    const Case cases[] = {
        {"SELEC 1", ErrorKind::invalid_config},
        {"SELECT x FROM t", ErrorKind::invalid_config},
        {"SELECT * FROM nothing", ErrorKind::invalid_config},
        {"INSERT INTO t VALUES (NULL)", ErrorKind::bad_data},
        {"INSERT INTO t SELECT 'x' || i FROM range(3) r(i)", ErrorKind::bad_data},
        {"SET memory_limit = '1MB'; SELECT list(i) FROM range(10000000) r(i)", ErrorKind::exhausted},
    };
    for (const auto& [sql, kind] : cases) {
        SCOPED_TRACE(sql);
        auto outcome = connection->execute(sql);
        ASSERT_FALSE(outcome.ok());
        EXPECT_EQ(to_string(outcome.error().kind()), to_string(kind)) << outcome.error().to_string();
    }
}

TEST_F(DuckDb, EndsSoonWhenCanceled) {
    std::thread stopper([&] {
        while (connection->query("SELECT 1").ok()) break;
    });
    stopper.join();
    ASSERT_TRUE(connection->execute("CREATE TABLE t AS SELECT i FROM range(1000) r(i)").ok());
    auto cursor = connection->open_cursor("SELECT a.i FROM t a, t b, t c, t d", {}, 2048);
    ASSERT_TRUE(cursor.ok());
    ASSERT_TRUE(cursor.value()->next().ok());
    cancellation.cancel();
    EXPECT_EQ(cursor.value()->next().error().kind(), ErrorKind::canceled);
    EXPECT_EQ(connection->execute("SELECT 1").error().kind(), ErrorKind::canceled);
}

TEST_F(DuckDb, SharesOneDatabaseForAFile) {
    auto first = instances.open(folder / "a.db", {});
    auto second = instances.open(folder / "./a.db", {});
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first.value(), second.value());
    auto claim = first.value()->claim("t");
    EXPECT_NE(claim, nullptr);
    EXPECT_EQ(second.value()->claim("t"), nullptr);
    claim.reset();
    EXPECT_NE(second.value()->claim("t"), nullptr);
}

// Without the engine of the others: a process forks while it has none.
TEST(DuckDbFile, NamesTheProcessThatHasIt) {
    const TempFolder folder;
    int ready[2];
    int done[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(done), 0);
    const std::string path = folder / "a.db";
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(done[1]);
        const auto held = DuckDbInstances().open(path, {});
        char byte = held.ok() ? 'y' : 'n';
        (void)!::write(ready[1], &byte, 1);
        (void)!::read(done[0], &byte, 1);
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'y');
    DuckDbInstances instances;
    auto second = instances.open(path, {});
    ::close(done[1]);
    ::waitpid(child, nullptr, 0);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
    EXPECT_NE(second.error().message().find("process " + std::to_string(child) + " ("), std::string::npos)
        << second.error().message();
    EXPECT_TRUE(instances.open(path, {}).ok());
}

TEST_F(DuckDb, LeavesFilesOfOthersAlone) {
    const std::string text = folder / "text.db";
    std::ofstream(text) << std::string(5000, 'x');
    const std::string newer = folder / "newer.db";
    instances.open(newer, {}).release_value().reset();
    std::fstream file(newer, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(12);  // the version stands behind a checksum and the magic bytes
    file.put(static_cast<char>(0xF0));
    file.close();
    for (const auto& path : {text, newer}) {
        SCOPED_TRACE(path);
        const auto size = std::filesystem::file_size(path);
        auto opened = instances.open(path, {});
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().kind(), ErrorKind::invalid_config) << opened.error().to_string();
        EXPECT_EQ(std::filesystem::file_size(path), size);
    }
    const Error version = duckdb_open_error(
        newer, "IO Error: Trying to read a database file with version number 240, but we can only read versions");
    EXPECT_THAT(version.message(), testing::HasSubstr("has another storage version"));
    EXPECT_EQ(instances.open(folder / "no/such/folder/a.db", {}).error().kind(), ErrorKind::invalid_config);
    EXPECT_FALSE(instances.open(folder / "absent.db", {.access = DuckDbAccess::read_only}).ok());
}

// What a process leaves that was killed while it made a database.
TEST_F(DuckDb, MakesADatabaseWhereAnotherWasKilledMakingIt) {
    const std::string path = folder / "killed.db";
    std::ofstream(path).close();
    std::ofstream(path + ".new") << "half of a header";
    auto opened = instances.open(path, {});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    auto made = opened.value()->connect(cancellation).release_value();
    EXPECT_TRUE(made->execute("CREATE TABLE t AS SELECT 1 AS a").ok());
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(DuckDb, QuotesNames) {
    const std::string table = "or\"der; DROP";
    ASSERT_TRUE(connection->execute("CREATE TABLE " + quote_identifier(table) + " (\"a\"\"b\" INTEGER)").ok());
    EXPECT_EQ(rows_of("SELECT count(*) AS n FROM " + quote_identifier(table)), "{\"n\":0}\n");
    EXPECT_EQ(rows_of("SELECT " + quote_literal("it's") + " AS s"), "{\"s\":\"it's\"}\n");
}

struct Expressions : DuckDb {
    std::shared_ptr<DuckDbDatabase> engine = open_expression_engine(instances).release_value();
    SchemaPtr schema = std::make_shared<const Schema>(
        std::vector<Field>{{"a", TypeKind::int64}, {"from", TypeKind::string}, {"d", DataType::decimal(2)}});

    RecordBatch rows() const {
        RecordBatchBuilder builder(schema);
        for (int64_t i = 0; i < 6; ++i) {
            i == 2 ? builder.column(0).append_null() : builder.column(0).append_int64(i);
            builder.column(1).append_text(i == 4 ? "x" : std::to_string(i));
            builder.column(2).append_decimal(i * 100);
            builder.end_row();
        }
        return builder.finish();
    }
};

TEST_F(Expressions, FindTheRowsThatFail) {
    using Rows = std::vector<uint32_t>;
    struct Case {
        const char* expression;
        SqlExpression::OnNull on_null;
        Rows failing;
    };
    const Case cases[] = {
        {"a < 4", SqlExpression::OnNull::fails, {2, 4, 5}},
        {"a < 4", SqlExpression::OnNull::passes, {4, 5}},
        {"d * 2 <> 2 -- a comment", SqlExpression::OnNull::fails, {1}},
        {"\"from\"::INTEGER >= 0", SqlExpression::OnNull::fails, {4}},
        {"a IS NULL OR 10 // a > 2", SqlExpression::OnNull::fails, {0, 4, 5}},
        {"true", SqlExpression::OnNull::fails, {}},
        {"d IN (1.00, 3) OR regexp_matches(\"from\", '^[024x]$')", SqlExpression::OnNull::fails, {5}},
    };
    for (const auto& [expression, on_null, failing] : cases) {
        SCOPED_TRACE(expression);
        auto compiled = SqlExpression::create(engine, cancellation, schema, expression, on_null);
        ASSERT_TRUE(compiled.ok()) << compiled.error().to_string();
        for (int again = 0; again < 2; ++again) {
            auto found = compiled.value()->failing_rows(rows());
            ASSERT_TRUE(found.ok()) << found.error().to_string();
            EXPECT_EQ(found.value(), failing);
        }
    }
}

TEST_F(Expressions, RefuseWhatIsNoExpressionOfARow) {
    const char* cases[][2] = {
        {"a <", "syntax error"},
        {"b < 4", "Referenced column \"b\" not found"},
        {"a + 1", "it gives int64, not bool"},
        {"a) , (d", "it must be one expression"},
        {"true) FROM range(3) WHERE (true", "it must be one expression"},
        {"true); DROP TABLE t; SELECT (true", "Only SELECT statements"},
        {"true); SELECT (true", "it must be one expression"},
        {"a IN (SELECT 1)", "it must not hold a query"},
        {"sum(a) > 1 OR a > 2", "must appear in the GROUP BY"},
    };
    for (const auto& [expression, why] : cases) {
        SCOPED_TRACE(expression);
        auto compiled = SqlExpression::create(engine, cancellation, schema, expression, SqlExpression::OnNull::fails);
        ASSERT_FALSE(compiled.ok());
        EXPECT_EQ(compiled.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(compiled.error().message(), testing::HasSubstr(why));
    }
}

}  // namespace
}  // namespace shaduf
