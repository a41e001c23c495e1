#include "pipeline/stream_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pipeline/memory_connectors.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StreamRunTest : public testing::Test {
protected:
    StreamResult run(ReadMode mode = ReadMode::incremental) {
        StreamJob job;
        job.run_id = "r1";
        job.pipeline = "shop";
        job.stream = "users";
        job.source_connection = "api";
        job.table = "users";
        job.read = mode;
        job.contract = contract_;
        job.commit_every = commit_every_;
        job.stop_within = stop_within_;
        job.quarantine = quarantine_;
        job.source = std::make_unique<ScriptedSource>(std::move(source_));
        auto sink = std::make_unique<MemorySink>(table_);
        sink->reject = reject_;
        sink->before_commit = before_commit_;
        job.sink = std::move(sink);
        job.expectations = Expectations::create(expect_, 1 << 20).release_value();
        job.policies = Policies::create(policies_, "a key").release_value();
        source_ = ScriptedSource(log_);
        return run_stream(world_.run, std::move(job), budget_);
    }

    static ExpectConfig expectation(ExpectKind kind, std::vector<std::string> columns, ExpectSeverity severity) {
        ExpectConfig config{};
        config.kind = kind;
        config.columns = std::move(columns);
        config.severity = severity;
        config.text = "the rule";
        return config;
    }

    World world_;
    ByteBudget budget_{1 << 20};
    ScriptedSource::Log log_;
    ScriptedSource source_{log_};
    MemoryTable table_;
    ContractSettings contract_;
    std::vector<ExpectConfig> expect_;
    std::vector<PolicyConfig> policies_;
    std::chrono::milliseconds commit_every_{60'000};
    std::chrono::milliseconds stop_within_{10'000};
    QuarantineLimit quarantine_;
    std::function<bool(const std::string&)> reject_ = [](const std::string&) { return false; };
    std::function<Result<void>(RunContext&)> before_commit_ = [](RunContext&) { return Result<void>(); };
};

const Error kGone(ErrorKind::unavailable, "connection reset");
const Error kBroken(ErrorKind::auth, "token expired");

TEST_F(StreamRunTest, MovesRowsInOrderAndAcknowledgesAfterTheCommit) {
    for (int i = 0; i < 50; ++i) source_.batch(id_name_rows({{i, "n"}}), std::to_string(i));
    const StreamResult result = run();
    EXPECT_FALSE(result.error) << result.error->to_string();
    ASSERT_THAT(table_.rows, SizeIs(50));
    for (size_t i = 0; i < 50; ++i) EXPECT_EQ(table_.rows[i], R"({"id":)" + std::to_string(i) + R"(,"name":"n"})");
    EXPECT_EQ(table_.checkpoint, Checkpoint("49"));
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::final));
    EXPECT_THAT(log_.acknowledged, ElementsAre("49"));
    EXPECT_EQ(result.progress.rows_read, 50);
    EXPECT_EQ(result.progress.rows_written, 50);
}

TEST_F(StreamRunTest, GoesOnFromTheSinksCheckpoint) {
    table_.checkpoint = Checkpoint("17");
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    EXPECT_EQ(log_.resumed_from, Checkpoint("17"));
    EXPECT_EQ(table_.checkpoint, Checkpoint("17"));
}

TEST_F(StreamRunTest, AFullRefreshThatEndedLeavesNoCheckpoint) {
    source_.batch(id_name_rows({{1, "a"}}), "page 1");
    EXPECT_FALSE(run(ReadMode::full_refresh).error);
    EXPECT_EQ(table_.checkpoint, std::nullopt);
}

TEST_F(StreamRunTest, CommitsOnTheWayWhereTheSourceAllowsIt) {
    commit_every_ = std::chrono::milliseconds(0);
    source_.batch(id_name_rows({{1, "a"}}), "1")
        .batch(id_name_rows({{2, "b"}}), "")
        .batch(id_name_rows({{3, "c"}}), "3");
    EXPECT_FALSE(run().error);
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::interim, CommitKind::interim, CommitKind::final));
}

