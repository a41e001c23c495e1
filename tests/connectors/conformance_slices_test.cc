#include "data/builder.h"
#include "data/system_columns.h"
#include "tests/connectors/conformance_suite.h"

// WriteMode::slices, tried out on every sink that has it: what the table shows after slices came, came again with other
// rows, or with none.
namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int32_t kDay = 20'000;

struct Row {
    int64_t id;
    std::string name;
    std::string account;
    int32_t day;
};

RecordBatch make_rows(const std::vector<Row>& rows, bool with_score = false) {
    std::vector<Field> fields{
        {"id", TypeKind::int64}, {"name", TypeKind::string}, {"account", TypeKind::string}, {"day", TypeKind::date}};
    if (with_score) fields.push_back({"score", TypeKind::float64});
    fields.push_back({std::string(kLoadedAtColumn), TypeKind::timestamp_tz});
    fields.push_back({std::string(kRunIdColumn), TypeKind::string});
    RecordBatchBuilder builder(std::make_shared<const Schema>(fields));
    for (const Row& row : rows) {
        builder.column(0).append_int64(row.id);
        builder.column(1).append_text(row.name);
        builder.column(2).append_text(row.account);
        builder.column(3).append_date(row.day);
        if (with_score) builder.column(4).append_float64(0.5);
        builder.column(with_score ? 5 : 4).append_int64(1'000'000);
        builder.column(with_score ? 6 : 5).append_text("run");
        builder.end_row();
    }
    return builder.finish();
}

TableSlice slice_of(const std::string& account, int32_t first, int32_t last) {
    return {{{"account", account}}, "day", first, last};
}

class SliceSink : public EveryConnector {
protected:
    void SetUp() override {
        EveryConnector::SetUp();
        fixture_ = make_fixture();
        ASSERT_NE(fixture_, nullptr);
        if (const std::string missing = fixture_->missing(); !missing.empty()) GTEST_SKIP() << missing;
        target_.connection = "conformance";
        target_.pipeline = "p";
        target_.stream = "s";
        target_.table = "t";
        target_.mode = WriteMode::slices;
        target_.key = {"id", "day"};
        target_.run_id = "run-2";
        target_.options = options_of(spec().table_fields, "");
    }
    RunContext& run() { return fixture_->world.run; }
    std::unique_ptr<Sink> make() {
        auto sink = spec().make_sink(connection_of(*fixture_), target_);
        return sink.ok() ? sink.release_value() : nullptr;
    }
    // One load: each slice with its rows, then a commit.
    void load(const std::vector<std::pair<TableSlice, RecordBatch>>& slices) {
        auto sink = make();
        ASSERT_NE(sink, nullptr);
        auto opened = sink->open(run());
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        for (const auto& [slice, rows] : slices) {
            auto begun = sink->begin_slice(run(), slice);
            ASSERT_TRUE(begun.ok()) << begun.error().to_string();
            if (rows.rows() == 0) continue;
            auto prepared = sink->prepare(run(), rows.schema());
            ASSERT_TRUE(prepared.ok()) << prepared.error().to_string();
            auto written = sink->write(run(), rows);
            ASSERT_TRUE(written.ok()) << written.error().to_string();
            EXPECT_EQ(written.value().rows_written, rows.rows());
        }
        auto committed = sink->commit(run(), Checkpoint("c"), CommitKind::final);
        ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    }
    std::vector<std::string> rows() { return fixture_->visible_rows(target_); }
    std::vector<std::string> restated() {
        TableTarget restatements = target_;
        restatements.table += "__restatements";
        return fixture_->visible_rows(restatements);
    }

    std::unique_ptr<ConformanceFixture> fixture_;
    TableTarget target_;
};

TEST_P(SliceSink, AFirstLoadPutsAllRowsIn) {
    load({{slice_of("a", kDay, kDay + 1), make_rows({{1, "x", "a", kDay}, {2, "y", "a", kDay + 1}})},
          {slice_of("b", kDay, kDay + 1), make_rows({{3, "z", "b", kDay}})}});
    EXPECT_THAT(rows(), ElementsAre("1|x", "2|y", "3|z"));
    EXPECT_THAT(restated(), IsEmpty());
}

TEST_P(SliceSink, ASliceThatComesAgainReplacesItsRowsAndNoOthers) {
    load({{slice_of("a", kDay, kDay + 1), make_rows({{1, "x", "a", kDay}, {2, "y", "a", kDay + 1}})},
          {slice_of("b", kDay, kDay + 1), make_rows({{3, "z", "b", kDay}})}});
    load({{slice_of("a", kDay + 1, kDay + 1), make_rows({{2, "changed", "a", kDay + 1}, {4, "new", "a", kDay + 1}})}});
    EXPECT_THAT(rows(), ElementsAre("1|x", "2|changed", "3|z", "4|new"));
    EXPECT_THAT(restated(), ElementsAre("2|y"));
}

