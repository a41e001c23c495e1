#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "connectors/postgres/sink.h"
#include "data/builder.h"
#include "io/duckdb.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// What takes more than one session, on the server that harness/postgres.py starts.
class PostgresServerSinkTest : public testing::Test {
protected:
    void SetUp() override {
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        if (dsn == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        settings.connection.parameters = parse_postgres_dsn(dsn).release_value();
        settings.schema = "sink_test";
        settings.lock_timeout = std::chrono::milliseconds(200);
        other = PostgresConnection::connect(settings.connection, cancellation).release_value();
        execute("DROP SCHEMA IF EXISTS sink_test CASCADE");
    }
    void TearDown() override {
        if (other != nullptr && !other->is_lost()) execute("DROP SCHEMA IF EXISTS sink_test CASCADE");
    }
    void execute(const std::string& sql) {
        const auto done = other->execute(sql);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    std::string value_of(const std::string& sql) {
        const auto found = other->query(sql).release_value();
        return found.rows.empty() ? "" : found.rows[0][0].value_or("NULL");
    }
    std::unique_ptr<Sink> make(const std::string& stream, WriteMode mode = WriteMode::append) const {
        TableTarget target;
        target.connection = "w";
        target.pipeline = "p";
        target.stream = stream;
        target.table = stream;
        target.mode = mode;
        target.key = {"id"};
        return std::make_unique<PostgresSink>(settings, PostgresTableOptions{}, target);
    }
    static RecordBatch rows(int64_t first, int64_t count) {
        RecordBatchBuilder builder(std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}}));
        for (int64_t i = 0; i < count; ++i) {
            builder.column(0).append_int64(first + i);
            builder.end_row();
        }
        return builder.finish();
    }
    Result<void> write(Sink& sink, int64_t first, int64_t count) {
        const RecordBatch batch = rows(first, count);
        TRY(sink.prepare(world.run, batch.schema()));
        TRY(sink.write(world.run, batch));
        return {};
    }
    Result<void> commit(Sink& sink, const std::string& checkpoint, CommitKind kind = CommitKind::interim) {
        return sink.commit(world.run, Checkpoint(checkpoint), kind);
    }

    Cancellation cancellation;
    DuckDbInstances databases;
    World world{databases};
    PostgresSettings settings;
    std::unique_ptr<PostgresConnection> other;
};

TEST_F(PostgresServerSinkTest, LetsOneWriteATableAtATime) {
    const auto first = make("things");
    ASSERT_TRUE(first->open(world.run).ok());
    const auto second = make("things")->open(world.run);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(second.error().message(), HasSubstr("another run writes the table: sink_test.things"));
    const auto store = make_postgres_store(settings);
    const auto set = store->checkpoints()->set_checkpoint(world.run, "p", "things", Checkpoint("x"));
    ASSERT_FALSE(set.ok());
    EXPECT_EQ(set.error().kind(), ErrorKind::conflict);
}

