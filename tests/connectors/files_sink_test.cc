#include "tests/connectors/files_world.h"

namespace shaduf {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const SchemaPtr& schema() {
    static const SchemaPtr schema =
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"site", TypeKind::string}});
    return schema;
}

RecordBatch make_rows(const std::vector<std::pair<int64_t, std::string>>& rows) {
    RecordBatchBuilder builder(schema());
    for (const auto& [id, site] : rows) {
        builder.column(0).append_int64(id);
        builder.column(1).append_text(site);
        builder.end_row();
    }
    return builder.finish();
}

class FilesSinkTest : public FilesTest {
protected:
    // "id" of each row of all files, in the order of ids, read by the engine.
    std::vector<std::string> parquet_rows(const std::string& pattern) {
        auto connection = databases.open_in_memory({}).value()->connect(world.cancellation).release_value();
        auto found = connection->query("SELECT id || '|' || site FROM read_parquet(" + quote_literal(folder / pattern) +
                                       ", hive_partitioning = true) ORDER BY id");
        if (!found.ok()) return {found.error().to_string()};
        std::vector<std::string> rows;
        for (const auto& batch : found.value()) {
            for (size_t row = 0; row < batch.rows(); ++row) rows.emplace_back(batch.column(0).text_at(row));
        }
        return rows;
    }
};

TEST_F(FilesSinkTest, WritesPartitionsWithoutTheirColumn) {
    auto sink = open_sink(target_of("{format: csv, partition_by: [site]}"));
    write(*sink, make_rows({{1, "a/b"}, {2, "c"}, {3, "a/b"}}));
    EXPECT_THAT(state_of().files, IsEmpty());  // until it is committed
    commit(*sink, "1");
    const auto state = state_of();
    ASSERT_EQ(state.files.size(), 2U);
    const auto& first = *state.files.begin();
    EXPECT_THAT(first.first, AllOf(StartsWith("t/site=a%2Fb/"), HasSubstr(".csv")));
    EXPECT_EQ(read(first.first), "id\n1\n3\n");
    EXPECT_EQ(first.second.rows, 2);
    EXPECT_EQ(first.second.bytes, 7);
    EXPECT_EQ(read(state.files.rbegin()->first), "id\n2\n");
    EXPECT_EQ(state.schema->size(), 2U);
    EXPECT_EQ(state.checkpoints.at("p/s").value(), "1");
    auto other = open_sink(target_of("{partition_by: [id, site]}"));
    auto prepared = other->prepare(run(), schema());
    ASSERT_FALSE(prepared.ok());
    EXPECT_THAT(prepared.error().message(), HasSubstr("every column is one to partition by"));
}