// Such rows would be read again from the checkpoint before them.
TEST_F(StreamRunTest, RowsBehindTheLastCheckpointAreNotCommittedWithIt) {
    source_.batch(id_name_rows({{1, "a"}}), "1").batch(id_name_rows({{2, "b"}}), "").fail(kBroken);
    EXPECT_TRUE(run().error);
    EXPECT_THAT(table_.rows, IsEmpty());
    EXPECT_EQ(table_.checkpoint, std::nullopt);
    // Up to the next checkpoint they are.
    source_.batch(id_name_rows({{1, "a"}}), "1")
        .batch(id_name_rows({{2, "b"}}), "")
        .batch(id_name_rows({{3, "c"}}), "3")
        .fail(kBroken);
    EXPECT_TRUE(run().error);
    EXPECT_THAT(table_.rows, SizeIs(3));
    EXPECT_EQ(table_.checkpoint, Checkpoint("3"));
}

TEST_F(StreamRunTest, RetriesWithBackOffAndObeysTheServer) {
    source_.fail(kGone)
        .fail(Error(ErrorKind::rate_limited, "slow down").retry_after(std::chrono::milliseconds(30'000)))
        .batch(id_name_rows({{1, "a"}}), "1");
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    EXPECT_EQ(result.progress.retries, 2);
    ASSERT_THAT(world_.clock.slept(), SizeIs(2));
    EXPECT_LE(world_.clock.slept()[0].count(), 500);
    EXPECT_EQ(world_.clock.slept()[1].count(), 30'000);
    EXPECT_THAT(table_.rows, SizeIs(1));
}

TEST_F(StreamRunTest, KeepsWhatWasReadBeforeASourceFailsForGood) {
    source_.batch(id_name_rows({{1, "a"}}), "1").batch(id_name_rows({{2, "b"}}), "2").fail(kBroken);
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->to_string(), "api.users: token expired");
    EXPECT_THAT(table_.rows, SizeIs(2));
    EXPECT_EQ(table_.checkpoint, Checkpoint("2"));
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::interim));
}

TEST_F(StreamRunTest, AFatalExpectationCommitsNothing) {
    commit_every_ = std::chrono::milliseconds(0);
    expect_.push_back(expectation(ExpectKind::not_null, {"id"}, ExpectSeverity::fatal));
    source_.batch(id_name_rows({{1, "a"}}), "1").batch(id_name_rows({{-1, "b"}}), "2");
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind(), ErrorKind::bad_data);
    EXPECT_THAT(table_.commits, IsEmpty());
    EXPECT_THAT(table_.rows, IsEmpty());
}

TEST_F(StreamRunTest, QuarantinesRowsThatFailWithTheirReason) {
    expect_.push_back(expectation(ExpectKind::not_null, {"id"}, ExpectSeverity::error));
    source_.batch(id_name_rows({{1, "a"}, {-1, "b"}, {3, "c"}}), "1");
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    EXPECT_THAT(table_.rows, ElementsAre(R"({"id":1,"name":"a"})", R"({"id":3,"name":"c"})"));
    EXPECT_THAT(table_.quarantine, ElementsAre(R"(script {"id":null,"name":"b"} expectation failed: the rule)"));
    EXPECT_EQ(result.progress.rows_quarantined, 1);
    EXPECT_EQ(result.reasons.at("expectation failed: the rule"), 1);
}

TEST_F(StreamRunTest, KeepsTheFirstOfRowsWithOneKey) {
    expect_.push_back(expectation(ExpectKind::not_null, {"name"}, ExpectSeverity::error));
    expect_.push_back(expectation(ExpectKind::unique, {"id"}, ExpectSeverity::error));
    for (int batch = 0; batch < 20; ++batch) {
        source_.batch(id_name_rows({{batch, "a"}, {batch / 2, "again"}, {-1, "null is no key"}}),
                      std::to_string(batch));
    }
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    // Batch 0 holds 0 twice; every later one has seen its second id.
    EXPECT_EQ(result.progress.rows_quarantined, 20);
    EXPECT_THAT(table_.rows, SizeIs(40));
    EXPECT_EQ(table_.quarantine[0], R"(script {"id":0,"name":"again"} expectation failed: the rule)");
}

