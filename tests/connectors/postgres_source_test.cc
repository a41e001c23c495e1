#include "connectors/postgres/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "connectors/postgres/key_ranges.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;

TEST(PostgresKeyRanges, AreTheirCheckpoint) {
    struct Case {
        std::vector<KeyRange> ranges;
        const char* checkpoint;
        std::vector<KeyRange> joined;
    };
    const Case cases[] = {
        {{{{"17"}, {}}}, R"({"key":["17"]})", {{{"17"}, {}}}},
        {{{{"1"}, {"5"}}, {{"5"}, {"9"}}, {{"9"}, {}}}, R"({"key":["1"]})", {{{"1"}, {}}}},
        {{{{}, {"5"}}, {{"7"}, {}}}, R"({"ranges":[{"to":["5"]},{"after":["7"]}]})", {{{}, {"5"}}, {{"7"}, {}}}},
        {{{{"1"}, {"5"}}, {{"6"}, {"9"}}, {{"9"}, {"12"}}},
         R"({"ranges":[{"after":["1"],"to":["5"]},{"after":["6"],"to":["12"]}]})",
         {{{"1"}, {"5"}}, {{"6"}, {"12"}}}},
    };
    for (const auto& [ranges, checkpoint, joined] : cases) {
        SCOPED_TRACE(checkpoint);
        EXPECT_EQ(key_checkpoint(ranges).value(), checkpoint);
        const auto parsed = parse_key_checkpoint(Checkpoint(checkpoint), 1).value();
        ASSERT_EQ(parsed.size(), joined.size());
        for (size_t i = 0; i < joined.size(); ++i) {
            EXPECT_EQ(parsed[i].after, joined[i].after);
            EXPECT_EQ(parsed[i].to, joined[i].to);
        }
    }
}

TEST(PostgresKeyRanges, RefuseWhatIsNoCheckpointOfTheKey) {
    for (const char* text : {"", "17", "{}", R"({"key":[]})", R"({"key":["1","2"]})", R"({"ranges":[]})",
                             R"({"ranges":[{}]})", R"({"ranges":[{"to":["1"]},{"to":["5"]}]})",
                             R"({"ranges":[{"to":["1","x"]},{"after":["2"]}]})", R"({"ranges":[{"to":[1]}]})"}) {
        SCOPED_TRACE(text);
        const auto parsed = parse_key_checkpoint(Checkpoint(text), 1);
        ASSERT_FALSE(parsed.ok());
        EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(parsed.error().message(), HasSubstr("reset the stream's state"));
    }
}

