#include "connectors/files/settings.h"
#include "connectors/parts/checkpoint_parts.h"
#include "tests/connectors/files_world.h"
#include "tests/connectors/flaky_store.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Fault = FlakyStore::Fault;

RecordBatch ids(const std::vector<int64_t>& values, TypeKind type = TypeKind::int64, const std::string& name = "id") {
    RecordBatchBuilder builder(std::make_shared<const Schema>(std::vector<Field>{{name, type}}));
    for (const int64_t value : values) {
        if (type == TypeKind::int64) builder.column(0).append_int64(value);
        if (type == TypeKind::string) builder.column(0).append_text(std::to_string(value));
        builder.end_row();
    }
    return builder.finish();
}

// Writers of one table on one local store, through lines that may fail.
class FilesSharedTest : public FilesTest {
protected:
    TableTarget target(const std::string& more = "") const {
        TableTarget shared = target_of("{format: ndjson" + more + "}");
        shared.shared = true;
        return shared;
    }
    std::unique_ptr<Sink> open_shared(SinkState* state = nullptr, const std::string& more = "") {
        auto flaky = std::make_unique<FlakyStore>(*store, [this](const std::string& operation, const std::string& key) {
            return fault ? fault(operation, key) : Fault::none;
        });
        flaky->after_told_taken = [this] {
            if (const auto then = std::exchange(after_put, nullptr)) then();
        };
        auto sink = files::make_sink_in(std::move(flaky), target(more)).release_value();
        auto opened = sink->open(run());
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        if (state != nullptr && opened.ok()) *state = opened.value();
        return sink;
    }
    void put_rows(Sink& sink, const RecordBatch& rows) {
        ASSERT_TRUE(sink.prepare(run(), rows.schema()).ok());
        const auto written = sink.write(run(), rows);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
    }
    Result<void> try_commit(Sink& sink, const std::string& part, int64_t at) {
        const Checkpoint read = to_checkpoint({{part, {std::to_string(at)}}});
        return sink.commit(run(), read, CommitKind::interim);
    }
    void commit_part(Sink& sink, const std::string& part, int64_t at) {
        const auto done = try_commit(sink, part, at);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    // "a:1 b:2"
    std::string parts() {
        std::string text;
        for (const auto& [name, part] : parse_parts(state_of().checkpoints.at("p/s")).release_value()) {
            text += (text.empty() ? "" : " ") + name + ":" + part.at;
        }
        return text;
    }
    int64_t parts_before() {
        const auto state = state_of();
        const auto found = state.checkpoints.find("p/s");
        if (found == state.checkpoints.end()) return 0;
        return std::stoll(parse_parts(found->second).release_value().at("a").at);
    }
    Timestamp modified_of(const std::string& key) { return store->head(run(), key).release_value()->modified; }
    // Data files that are there, whoever names them.
    size_t data_files() const {
        const auto files = files_below("t");
        return static_cast<size_t>(std::count_if(
            files.begin(), files.end(), [](const auto& name) { return name.find("/_shaduf/") == std::string::npos; }));
    }

    std::unique_ptr<ObjectStore> store = open_object_store({.url = folder.path().string()}).release_value();
    FlakyStore::Faults fault;
    std::function<void()> after_put;  // what another does behind the next version that is told as taken, once
};

TEST_F(FilesSharedTest, TwoWritersCommitTheirPartsInTurn) {
    auto first = open_shared();
    auto second = open_shared();
    put_rows(*first, ids({1}));
    put_rows(*second, ids({2}));
    commit_part(*first, "a", 10);
    commit_part(*second, "b", 20);  // finds the version taken
    put_rows(*first, ids({3}));
    commit_part(*first, "a", 11);
    EXPECT_EQ(parts(), "a:11 b:20");
    EXPECT_THAT(texts_of_table(), UnorderedElementsAre("{\"id\":1}\n", "{\"id\":2}\n", "{\"id\":3}\n"));
    EXPECT_EQ(state_of().version, 3U);
    // For people: from where to where it was read.
    EXPECT_THAT(
        read("t/_shaduf/manifest/00000000000000000003.json"),
        testing::AllOf(HasSubstr("\"part\": \"a\""), HasSubstr("\"from\": \"10\""), HasSubstr("\"to\": \"11\"")));
    SinkState state;
    open_shared(&state);
    EXPECT_EQ(state.checkpoint, to_checkpoint({{"a", {"11"}}, {"b", {"20"}}}));
}

TEST_F(FilesSharedTest, WhoReadsWhatAnotherHasReadLosesItsCommitAndItsFiles) {
    auto zombie = open_shared();
    put_rows(*zombie, ids({1}));
    commit_part(*zombie, "a", 10);
    auto owner = open_shared();
    put_rows(*owner, ids({2}));
    commit_part(*owner, "a", 20);
    put_rows(*zombie, ids({2}));
    RecordBatchBuilder rejected(quarantine_schema());
    ASSERT_TRUE(zombie->quarantine(run(), rejected.finish()).ok());
    const auto lost = try_commit(*zombie, "a", 15);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(lost.error().message(), HasSubstr("part a stands at 20, not at 10"));
    EXPECT_EQ(parts(), "a:20");
    EXPECT_EQ(data_files(), 2U);
    EXPECT_THAT(files_below("t/_shaduf/quarantine"), IsEmpty());
}

// A process that has not noticed that its part is another's by now, and commits others meanwhile, must not take the
// other's progress for its own.
TEST_F(FilesSharedTest, ACommitOfOtherPartsDoesNotMakeAZombieCurrent) {
    auto zombie = open_shared();
    put_rows(*zombie, ids({1}));
    commit_part(*zombie, "a", 10);
    auto owner = open_shared();
    put_rows(*owner, ids({2}));
    commit_part(*owner, "a", 20);
    put_rows(*zombie, ids({3}));
    const Checkpoint both = to_checkpoint({{"a", {"10"}}, {"b", {"5"}}});
    ASSERT_TRUE(zombie->commit(run(), both, CommitKind::interim).ok());
    EXPECT_EQ(parts(), "a:20 b:5");
    put_rows(*zombie, ids({2}));
    EXPECT_FALSE(try_commit(*zombie, "a", 12).ok());
    EXPECT_EQ(parts(), "a:20 b:5");
}

TEST_F(FilesSharedTest, RefreshTellsWhereAllStand) {
    auto first = open_shared();
    auto second = open_shared();
    commit_part(*second, "b", 5);
    const auto stands = first->refresh(run());
    ASSERT_TRUE(stands.ok());
    EXPECT_EQ(stands.value(), to_checkpoint({{"b", {"5"}}}));
    commit_part(*first, "b", 6);  // it has been given to this one
    EXPECT_FALSE(try_commit(*second, "b", 7).ok());
    EXPECT_EQ(parts(), "b:6");
}

TEST_F(FilesSharedTest, SchemasOfBothAreKept) {
    auto first = open_shared();
    auto second = open_shared();
    put_rows(*first, ids({1}));
    put_rows(*second, ids({2}, TypeKind::string));
    commit_part(*first, "a", 1);
    commit_part(*second, "b", 1);
    EXPECT_EQ(state_of().schema->to_string(), "id: string");
    put_rows(*first, ids({3}, TypeKind::int64, "other"));
    commit_part(*first, "a", 2);
    EXPECT_EQ(state_of().schema->to_string(), "id: string, other: int64");
}

// The next run reads from the manifest what became of the commit; until then nobody removes what it may name.
TEST_F(FilesSharedTest, ACommitWhoseAnswerIsLostKeepsItsFiles) {
    for (const Fault what : {Fault::refused, Fault::answer_lost}) {
        SCOPED_TRACE(static_cast<int>(what));
        auto sink = open_shared();
        const auto before = parts_before();
        const size_t files = data_files();
        put_rows(*sink, ids({before + 1}));
        fault = [&](const std::string& operation, const std::string&) {
            return operation == "put_if_absent" ? what : Fault::none;
        };
        const auto committed = try_commit(*sink, "a", before + 1);
        ASSERT_FALSE(committed.ok());
        EXPECT_EQ(committed.error().kind(), ErrorKind::unavailable);
        fault = nullptr;
        EXPECT_EQ(data_files(), files + 1);
        EXPECT_EQ(parts_before(), what == Fault::answer_lost ? before + 1 : before);
    }
}

// Even when another has read on from there already, by when the writer looks what came of its version.
TEST_F(FilesSharedTest, FilesOfACommitThatWasToldAsAnothersStay) {
    auto sink = open_shared();
    put_rows(*sink, ids({1}));
    bool has_lied = false;
    fault = [&](const std::string& operation, const std::string&) {
        if (operation != "put_if_absent" || std::exchange(has_lied, true)) return Fault::none;
        return Fault::told_taken;
    };
    EXPECT_TRUE(try_commit(*sink, "a", 10).ok());  // finds its own
    EXPECT_THAT(texts_of_table(), UnorderedElementsAre("{\"id\":1}\n"));
    put_rows(*sink, ids({2}));
    int puts = 0;
    fault = [&](const std::string& operation, const std::string&) {
        if (operation != "put_if_absent" || ++puts > 1) return Fault::none;
        after_put = [this] {
            auto other = open_shared();
            put_rows(*other, ids({3}));
            commit_part(*other, "a", 30);
        };
        return Fault::told_taken;
    };
    EXPECT_TRUE(try_commit(*sink, "a", 20).ok());
    EXPECT_EQ(parts(), "a:30");
    EXPECT_THAT(texts_of_table(), UnorderedElementsAre("{\"id\":1}\n", "{\"id\":2}\n", "{\"id\":3}\n"));
    put_rows(*sink, ids({3}));
    EXPECT_EQ(try_commit(*sink, "a", 25).error().kind(), ErrorKind::conflict);
}

TEST_F(FilesSharedTest, OnlyOldFilesAreSweptBesideOthers) {
    const std::string orphan = "t/20260101T000000Z-aaaaaa00000000-1.ndjson";
    auto at_work = open_shared();
    put(orphan, "{\"id\":9}\n");
    // Files are of real time.
    world.clock.advance(modified_of(orphan) - world.clock.now() + std::chrono::minutes(59));
    open_shared();
    EXPECT_TRUE(exists(orphan));
    world.clock.advance(std::chrono::minutes(2));
    auto sweeper = open_shared();
    EXPECT_FALSE(exists(orphan));
    put_rows(*at_work, ids({1}));
    commit_part(*at_work, "a", 1);
    EXPECT_THAT(texts_of_table(), ElementsAre("{\"id\":1}\n"));
}

// A file that grew old before its commit: whoever sweeps it says so, and the writer begins again.
TEST_F(FilesSharedTest, AWriterWhoseFileWasSweptLosesItsCommit) {
    auto slow = open_shared();
    put_rows(*slow, ids({1}));
    ASSERT_TRUE(slow->prepare(run(), ids({1}).schema()).ok());  // ends the file
    ASSERT_EQ(data_files(), 1U);
    world.clock.advance(std::chrono::hours(24 * 3650));
    open_shared();
    EXPECT_EQ(data_files(), 0U);
    const auto lost = try_commit(*slow, "a", 1);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(lost.error().message(), HasSubstr("raise sweep_after"));
    EXPECT_THAT(state_of().files, IsEmpty());
}

// One that commits in time sweeps now and then, and leaves its own.
TEST_F(FilesSharedTest, AWriterSweepsNowAndThen) {
    auto sink = open_shared();
    const std::string orphan = "t/20260101T000000Z-aaaaaa00000000-1.ndjson";
    put(orphan, "{\"id\":9}\n");
    commit_part(*sink, "a", 1);
    EXPECT_TRUE(exists(orphan));
    world.clock.advance(std::chrono::hours(24 * 3650));
    put_rows(*sink, ids({1}));
    commit_part(*sink, "a", 2);
    EXPECT_FALSE(exists(orphan));
    put_rows(*sink, ids({2}));
    commit_part(*sink, "a", 3);
    EXPECT_EQ(state_of().files.size(), 2U);
}

TEST_F(FilesSharedTest, AnUnsharedRunStopsThoseWhoseFilesItTakes) {
    auto shared = open_shared();
    put_rows(*shared, ids({1}));
    ASSERT_TRUE(shared->prepare(run(), ids({1}).schema()).ok());
    auto alone = open_sink(target_of("{format: ndjson}"));
    const auto lost = try_commit(*shared, "a", 1);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(data_files(), 0U);
}

TEST_F(FilesSharedTest, TablesThatAreReplacedAreNotShared) {
    TableTarget replaced = target_of("{}", WriteMode::replace);
    replaced.shared = true;
    const auto made = connector_files.make_sink(connection(), replaced);
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message(), HasSubstr("set write: append"));
}

}  // namespace
}  // namespace shaduf