TEST_F(PostgresServerSinkTest, ManyMakeTheirBookkeepingAtOnce) {
    constexpr int kSinks = 6;
    std::vector<std::thread> threads;
    threads.reserve(kSinks);
    std::vector<std::string> errors(kSinks);
    settings.lock_timeout = std::chrono::seconds(60);
    for (int i = 0; i < kSinks; ++i) {
        threads.emplace_back([&, i] {
            const auto sink = make("t" + std::to_string(i));
            const auto opened = sink->open(world.run);
            if (!opened.ok()) errors[static_cast<size_t>(i)] = opened.error().to_string();
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(errors, testing::Each(IsEmpty()));
}

TEST_F(PostgresServerSinkTest, SaysWhoHoldsATable) {
    {
        const auto sink = make("things", WriteMode::replace);
        ASSERT_TRUE(sink->open(world.run).ok());
        ASSERT_TRUE(write(*sink, 1, 2).ok());
        ASSERT_TRUE(commit(*sink, "a", CommitKind::final).ok());
    }
    execute("SET application_name = 'the report'; BEGIN; SELECT * FROM sink_test.things");
    const auto sink = make("things", WriteMode::replace);
    ASSERT_TRUE(sink->open(world.run).ok());
    ASSERT_TRUE(write(*sink, 3, 1).ok());
    const auto committed = commit(*sink, "b", CommitKind::final);
    ASSERT_FALSE(committed.ok());
    EXPECT_EQ(committed.error().kind(), ErrorKind::unavailable);
    EXPECT_THAT(committed.error().message(), HasSubstr("the table is locked: sink_test.things by "));
    EXPECT_THAT(committed.error().message(), HasSubstr("(the report), which is idle in transaction"));
    EXPECT_THAT(committed.error().message(), HasSubstr("raise `lock_timeout`"));
    execute("ROLLBACK");
    EXPECT_EQ(value_of("SELECT string_agg(id::text, ',' ORDER BY id) FROM sink_test.things"), "1,2");
}

TEST_F(PostgresServerSinkTest, WaitsForATableInTurns) {
    const auto replace = [&](int64_t first) -> Result<void> {
        const auto sink = make("things", WriteMode::replace);
        TRY(sink->open(world.run));
        TRY(write(*sink, first, 1));
        return commit(*sink, "a", CommitKind::final);
    };
    settings.lock_timeout = std::chrono::seconds(60);
    ASSERT_TRUE(replace(1).ok());
    execute("BEGIN; SELECT * FROM sink_test.things");
    Result<void> replaced;
    std::thread writer([&] { replaced = replace(2); });
    // It has given up once, and sleeps until its next turn: others can read meanwhile.
    while (value_of("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "1") {
        execute("SELECT pg_stat_clear_snapshot()");
    }
    EXPECT_EQ(value_of("SELECT id FROM sink_test.things"), "1");
    execute("COMMIT");
    writer.join();
    ASSERT_TRUE(replaced.ok()) << replaced.error().to_string();
    EXPECT_EQ(value_of("SELECT id FROM sink_test.things"), "2");
}

TEST_F(PostgresServerSinkTest, LosesNothingWithItsServer) {
    for (const WriteMode mode : {WriteMode::append, WriteMode::merge}) {
        const std::string table = mode == WriteMode::append ? "appended" : "merged";
        SCOPED_TRACE(table);
        auto sink = make(table, mode);
        ASSERT_TRUE(sink->open(world.run).ok());
        ASSERT_TRUE(write(*sink, 1, 2).ok());
        ASSERT_TRUE(commit(*sink, "first").ok());
        ASSERT_TRUE(write(*sink, 3, 2).ok());
        execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'shaduf' AND pid <> "
            "pg_backend_pid()");
        const auto committed = commit(*sink, "second");
        ASSERT_FALSE(committed.ok());
        EXPECT_EQ(committed.error().kind(), ErrorKind::unavailable) << committed.error().to_string();
        EXPECT_EQ(value_of("SELECT string_agg(id::text, ',' ORDER BY id) FROM sink_test." + table), "1,2");
        sink = make(table, mode);
        const auto state = sink->open(world.run);
        ASSERT_TRUE(state.ok()) << state.error().to_string();
        EXPECT_EQ(state.value().checkpoint, Checkpoint("first"));
    }
}

TEST_F(PostgresServerSinkTest, EndsSoonAfterCancellation) {
    {
        const auto sink = make("things", WriteMode::replace);
        ASSERT_TRUE(sink->open(world.run).ok());
        ASSERT_TRUE(write(*sink, 1, 1).ok());
        ASSERT_TRUE(commit(*sink, "a", CommitKind::final).ok());
    }
    settings.lock_timeout = std::chrono::seconds(30);
    const auto sink = make("things", WriteMode::replace);
    ASSERT_TRUE(sink->open(world.run).ok());
    ASSERT_TRUE(write(*sink, 2, 1).ok());
    execute("BEGIN; LOCK TABLE sink_test.things");
    const auto began = std::chrono::steady_clock::now();
    std::thread stopper([&] { world.cancellation.cancel(); });
    const auto committed = commit(*sink, "b", CommitKind::final);
    stopper.join();
    ASSERT_FALSE(committed.ok());
    EXPECT_EQ(committed.error().kind(), ErrorKind::canceled);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
    execute("ROLLBACK");
}

// Writers of one table, each of other parts of the stream.
class PostgresSharedSinkServerTest : public PostgresServerSinkTest {
protected:
    std::unique_ptr<Sink> open_shared(WriteMode mode = WriteMode::append, std::optional<Checkpoint>* stands = nullptr) {
        TableTarget target;
        target.connection = "w";
        target.pipeline = "p";
        target.stream = "things";
        target.table = "things";
        target.mode = mode;
        target.key = {"id"};
        target.shared = true;
        auto sink = std::make_unique<PostgresSink>(settings, PostgresTableOptions{}, target);
        const auto opened = sink->open(world.run);
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        if (opened.ok() && stands != nullptr) *stands = opened.value().checkpoint;
        return sink;
    }
    static std::string part(const std::string& name, int at) {
        return R"({"parts":{")" + name + R"(":{"at":")" + std::to_string(at) + R"("}}})";
    }
    std::string ids() { return value_of("SELECT string_agg(id::text, ',' ORDER BY id::text) FROM sink_test.things"); }
    std::string state() { return value_of("SELECT checkpoint FROM sink_test._shaduf_state"); }
};

TEST_F(PostgresSharedSinkServerTest, WritersCommitTheirPartsInTurn) {
    for (const WriteMode mode : {WriteMode::append, WriteMode::merge}) {
        execute("DROP SCHEMA IF EXISTS sink_test CASCADE");
        auto first = open_shared(mode);
        auto second = open_shared(mode);
        ASSERT_TRUE(write(*first, 1, 1).ok());  // makes the table
        const auto written = write(*second, 2, 1);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
        ASSERT_TRUE(commit(*second, part("b", 5)).ok());
        ASSERT_TRUE(commit(*first, part("a", 7)).ok());
        ASSERT_TRUE(write(*first, 3, 1).ok());
        ASSERT_TRUE(commit(*first, part("a", 8)).ok());
        EXPECT_EQ(ids(), "1,2,3");
        EXPECT_EQ(state(), R"({"parts":{"a":{"at":"8"},"b":{"at":"5"}}})");
    }
}

TEST_F(PostgresSharedSinkServerTest, WhoReadsWhatAnotherHasReadLosesItsRows) {
    auto zombie = open_shared();
    ASSERT_TRUE(write(*zombie, 1, 1).ok());
    ASSERT_TRUE(commit(*zombie, part("a", 1)).ok());
    std::optional<Checkpoint> stands;
    auto owner = open_shared(WriteMode::append, &stands);
    EXPECT_EQ(stands, Checkpoint(part("a", 1)));
    ASSERT_TRUE(write(*owner, 2, 2).ok());
    ASSERT_TRUE(commit(*owner, part("a", 3)).ok());
    ASSERT_TRUE(write(*zombie, 2, 1).ok());
    const auto lost = commit(*zombie, part("a", 2));
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(ids(), "1,2,3");
    EXPECT_EQ(state(), part("a", 3));
    // It can go on where the other stands.
    EXPECT_EQ(zombie->refresh(world.run).release_value(), Checkpoint(part("a", 3)));
    ASSERT_TRUE(write(*zombie, 4, 1).ok());
    ASSERT_TRUE(commit(*zombie, part("a", 4)).ok());
    EXPECT_EQ(ids(), "1,2,3,4");
    EXPECT_FALSE(commit(*owner, part("a", 5)).ok());
}

TEST_F(PostgresSharedSinkServerTest, ATableThatAnotherHasChangedIsLookedAtAgain) {
    auto first = open_shared();
    auto second = open_shared();
    ASSERT_TRUE(write(*first, 1, 1).ok());
    ASSERT_TRUE(commit(*first, part("a", 1)).ok());
    ASSERT_TRUE(write(*second, 2, 1).ok());
    ASSERT_TRUE(commit(*second, part("b", 1)).ok());
    RecordBatchBuilder wider(
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::string}, {"more", TypeKind::string}}));
    wider.column(0).append_text("x");
    wider.column(1).append_text("y");
    wider.end_row();
    const RecordBatch batch = wider.finish();
    ASSERT_TRUE(first->prepare(world.run, batch.schema()).ok());
    ASSERT_TRUE(first->write(world.run, batch).ok());
    ASSERT_TRUE(commit(*first, part("a", 2)).ok());
    const auto written = write(*second, 3, 1);
    ASSERT_TRUE(written.ok()) << written.error().to_string();
    ASSERT_TRUE(commit(*second, part("b", 2)).ok());
    EXPECT_EQ(ids(), "1,2,3,x");
}