TEST_F(FilesSinkTest, FilesEndAtTheirSize) {
    for (const std::string format : {"ndjson", "parquet"}) {
        SCOPED_TRACE(format);
        auto target = target_of("{file_size: 100KB, format: " + format + "}");
        target.table = format;
        auto sink = open_sink(target);
        std::vector<std::string> expected;
        for (int64_t batch = 0; batch < 30; ++batch) {
            std::vector<std::pair<int64_t, std::string>> rows;
            for (int64_t i = 0; i < 20; ++i) {
                // Texts that do not compress.
                std::string text;
                for (int j = 0; j < 16; ++j) {
                    text += std::to_string(std::hash<std::string>()(std::to_string(batch * 1000 + i * 20 + j)));
                }
                rows.emplace_back(1000 + batch * 20 + i, text);
                expected.push_back(std::to_string(rows.back().first) + "|" + text);
            }
            write(*sink, make_rows(rows));
        }
        commit(*sink, "1");
        const auto files = state_of(format).files;
        EXPECT_GE(files.size(), 2U);
        int64_t rows = 0;
        for (const auto& [key, file] : files) {
            EXPECT_LT(file.bytes, 150'000) << key;
            EXPECT_EQ(file.bytes, static_cast<int64_t>(read(key).size()));
            rows += file.rows;
        }
        EXPECT_EQ(rows, 600);
        if (format == "parquet") {
            EXPECT_EQ(parquet_rows("parquet/*.parquet"), expected);
        }
    }
}

// With hardly any memory, files of many partitions are ended early; nothing is lost, and nothing is written twice.
TEST_F(FilesSinkTest, StaysInItsMemory) {
    auto target = target_of("{partition_by: [site]}");
    target.memory_bytes = 1;
    auto sink = open_sink(target);
    std::vector<std::string> expected;
    for (int64_t batch = 0; batch < 3; ++batch) {
        std::vector<std::pair<int64_t, std::string>> rows;
        for (int64_t i = 0; i < 50; ++i) {
            rows.emplace_back(100 + batch * 50 + i, "site" + std::to_string(i));
            expected.push_back(std::to_string(rows.back().first) + "|" + rows.back().second);
        }
        write(*sink, make_rows(rows));
        EXPECT_EQ(files_below("t/site=site7").size(), static_cast<size_t>(batch) + 1);  // ended, not open
    }
    EXPECT_THAT(state_of().files, IsEmpty());
    commit(*sink, "1");
    EXPECT_EQ(state_of().files.size(), 150U);
    EXPECT_EQ(parquet_rows("t/*/*.parquet"), expected);
}

TEST_F(FilesSinkTest, WithEnoughMemoryAPartitionIsOneFile) {
    auto sink = open_sink(target_of("{partition_by: [site]}"));
    for (int64_t batch = 0; batch < 3; ++batch) write(*sink, make_rows({{batch, "a"}, {10 + batch, "b"}}));
    commit(*sink, "1");
    EXPECT_EQ(state_of().files.size(), 2U);
    EXPECT_THAT(parquet_rows("t/*/*.parquet"), ElementsAre("0|a", "1|a", "2|a", "10|b", "11|b", "12|b"));
}

TEST_F(FilesSinkTest, WhatWasNotCommittedIsSwept) {
    const auto target = target_of("{format: csv}");
    auto sink = open_sink(target);
    write(*sink, make_rows({{1, "a"}}));
    commit(*sink, "1");
    write(*sink, make_rows({{2, "b"}}));
    auto failing = sink->prepare(run(), schema());  // ends the file, which nobody names
    ASSERT_TRUE(failing.ok());
    sink.reset();
    EXPECT_EQ(files_below("t").size(), 3U);  // two files and a manifest
    SinkState state;
    open_sink(target, &state);
    EXPECT_EQ(state.checkpoint, Checkpoint("1"));
    EXPECT_EQ(state.table->size(), 2U);
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n1,a\n"));
    EXPECT_EQ(files_below("t").size(), 3U);  // a file and two manifests
}

TEST_F(FilesSinkTest, OfTwoSinksTheSecondToCommitLosesAndLeavesNothing) {
    const auto target = target_of("{format: csv}");
    auto slow = open_sink(target);
    auto quick = open_sink(target);
    write(*slow, make_rows({{1, "slow"}}));
    write(*quick, make_rows({{2, "quick"}}));
    commit(*quick, "q");
    auto lost = slow->commit(run(), Checkpoint("s"), CommitKind::final);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    slow.reset();
    SinkState state;
    open_sink(target, &state);
    EXPECT_EQ(state.checkpoint, Checkpoint("q"));
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n2,quick\n"));
}

class FilesReplaceTest : public FilesSinkTest {
protected:
    TableTarget target() const { return target_of("{format: csv}", WriteMode::replace); }
    void load(int64_t id, const char* checkpoint, CommitKind kind) {
        auto sink = open_sink(target());
        write(*sink, make_rows({{id, "x"}}));
        commit(*sink, checkpoint, kind);
    }
};

TEST_F(FilesReplaceTest, TheNewTableTakesThePlaceOfTheOldAtTheEnd) {
    load(1, nullptr, CommitKind::final);
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n1,x\n"));
    const auto old_files = state_of().files;
    auto sink = open_sink(target());
    write(*sink, make_rows({{2, "x"}}));
    commit(*sink, "half");
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n1,x\n"));
    write(*sink, make_rows({{3, "x"}}));
    commit(*sink, nullptr, CommitKind::final);
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n2,x\n", "id,site\n3,x\n"));
    EXPECT_THAT(state_of().staged, IsEmpty());
    EXPECT_THAT(state_of().staged_checkpoints, IsEmpty());
    for (const auto& [key, file] : old_files) EXPECT_FALSE(exists(key)) << key;
}

TEST_F(FilesReplaceTest, ALoadThatWasCutOffGoesOn) {
    load(1, nullptr, CommitKind::final);
    load(2, "half", CommitKind::interim);
    SinkState state;
    auto sink = open_sink(target(), &state);
    EXPECT_EQ(state.checkpoint, Checkpoint("half"));
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n1,x\n"));
    write(*sink, make_rows({{3, "x"}}));
    commit(*sink, nullptr, CommitKind::final);
    EXPECT_EQ(texts_of_table().size(), 2U);
    EXPECT_THAT(texts_of_table(), testing::UnorderedElementsAre("id,site\n2,x\n", "id,site\n3,x\n"));
}

// What an earlier load staged without a checkpoint behind it must not come back.
TEST_F(FilesReplaceTest, ALoadWithoutCheckpointBeginsAnew) {
    load(1, nullptr, CommitKind::final);
    load(2, nullptr, CommitKind::interim);
    EXPECT_EQ(state_of().staged.size(), 1U);
    load(3, nullptr, CommitKind::final);
    EXPECT_THAT(texts_of_table(), ElementsAre("id,site\n3,x\n"));
    EXPECT_EQ(files_below("t").size(), 4U);  // a file and three manifests
}

TEST_F(FilesReplaceTest, AnEmptyLoadEmptiesTheTable) {
    load(1, nullptr, CommitKind::final);
    auto sink = open_sink(target());
    auto prepared = sink->prepare(run(), schema());
    ASSERT_TRUE(prepared.ok());
    commit(*sink, nullptr, CommitKind::final);
    EXPECT_THAT(texts_of_table(), IsEmpty());
    EXPECT_EQ(state_of().schema->size(), 2U);
}

class FilesStoreTest : public FilesTest {
protected:
    RecordBatch quarantined(const std::vector<std::string>& ids, const std::string& stream = "s") {
        RecordBatchBuilder builder(quarantine_schema());
        for (const auto& id : ids) {
            const std::string raw = "raw \"" + id + "\"\n\tend";
            const std::string texts[] = {id, "p", stream, "t", "in/a.csv:3", raw, "not JSON", "run"};
            for (size_t i = 0; i < std::size(texts); ++i) builder.column(i).append_text(texts[i]);
            builder.column(std::size(texts)).append_int64(1'700'000'000'123'456);
            builder.column(std::size(texts) + 1).append_null();
            builder.end_row();
        }
        return builder.finish();
    }
    void fill(const std::string& table, const std::vector<std::vector<std::string>>& commits) {
        auto target = target_of("");
        target.table = table;
        target.stream = table;
        auto sink = open_sink(target);
        for (const auto& ids : commits) {
            auto kept = sink->quarantine(run(), quarantined(ids, table));
            ASSERT_TRUE(kept.ok());
            commit(*sink, "c");
        }
    }
    std::vector<std::string> ids(const QuarantineFilter& filter = {}) {
        auto rows = store->quarantine()->read_quarantine(run(), filter);
        if (!rows.ok()) return {rows.error().to_string()};
        std::vector<std::string> found;
        for (size_t row = 0; row < rows.value().rows(); ++row) found.emplace_back(rows.value().column(0).text_at(row));
        std::sort(found.begin(), found.end());
        return found;
    }

    std::unique_ptr<Store> store = connector_files.make_store(connection(), "lake").release_value();
};

TEST_F(FilesStoreTest, QuarantineIsReadAsItWasWritten) {
    fill("a", {{"1", "2"}, {"3"}});
    fill("b", {{"4"}});
    EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4"));
    EXPECT_THAT(ids({.stream = "a"}), ElementsAre("1", "2", "3"));
    EXPECT_THAT(ids({.ids = {"2", "4", "none"}}), ElementsAre("2", "4"));
    EXPECT_THAT(ids({.pipeline = "other"}), IsEmpty());
    EXPECT_EQ(ids({.limit = 2}).size(), 2U);
    const auto rows = store->quarantine()->read_quarantine(run(), {.ids = {"3"}}).release_value();
    EXPECT_EQ(rows.row_as_json(0), quarantined({"3"}, "a").row_as_json(0));
}

TEST_F(FilesStoreTest, PurgeTakesOnlyWhatIsMeant) {
    fill("a", {{"1", "2", "3"}, {"4"}});
    fill("b", {{"1"}});
    const auto before = files_below("a/_shaduf/quarantine");
    EXPECT_EQ(store->quarantine()->purge_quarantine(run(), {.stream = "a", .ids = {"1", "3"}}).release_value(), 2);
    EXPECT_THAT(ids({.stream = "a"}), ElementsAre("2", "4"));
    EXPECT_THAT(ids({.stream = "b"}), ElementsAre("1"));
    EXPECT_FALSE(exists(before.front()));  // a file is never changed: what is kept is in a new one
    EXPECT_EQ(store->quarantine()->purge_quarantine(run(), {.stream = "a", .ids = {"1"}}).release_value(), 0);
    EXPECT_EQ(store->quarantine()->purge_quarantine(run(), {.stream = "a"}).release_value(), 2);
    EXPECT_THAT(ids(), ElementsAre("1"));
    EXPECT_THAT(files_below("a/_shaduf/quarantine"), IsEmpty());
    // The rows and checkpoints of the table are as they were.
    EXPECT_EQ(state_of("a").checkpoints.at("p/a").value(), "c");
}

TEST_F(FilesStoreTest, AMissingFileOfTheQuarantineIsNamed) {
    fill("a", {{"1"}});
    const auto file = files_below("a/_shaduf/quarantine").front();
    std::filesystem::remove(folder / file);
    auto rows = store->quarantine()->read_quarantine(run(), {});
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().message(), "file of the quarantine is missing: " + (folder / file));
}

TEST_F(FilesStoreTest, CheckpointsAreListedSetAndForgotten) {
    fill("a", {{"1"}});
    fill("b", {{"2"}});
    auto* checkpoints = store->checkpoints();
    const auto list = [&] {
        std::vector<std::string> lines;
        for (const auto& entry : checkpoints->list_checkpoints(run()).release_value()) {
            lines.push_back(entry.pipeline + "." + entry.stream + "=" + entry.checkpoint.value() + " " +
                            entry.committed_at);
        }
        return lines;
    };
    EXPECT_THAT(list(), ElementsAre("p.a=c 2026-01-02T03:04:05Z", "p.b=c 2026-01-02T03:04:05Z"));
    ASSERT_TRUE(checkpoints->set_checkpoint(run(), "p", "b", Checkpoint("new")).ok());
    ASSERT_TRUE(checkpoints->set_checkpoint(run(), "p", "a", std::nullopt).ok());
    EXPECT_THAT(list(), ElementsAre("p.b=new 2026-01-02T03:04:05Z"));
    EXPECT_THAT(ids(), ElementsAre("1", "2"));
    ASSERT_TRUE(checkpoints->set_checkpoint(run(), "p", "none", std::nullopt).ok());
    auto unknown = checkpoints->set_checkpoint(run(), "p", "none", Checkpoint("x"));
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().message(), "no table has a checkpoint of this stream: p.none");
}

}  // namespace
}  // namespace shaduf