TEST_F(StreamRunTest, WarnsAndKeepsTheRows) {
    expect_.push_back(expectation(ExpectKind::not_null, {"id"}, ExpectSeverity::warn));
    source_.batch(id_name_rows({{1, "a"}, {-1, "b"}}), "1");
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    EXPECT_THAT(table_.rows, SizeIs(2));
    EXPECT_THAT(result.warnings, ElementsAre("the rule: 1 of 2 rows fail"));
}

TEST_F(StreamRunTest, StopsAtTheLimitOfAnExpectation) {
    expect_.push_back(expectation(ExpectKind::not_null, {"id"}, ExpectSeverity::error));
    expect_.back().limit.max_percent = 10;
    source_.batch(id_name_rows({{1, "a"}, {-1, "b"}}), "1");
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->message(), "expectation failed: the rule: 1 of 2 rows fail, at most 10% may fail");
    EXPECT_THAT(table_.rows, IsEmpty());
}

TEST_F(StreamRunTest, JudgesTheWholeLoadAtItsEnd) {
    expect_.push_back(expectation(ExpectKind::row_count, {}, ExpectSeverity::error));
    expect_.back().min = "3";
    source_.batch(id_name_rows({{1, "a"}}), "1");
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->message(), "expectation failed: the rule: the load has 1 rows, expected at least 3");
    EXPECT_THAT(table_.rows, SizeIs(1));
}

TEST_F(StreamRunTest, QuarantinesWhatTheTableRefuses) {
    reject_ = [](const std::string& row) { return row.find("\"b\"") != std::string::npos; };
    expect_.push_back(expectation(ExpectKind::not_null, {"id"}, ExpectSeverity::error));
    source_.batch(id_name_rows({{-1, "a"}, {2, "b"}, {3, "c"}}), "1");
    const StreamResult result = run();
    EXPECT_FALSE(result.error);
    EXPECT_THAT(table_.rows, ElementsAre(R"({"id":3,"name":"c"})"));
    EXPECT_THAT(table_.quarantine, ElementsAre(R"(script {"id":null,"name":"a"} expectation failed: the rule)",
                                               R"(script {"id":2,"name":"b"} the table refuses it)"));
}

TEST_F(StreamRunTest, WidensTheTableWhenALaterBatchNeedsIt) {
    auto wider = std::make_shared<const Schema>(
        std::vector<Field>{{"id", TypeKind::float64}, {"name", TypeKind::string}, {"extra", TypeKind::boolean}});
    RecordBatchBuilder rows(wider);
    rows.column(0).append_float64(2.5);
    rows.column(1).append_null();
    rows.column(2).append_boolean(true);
    rows.end_row();
    source_.batch(id_name_rows({{1, "a"}}), "1").batch(rows.finish(), "2").batch(id_name_rows({{3, "c"}}), "3");
    EXPECT_FALSE(run().error);
    EXPECT_EQ(table_.prepared, 2U);
    EXPECT_THAT(table_.rows, ElementsAre(R"({"id":1,"name":"a"})", R"({"id":2.5,"name":null,"extra":true})",
                                         R"({"id":3,"name":"c","extra":null})"));
}

TEST_F(StreamRunTest, FreezeStopsWithTheDifference) {
    contract_.mode = ContractMode::freeze;
    table_.schema = Schema({{"id", TypeKind::int64}, {"_shaduf_run_id", TypeKind::string}});
    source_.batch(id_name_rows({{1, "a"}}), "1");
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_NE(result.error->message().find("+ name string"), std::string::npos) << result.error->message();
    EXPECT_THAT(table_.rows, IsEmpty());
}

TEST_F(StreamRunTest, PoliciesChangeWhatReachesTheSink) {
    policies_.push_back({"name", PolicyKind::mask, 2, {}});
    policies_.push_back({"id", PolicyKind::drop, 0, {}});
    source_.batch(id_name_rows({{1, "caf\xC3\xA9s"}, {2, "ab"}}), "1");
    EXPECT_FALSE(run().error);
    EXPECT_THAT(table_.rows, ElementsAre("{\"name\":\"***\xC3\xA9s\"}", R"({"name":"**"})"));
}