// On the server that harness/postgres.py starts. Tables are large enough for several ranges: 16,000 rows of 1 KB.
class PostgresSourceServerTest : public testing::Test {
protected:
    void SetUp() override {
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        if (dsn == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        options.parameters = parse_postgres_dsn(dsn).release_value();
        admin = PostgresConnection::connect(options, world.cancellation).release_value();
        options.parameters.emplace_back("application_name", "source under test");
        execute("CREATE SCHEMA source_test; SET search_path = source_test");
        options.session.emplace_back("SET search_path = source_test");
    }
    void TearDown() override {
        if (admin != nullptr) execute("DROP SCHEMA source_test CASCADE");
    }

    void execute(const std::string& sql) {
        const auto done = admin->execute(sql);
        ASSERT_TRUE(done.ok()) << sql << ": " << done.error().to_string();
    }
    void fill(const std::string& table, const std::string& key) {
        execute("INSERT INTO " + table + " SELECT " + key + ", 1, repeat('y', 1000) FROM generate_series(1, 16000) i");
    }
    void create(const std::string& type, const std::string& key) {
        execute("CREATE TABLE t (id " + type + " PRIMARY KEY, version int, payload text)");
        fill("t", key);
    }
    std::string value_of(const std::string& sql) { return admin->query(sql).value().rows.at(0).at(0).value_or(""); }
    // Sessions of sources.
    std::string sessions() {
        return value_of("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'source under test'");
    }

    std::unique_ptr<Source> source(size_t parallel, bool resumes = true) {
        PostgresStream stream;
        stream.connection = "shop";
        stream.name = stream.table = "t";
        stream.resumes = resumes;
        stream.parallel = parallel;
        return make_postgres_source(options, std::move(stream));
    }
    // The first column of what is left of the source; its last checkpoint goes to `checkpoint`.
    void read_rest(Source& from, std::vector<std::string>& ids, size_t batches_max = SIZE_MAX) {
        for (size_t i = 0; i < batches_max; ++i) {
            auto batch = from.read(world.run);
            ASSERT_TRUE(batch.ok()) << batch.error().to_string();
            if (!batch.value()) return;
            const auto& rows = std::get<RecordBatch>(batch.value()->rows);
            for (size_t row = 0; row < rows.rows(); ++row) ids.push_back(format_value(rows.column(0), row));
            checkpoint = batch.value()->next;
        }
    }
    std::vector<std::string> ids_in_table() {
        const auto found = admin->query("SELECT id FROM t").release_value();
        std::vector<std::string> ids;
        for (const auto& row : found.rows) ids.push_back(row[0].value_or(""));
        std::sort(ids.begin(), ids.end());
        return ids;
    }
    static std::vector<std::string> sorted(std::vector<std::string> ids) {
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    World world;
    PostgresOptions options;
    std::unique_ptr<PostgresConnection> admin;
    std::optional<Checkpoint> checkpoint;
};

TEST_F(PostgresSourceServerTest, ReadsEveryKindOfTableWholeOverItsSessions) {
    struct Case {
        const char* what;
        const char* columns;
        const char* key;  // of row i; "" adds no rows
        const char* then;
        const char* sessions;
    };
    const Case cases[] = {
        {"gaps and extremes", "id bigint PRIMARY KEY, version int, payload text",
         "CASE i WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 WHEN 3 THEN -1 ELSE i::bigint * "
         "1000000 END",
         "", "4"},
        {"analyzed", "id int PRIMARY KEY, version int, payload text", "i - 8000", "ANALYZE t", "4"},
        {"stale statistics", "id int PRIMARY KEY, version int, payload text", "i",
         "ANALYZE t; UPDATE t SET id = -id; DELETE FROM t WHERE id % 4 <> 0", "4"},
        {"uuid", "id uuid PRIMARY KEY, version int, payload text", "md5(i::text)::uuid", "", "4"},
        {"text", "id text PRIMARY KEY, version int, payload text", "'it''s \\ ' || i", "", "4"},
        {"numeric", "id numeric(20, 3) PRIMARY KEY, version int, payload text", "i / 7.0 - 9", "", "4"},
        {"two columns", "id int, version int, payload text, PRIMARY KEY (version, id)", "i",
         "UPDATE t SET version = id % 3", "4"},
        {"partitions", "id int PRIMARY KEY, version int, payload text) PARTITION BY RANGE (id", "",
         "CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (5000); CREATE TABLE p2 PARTITION OF t FOR "
         "VALUES FROM (5000) TO (MAXVALUE); INSERT INTO t SELECT i, 1, repeat('y', 1000) FROM generate_series(1, "
         "16000) i",
         "4"},
        {"no key", "id int, version int, payload text", "i", "", "4"},
        {"inherited", "id int PRIMARY KEY, version int, payload text", "i", "CREATE TABLE child () INHERITS (t)", "1"},
        {"view", "id int, version int, payload text", "i", "ALTER TABLE t RENAME TO base; CREATE VIEW t AS TABLE base",
         "1"},
        {"empty", "id int PRIMARY KEY", "", "", "1"},
        {"one row", "id int PRIMARY KEY", "", "INSERT INTO t VALUES (5)", "1"},
    };
    for (const auto& [what, columns, key, then, expected_sessions] : cases) {
        SCOPED_TRACE(what);
        execute("CREATE TABLE t (" + std::string(columns) + ")");
        if (*key != '\0') fill("t", key);
        execute(then);
        const auto reader = source(4);
        ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
        EXPECT_EQ(sessions(), expected_sessions);
        std::vector<std::string> ids;
        read_rest(*reader, ids);
        EXPECT_TRUE(sorted(ids) == ids_in_table()) << ids.size();
        EXPECT_THAT(world.events.messages(), testing::IsEmpty());
        execute("DROP SCHEMA source_test CASCADE; CREATE SCHEMA source_test");
    }
}

TEST_F(PostgresSourceServerTest, ReadsRowsOfOneMoment) {
    for (const bool resumes : {true, false}) {
        create("int", "i");
        const auto before = ids_in_table();
        const auto reader = source(3, resumes);
        ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
        EXPECT_EQ(sessions(), "3");
        execute("UPDATE t SET id = id + 1000000 WHERE id % 2 = 0; DELETE FROM t WHERE id % 3 = 0");
        execute("INSERT INTO t SELECT -i, 2, '' FROM generate_series(1, 5000) i");
        std::vector<std::string> ids;
        read_rest(*reader, ids);
        EXPECT_TRUE(sorted(ids) == before) << ids.size();
        execute("DROP TABLE t");
    }
}

TEST_F(PostgresSourceServerTest, KeepsTheColumnsAsTheyAreMeanwhile) {
    create("int", "i");
    options.session.emplace_back("SET idle_in_transaction_session_timeout = '1ms'");
    const auto reader = source(4);
    ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
    EXPECT_EQ(value_of("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessShareLock' AND "
                       "granted AND pid <> pg_backend_pid()"),
              "4");
    execute("SET lock_timeout = '10ms'");
    EXPECT_FALSE(admin->execute("ALTER TABLE t ALTER version TYPE bigint").ok());
    std::vector<std::string> ids;
    read_rest(*reader, ids);
    EXPECT_EQ(ids.size(), 16'000U);
}

TEST_F(PostgresSourceServerTest, GoesOnFromEachCheckpointOverItsRanges) {
    create("uuid", "md5(i::text)::uuid");
    const auto expected = ids_in_table();
    size_t batches = 1;
    for (bool has_ended = false; !has_ended; ++batches) {
        SCOPED_TRACE(batches);
        std::vector<std::string> ids;
        const auto first = source(3);
        ASSERT_TRUE(first->open(world.run, std::nullopt).ok());
        read_rest(*first, ids, batches);
        has_ended = ids.size() == expected.size();
        ASSERT_TRUE(checkpoint.has_value());
        const auto second = source(batches % 3 + 1);
        ASSERT_TRUE(second->open(world.run, checkpoint).ok());
        read_rest(*second, ids);
        EXPECT_TRUE(sorted(ids) == expected) << ids.size();
    }
    EXPECT_GT(batches, 5U);
}

TEST_F(PostgresSourceServerTest, GoesOnWhenASessionIsGone) {
    // More than the sockets take: no session has sent all of its range before it is ended.
    create("bigint", "i * 7");
    for (const char* key : {"i * 7 + 1", "i * 7 + 2", "i * 7 + 3", "i * 7 + 4"}) fill("t", key);
    const auto reader = source(3);
    ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
    std::vector<std::string> ids;
    read_rest(*reader, ids, 2);
    execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'source under test' "
        "ORDER BY backend_start DESC LIMIT 1");
    bool has_failed = false;
    for (bool has_ended = false; !has_ended;) {
        auto batch = reader->read(world.run);
        if (!batch.ok()) {
            ASSERT_FALSE(std::exchange(has_failed, true)) << batch.error().to_string();
            EXPECT_EQ(batch.error().kind(), ErrorKind::unavailable);
            continue;
        }
        has_ended = !batch.value();
        if (has_ended) break;
        const auto& rows = std::get<RecordBatch>(batch.value()->rows);
        for (size_t row = 0; row < rows.rows(); ++row) ids.push_back(format_value(rows.column(0), row));
    }
    EXPECT_TRUE(has_failed);
    EXPECT_TRUE(sorted(ids) == ids_in_table()) << ids.size();
}

TEST_F(PostgresSourceServerTest, ReadsOverTheSessionsThatItGets) {
    create("int", "i");
    execute("DROP ROLE IF EXISTS two_at_once; CREATE ROLE two_at_once LOGIN PASSWORD 'x' CONNECTION LIMIT 2");
    execute("GRANT USAGE ON SCHEMA source_test TO two_at_once; GRANT SELECT ON t TO two_at_once");
    options.parameters.emplace_back("user", "two_at_once");
    options.parameters.emplace_back("password", "x");
    const auto reader = source(4);
    ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
    EXPECT_EQ(sessions(), "2");
    EXPECT_THAT(world.events.messages(), testing::ElementsAre(HasSubstr("fewer sessions than it may: 2 of 4")));
    std::vector<std::string> ids;
    read_rest(*reader, ids);
    EXPECT_EQ(ids.size(), 16'000U);
    // Nor can a snapshot be shared everywhere.
    execute("REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC");
    const auto alone = source(4);
    ASSERT_TRUE(alone->open(world.run, std::nullopt).ok());
    EXPECT_EQ(sessions(), "1");
    EXPECT_THAT(world.events.messages().back(),
                HasSubstr("fewer sessions than it may: 1 of 4; PostgreSQL: permission"));
    ids.clear();
    read_rest(*alone, ids);
    EXPECT_TRUE(sorted(ids) == ids_in_table()) << ids.size();
    execute(
        "GRANT EXECUTE ON FUNCTION pg_export_snapshot() TO PUBLIC; DROP OWNED BY two_at_once; DROP ROLE two_at_once");
}

TEST_F(PostgresSourceServerTest, ReadsWithTheRightsThatOneSessionNeeds) {
    execute(
        "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA source_test TO clerk");
    options.parameters.emplace_back("user", "clerk");
    options.parameters.emplace_back("password", "x");
    for (const bool resumes : {true, false}) {
        create("int", "i");
        const auto refused = source(4, resumes)->open(world.run, std::nullopt);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind(), ErrorKind::auth);
        EXPECT_THAT(refused.error().message(), HasSubstr("GRANT SELECT ON \"source_test\".\"t\" TO \"clerk\""));
        execute("GRANT SELECT (id, version, payload) ON t TO clerk");
        const auto by_columns = source(4, resumes);
        ASSERT_TRUE(by_columns->open(world.run, std::nullopt).ok());
        EXPECT_EQ(sessions(), "1");
        std::vector<std::string> ids;
        read_rest(*by_columns, ids);
        EXPECT_EQ(ids.size(), 16'000U);
        execute("DROP TABLE t");
    }
    execute("DROP OWNED BY clerk; DROP ROLE clerk");
}

TEST_F(PostgresSourceServerTest, EndsAllSessionsSoonAfterCancellation) {
    create("int", "i");
    auto reader = source(4);
    ASSERT_TRUE(reader->open(world.run, std::nullopt).ok());
    std::vector<std::string> ids;
    read_rest(*reader, ids, 1);
    const auto began = std::chrono::steady_clock::now();
    Cancellation never;
    admin = nullptr;
    world.cancellation.cancel();
    const auto read = reader->read(world.run);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind(), ErrorKind::canceled);
    reader.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
    options.parameters.emplace_back("application_name", "");
    admin = PostgresConnection::connect(options, never).release_value();
    execute("DROP SCHEMA source_test CASCADE");
    admin = nullptr;  // before its cancellation
}

TEST_F(PostgresSourceServerTest, KnowsKeysBeforeTheFirstYear) {
    execute("CREATE TABLE t (id date PRIMARY KEY, version int, payload text)");
    fill("t", "'4713-01-01 BC'::date + i * 107");  // up to the year -26
    execute("INSERT INTO t VALUES ('infinity', 1, ''), ('-infinity', 1, '')");
    const auto first = source(1);
    ASSERT_TRUE(first->open(world.run, std::nullopt).ok());
    std::vector<std::string> ids;
    read_rest(*first, ids, 2);
    ASSERT_TRUE(checkpoint.has_value());
    EXPECT_THAT(checkpoint->value(), HasSubstr(R"({"key":["-)"));
    const auto second = source(3);
    ASSERT_TRUE(second->open(world.run, checkpoint).ok());
    read_rest(*second, ids);
    EXPECT_EQ(ids.size(), 16'002U);
    const std::set<std::string> all(ids.begin(), ids.end());
    EXPECT_EQ(all.size(), 16'001U);  // the infinite ones are none
    EXPECT_TRUE(all.contains("-4712-04-17")) << *all.begin();
}

}  // namespace
}  // namespace shaduf