// While the rows of one are not committed yet, another cannot change the table: it begins again.
TEST_F(PostgresSharedSinkServerTest, AChangeThatHasToWaitTooLongIsAConflict) {
    auto first = open_shared();
    auto second = open_shared();
    ASSERT_TRUE(write(*first, 1, 1).ok());
    RecordBatchBuilder wider(
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"more", TypeKind::string}}));
    const auto prepared = second->prepare(world.run, wider.finish().schema());
    ASSERT_FALSE(prepared.ok());
    EXPECT_EQ(prepared.error().kind(), ErrorKind::conflict) << prepared.error().to_string();
    ASSERT_TRUE(commit(*first, part("a", 1)).ok());
    EXPECT_EQ(ids(), "1");
}

TEST_F(PostgresSharedSinkServerTest, KeepsOutWhoWritesAlone) {
    auto shared = open_shared();
    const auto alone = make("things")->open(world.run);
    ASSERT_FALSE(alone.ok());
    EXPECT_EQ(alone.error().kind(), ErrorKind::conflict);
    shared.reset();
    auto next = make("things");
    ASSERT_TRUE(next->open(world.run).ok());
    TableTarget target;
    target.stream = target.table = "things";
    target.pipeline = "p";
    target.shared = true;
    const auto late = std::make_unique<PostgresSink>(settings, PostgresTableOptions{}, target)->open(world.run);
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().kind(), ErrorKind::conflict);
    target.mode = WriteMode::replace;
    const auto replaced = std::make_unique<PostgresSink>(settings, PostgresTableOptions{}, target)->open(world.run);
    ASSERT_FALSE(replaced.ok());
    EXPECT_EQ(replaced.error().kind(), ErrorKind::invalid_config);
}

}  // namespace
}  // namespace shaduf