TEST_F(StreamRunTest, RowsThatOnlyTheSourceCanReadAreDecodedAndTheBrokenOnesKeptAsBytes) {
    source_.encoded({"a", "?", "c"}, "1");
    const StreamResult result = run();
    EXPECT_FALSE(result.error) << result.error->to_string();
    EXPECT_THAT(table_.rows, ElementsAre(R"({"id":0,"name":"a"})", R"({"id":2,"name":"c"})"));
    EXPECT_THAT(table_.quarantine, ElementsAre(R"(orders/3:41 {"$bytes":"AA=="} bytes are cut short)"));
}

TEST_F(StreamRunTest, OfRowsThatOnlyTheSourceCanReadThePoliciesHoldInQuarantineToo) {
    policies_.push_back({"name", PolicyKind::mask, 1, {}});
    reject_ = [](const std::string& row) { return row.find("\"id\":0") != row.npos; };
    source_.encoded({"secret", "?"}, "1");
    EXPECT_FALSE(run().error);
    ASSERT_THAT(table_.quarantine, SizeIs(2));
    for (const std::string& row : table_.quarantine) {
        EXPECT_EQ(row.find("secret"), row.npos) << row;
        EXPECT_EQ(row.find("AA=="), row.npos) << row;
    }
}

TEST_F(StreamRunTest, CommitsBeforePartsChangeHandsAndTellsWhereTheSinkStands) {
    source_.batch(id_name_rows({{1, "a"}}), "1").settle().step([&](RunContext&) -> Result<std::optional<ReadBatch>> {
        EXPECT_THAT(table_.rows, SizeIs(1)) << "committed, though it was not yet time";
        return std::optional<ReadBatch>();
    });
    const StreamResult result = run();
    EXPECT_FALSE(result.error) << result.error->to_string();
    EXPECT_THAT(log_.resumed_at, ElementsAre(Checkpoint("1")));
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::interim, CommitKind::final));
}

TEST_F(StreamRunTest, AStopWhilePartsChangeHandsIsNotWaitedFor) {
    source_.batch(id_name_rows({{1, "a"}}), "1").settle();
    reject_ = [&](const std::string&) {
        world_.cancellation.cancel();
        return false;
    };
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind(), ErrorKind::canceled);
}

TEST_F(StreamRunTest, WithNothingNewNothingIsCommitted) {
    commit_every_ = std::chrono::milliseconds(0);
    table_.checkpoint = Checkpoint("7");
    for (int i = 0; i < 5; ++i) {
        source_.step([](RunContext&) -> Result<std::optional<ReadBatch>> {
            return std::optional<ReadBatch>(ReadBatch{RawRows{}, Checkpoint("7"), ""});
        });
    }
    EXPECT_FALSE(run(ReadMode::stream).error);
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::final));
}

TEST_F(StreamRunTest, EndsCleanlyWhenStopped) {
    source_.batch(id_name_rows({{1, "a"}}), "1");
    source_.step([&](RunContext& run) -> Result<std::optional<ReadBatch>> {
        world_.cancellation.cancel();
        TRY(run.cancellation.check());
        return std::optional<ReadBatch>();
    });
    const StreamResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind(), ErrorKind::canceled);
    EXPECT_THAT(table_.rows, IsEmpty());
}

TEST_F(StreamRunTest, AStreamThatIsStoppedCommitsWhatItHasRead) {
    source_.batch(id_name_rows({{1, "a"}}), "1").batch(id_name_rows({{2, "b"}}), "2");
    source_.step([&](RunContext& run) -> Result<std::optional<ReadBatch>> {
        world_.cancellation.cancel();
        TRY(run.cancellation.check());
        return std::optional<ReadBatch>();
    });
    const StreamResult result = run(ReadMode::stream);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind(), ErrorKind::canceled);
    EXPECT_THAT(table_.rows, SizeIs(2));
    EXPECT_EQ(table_.checkpoint, Checkpoint("2"));
    EXPECT_THAT(table_.commits, ElementsAre(CommitKind::interim));
    EXPECT_EQ(log_.acknowledged.back(), "2");
}