TEST_P(SliceSink, ASliceOfNoRowsEmptiesIt) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})},
          {slice_of("b", kDay, kDay), make_rows({{3, "z", "b", kDay}})}});
    load({{slice_of("a", kDay, kDay), make_rows({})}});
    EXPECT_THAT(rows(), ElementsAre("3|z"));
    EXPECT_THAT(restated(), ElementsAre("1|x"));
}

TEST_P(SliceSink, RowsThatCameAsTheyWereAreNoRestatement) {
    const auto again = make_rows({{1, "x", "a", kDay}, {1, "x", "a", kDay}, {2, "y", "a", kDay}});
    load({{slice_of("a", kDay, kDay), again}});
    load({{slice_of("a", kDay, kDay), again}});
    EXPECT_THAT(rows(), ElementsAre("1|x", "1|x", "2|y"));
    EXPECT_THAT(restated(), IsEmpty());
    // Of rows that are alike, as many stay as came.
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}, {2, "y", "a", kDay}})}});
    EXPECT_THAT(rows(), ElementsAre("1|x", "2|y"));
    EXPECT_THAT(restated(), ElementsAre("1|x"));
}

// What was there is replaced on the way, and the load goes on.
TEST_P(SliceSink, ASliceOfATableWithRowsMayComeTwiceInOneLoad) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "old", "a", kDay}})}});
    load({{slice_of("a", kDay, kDay), make_rows({{1, "once", "a", kDay}})},
          {slice_of("a", kDay, kDay), make_rows({{1, "twice", "a", kDay}})},
          {slice_of("b", kDay, kDay), make_rows({{2, "new", "b", kDay}})}});
    EXPECT_THAT(rows(), ElementsAre("1|twice", "2|new"));
}

TEST_P(SliceSink, ASliceThatComesTwiceInOneLoadCountsTheLastTime) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})},
          {slice_of("a", kDay, kDay), make_rows({{2, "y", "a", kDay}})}});
    EXPECT_THAT(rows(), ElementsAre("2|y"));
}

TEST_P(SliceSink, AColumnMayComeInTheMiddleOfASlice) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})}});
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})},
          {slice_of("a", kDay + 1, kDay + 1), make_rows({{5, "wide", "a", kDay + 1}}, true)}});
    EXPECT_THAT(rows(), ElementsAre("1|x", "5|wide"));
    EXPECT_THAT(restated(), IsEmpty());
}

TEST_P(SliceSink, ALoadMayCommitInItsMiddle) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})},
          {slice_of("b", kDay, kDay), make_rows({{2, "y", "b", kDay}})}});
    auto sink = make();
    ASSERT_TRUE(sink->open(run()).ok());
    for (const char* account : {"a", "b", "c"}) {
        const auto rows = make_rows({{7, account, account, kDay}});
        ASSERT_TRUE(sink->begin_slice(run(), slice_of(account, kDay, kDay)).ok());
        ASSERT_TRUE(sink->prepare(run(), rows.schema()).ok());
        const auto written = sink->write(run(), rows);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
        const auto committed = sink->commit(run(), Checkpoint(account), CommitKind::interim);
        ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    }
    sink.reset();
    EXPECT_THAT(rows(), ElementsAre("7|a", "7|b", "7|c"));
    EXPECT_THAT(restated(), ElementsAre("1|x", "2|y"));
}

TEST_P(SliceSink, WhatIsNotCommittedIsNotSeen) {
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})}});
    {
        auto sink = make();
        ASSERT_TRUE(sink->open(run()).ok());
        ASSERT_TRUE(sink->begin_slice(run(), slice_of("a", kDay, kDay)).ok());
        const auto other = make_rows({{9, "lost", "a", kDay}});
        ASSERT_TRUE(sink->prepare(run(), other.schema()).ok());
        ASSERT_TRUE(sink->write(run(), other).ok());
    }
    EXPECT_THAT(rows(), ElementsAre("1|x"));
    EXPECT_THAT(restated(), IsEmpty());
}

TEST_P(SliceSink, RestatementsAreForgottenInTime) {
    target_.restatements = std::chrono::hours(1);
    load({{slice_of("a", kDay, kDay), make_rows({{1, "x", "a", kDay}})}});
    load({{slice_of("a", kDay, kDay), make_rows({{1, "y", "a", kDay}})}});
    EXPECT_THAT(restated(), ElementsAre("1|x"));
    target_.restatements = std::chrono::milliseconds(1);  // less than a second: all of before
    load({{slice_of("a", kDay, kDay), make_rows({{1, "z", "a", kDay}})}});
    EXPECT_THAT(restated(), ElementsAre("1|y"));
}

// Files are only ever added: a slice that changes would ask for readers of the manifest.
bool has_slices(const ConnectorSpec& spec) {
    return spec.make_sink != nullptr && spec.name != "files" && spec.name != "kafka";
}
INSTANTIATE_TEST_SUITE_P(Builtin, SliceSink, testing::ValuesIn(connectors_with(has_slices)), ConnectorName());

}  // namespace
}  // namespace shaduf