TEST_F(StreamRunTest, AStreamThatIsStoppedDoesNotWaitForItsSinkForEver) {
    stop_within_ = std::chrono::milliseconds(1);
    before_commit_ = [](RunContext& run) {
        while (!run.cancellation.canceled()) static_cast<void>(run.cancellation.wait_for(std::chrono::seconds(60)));
        return run.cancellation.check();
    };
    source_.batch(id_name_rows({{1, "a"}}), "1");
    source_.step([&](RunContext& run) -> Result<std::optional<ReadBatch>> {
        world_.cancellation.cancel();
        TRY(run.cancellation.check());
        return std::optional<ReadBatch>();
    });
    const StreamResult result = run(ReadMode::stream);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind(), ErrorKind::canceled);
    EXPECT_THAT(table_.rows, IsEmpty());
}

TEST_F(StreamRunTest, MoreBadRowsThanAllowedStopTheStreamBeforeTheyAreCommitted) {
    const auto run_with_bad = [&](std::optional<int64_t> max_rows, std::optional<double> max_percent) {
        table_ = {};
        quarantine_ = {max_rows, max_percent};
        reject_ = [](const std::string& text) { return text.find("bad") != std::string::npos; };
        source_.batch(id_name_rows({{1, "a"}, {2, "bad"}}), "1").batch(id_name_rows({{3, "bad"}, {4, "d"}}), "2");
        return run();
    };
    EXPECT_FALSE(run_with_bad(2, 50).error);
    EXPECT_THAT(table_.quarantine, SizeIs(2));
    const StreamResult too_many = run_with_bad(1, {});
    ASSERT_TRUE(too_many.error);
    EXPECT_EQ(too_many.error->kind(), ErrorKind::bad_data);
    EXPECT_THAT(
        too_many.error->to_string(),
        testing::HasSubstr("more rows would go to quarantine than it may take: 2 of 4, where max_rows is 1; the "
                           "first: script: the table refuses it"));
    EXPECT_THAT(table_.rows, IsEmpty());
    EXPECT_THAT(table_.quarantine, IsEmpty());
    const StreamResult too_large_share = run_with_bad({}, 49.5);
    ASSERT_TRUE(too_large_share.error);
    EXPECT_THAT(too_large_share.error->to_string(), testing::HasSubstr("2 of 4, where max_percent is 49.5; "));
    EXPECT_THAT(table_.rows, IsEmpty());
}

// Of a stream without an end a thousand rows count at least, and then each thousand for itself.
TEST_F(StreamRunTest, AStreamWithoutAnEndIsJudgedByItsLastRows) {
    commit_every_ = std::chrono::milliseconds(0);
    quarantine_ = {{}, 10};
    reject_ = [](const std::string& text) { return text.find("bad") != std::string::npos; };
    const auto batch = [&](int64_t rows, int64_t bad, const char* next) {
        std::vector<std::pair<int64_t, std::string>> all;
        for (int64_t i = 0; i < rows; ++i) all.emplace_back(i, i < bad ? "bad" : "good");
        source_.batch(id_name_rows(all), next);
    };
    batch(5, 5, "1");
    batch(995, 0, "2");
    batch(1000, 90, "3");
    batch(1000, 101, "4");
    const StreamResult result = run(ReadMode::stream);
    ASSERT_TRUE(result.error);
    EXPECT_THAT(result.error->to_string(), testing::HasSubstr("101 of 1,000, where max_percent is 10; "));
    EXPECT_EQ(table_.checkpoint, Checkpoint("3"));
    EXPECT_THAT(table_.quarantine, SizeIs(95));
}

TEST_F(StreamRunTest, LargeBatchesPassThroughASmallBudget) {
    for (int i = 0; i < 8; ++i) source_.batch(id_name_rows({{i, std::string(700'000, 'x')}}), std::to_string(i));
    EXPECT_FALSE(run().error);
    EXPECT_THAT(table_.rows, SizeIs(8));
    EXPECT_EQ(budget_.bytes_used(), 0U);
}

}  // namespace
}  // namespace shaduf
