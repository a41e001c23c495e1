#include "connectors/files/manifest.h"

#include "tests/connectors/files_world.h"
#include "tests/connectors/memory_store.h"

namespace shaduf {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kName = "20260102T030405Z-abcdef01234567-1";

std::string manifest_key(uint64_t version, const std::string& table = "t") {
    const std::string digits = std::to_string(version);
    return table + "/_shaduf/manifest/" + std::string(20 - digits.size(), '0') + digits + ".json";
}

std::vector<std::string> print(const std::map<std::string, DataFile>& files) {
    std::vector<std::string> lines;
    for (const auto& [key, file] : files) {
        lines.push_back(key + " " + file.key + " " + std::to_string(file.rows) + " " + std::to_string(file.bytes));
    }
    return lines;
}

void expect_same(const TableState& a, const TableState& b) {
    EXPECT_EQ(a.version, b.version);
    EXPECT_EQ(a.schema, b.schema);
    EXPECT_EQ(print(a.files), print(b.files));
    EXPECT_EQ(print(a.staged), print(b.staged));
    EXPECT_EQ(print(a.quarantine), print(b.quarantine));
    EXPECT_EQ(a.checkpoints, b.checkpoints);
    EXPECT_EQ(a.staged_checkpoints, b.staged_checkpoints);
    EXPECT_EQ(a.committed_at, b.committed_at);
}

class ManifestTest : public testing::Test {
protected:
    RunContext& run() { return world.run; }
    // The state with one file more.
    static TableState with_file(TableState state, const std::string& key) {
        state.files[key] = {key, 3, 100};
        return state;
    }
    void commit(ManifestLog& to, const TableState& next) {
        auto committed = to.commit(run(), next, "run");
        ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    }
    void put(const std::string& key) { store.objects[key] = "x"; }

    World world;
    MemoryStore store;
    ManifestLog log{store, "t"};
};

TEST_F(ManifestTest, CommitsAreWhatOthersRead) {
    ASSERT_TRUE(log.refresh(run()).ok());
    EXPECT_EQ(log.state().version, 0U);
    TableState first = with_file({}, "t/a.parquet");
    first.schema = Schema({{"id", TypeKind::int64}, {"price", DataType::parse("decimal(38,2)").value()}});
    first.staged["t/b.parquet"] = {"t/b.parquet", 1, 2};
    first.quarantine["t/_shaduf/quarantine/q.ndjson"] = {"t/_shaduf/quarantine/q.ndjson", 4, 5};
    first.checkpoints["p/s"] = Checkpoint("{\"page\": \"ü\"}");
    first.staged_checkpoints["p/r"] = Checkpoint("2");
    commit(log, first);
    ManifestLog other(store, "t");
    ASSERT_TRUE(other.refresh(run()).ok());
    expect_same(other.state(), log.state());
    EXPECT_EQ(other.state().version, 1U);
    EXPECT_EQ(other.state().checkpoints.at("p/s").value(), "{\"page\": \"ü\"}");
    EXPECT_EQ(other.state().schema->fields()[1].type.to_string(), "decimal(38,2)");

    TableState second = other.state();
    second.files.clear();
    second.files["t/c.parquet"] = {"t/c.parquet", 8, 9};
    second.staged.clear();
    second.checkpoints.clear();
    second.schema.reset();
    commit(other, second);
    ASSERT_TRUE(log.refresh(run()).ok());
    expect_same(log.state(), other.state());
    EXPECT_THAT(print(log.state().files), ElementsAre("t/c.parquet t/c.parquet 8 9"));
    EXPECT_THAT(log.state().checkpoints, IsEmpty());
    EXPECT_THAT(store.keys(), ElementsAre(manifest_key(1), manifest_key(2)));
}

TEST_F(ManifestTest, OfTwoWritersOneWins) {
    commit(log, with_file({}, "t/a"));
    ManifestLog other(store, "t");
    ASSERT_TRUE(other.refresh(run()).ok());
    commit(log, with_file(log.state(), "t/b"));
    auto lost = other.commit(run(), with_file(other.state(), "t/c"), "run");
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(lost.error().message(),
              "another writer has changed the table: memory:" + manifest_key(2) + " is there already; run again");
    EXPECT_EQ(other.state().version, 1U);
    ASSERT_TRUE(other.refresh(run()).ok());
    commit(other, with_file(other.state(), "t/c"));
    EXPECT_THAT(print(other.state().files), ElementsAre("t/a t/a 3 100", "t/b t/b 3 100", "t/c t/c 3 100"));
}

TEST_F(ManifestTest, SnapshotsStandForAllBefore) {
    for (int i = 0; i < 70; ++i) {
        TableState next = with_file(log.state(), "t/" + std::to_string(i));
        if (i % 3 == 0) next.files.erase("t/" + std::to_string(i / 2));
        next.staged = {{"t/s" + std::to_string(i), {"t/s" + std::to_string(i), i, 1}}};
        next.quarantine["t/q" + std::to_string(i)] = {"t/q" + std::to_string(i), i, 1};
        next.checkpoints["p/s"] = Checkpoint(std::to_string(i));
        commit(log, next);
    }
    ManifestLog whole(store, "t");
    ASSERT_TRUE(whole.refresh(run()).ok());
    expect_same(whole.state(), log.state());

    for (uint64_t version = 1; version < 64; ++version) store.objects.erase(manifest_key(version));
    ManifestLog from_snapshot(store, "t");
    auto refreshed = from_snapshot.refresh(run());
    ASSERT_TRUE(refreshed.ok()) << refreshed.error().to_string();
    expect_same(from_snapshot.state(), log.state());

    store.objects.erase(manifest_key(66));
    ManifestLog with_hole(store, "t");
    refreshed = with_hole.refresh(run());
    ASSERT_FALSE(refreshed.ok());
    EXPECT_EQ(refreshed.error().kind(), ErrorKind::bad_data);
    EXPECT_EQ(refreshed.error().message(),
              "manifest is missing before memory:" + manifest_key(67) + ": version 66; restore it");
}

TEST_F(ManifestTest, ALogThatLagsBehindCatchesUp) {
    ManifestLog late(store, "t");
    for (int i = 0; i < 40; ++i) {
        commit(log, with_file(log.state(), "t/" + std::to_string(i)));
        if (i == 20) {
            ASSERT_TRUE(late.refresh(run()).ok());
        }
    }
    EXPECT_EQ(late.state().version, 21U);
    ASSERT_TRUE(late.refresh(run()).ok());
    expect_same(late.state(), log.state());
    EXPECT_EQ(late.state().files.size(), 40U);
}

TEST_F(ManifestTest, WhatIsBrokenIsToldByName) {
    commit(log, with_file({}, "t/a"));
    commit(log, with_file(log.state(), "t/b"));
    const std::string good = store.objects[manifest_key(2)];
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return at == std::string::npos ? text : text.replace(at, from.size(), to);
    };
    struct Case {
        std::string text;
        ErrorKind kind;
        std::string message;
    };
    const Case cases[] = {
        {"", ErrorKind::bad_data, "manifest is broken"},
        {good.substr(0, good.size() / 2), ErrorKind::bad_data, "manifest is broken"},
        {"[]", ErrorKind::bad_data, "manifest is broken"},
        {std::string(100, '\0'), ErrorKind::bad_data, "manifest is broken"},
        {changed("\"checkpoints\"", "\"x\""), ErrorKind::bad_data, "manifest is broken"},
        {changed("\"rows\": 3", "\"rows\": \"3\""), ErrorKind::bad_data, "manifest is broken"},
        {changed("\"schema\": null", "\"schema\": [1]"), ErrorKind::bad_data, "manifest is broken"},
        {changed("\"version\": 2", "\"version\": 3"), ErrorKind::bad_data, "manifest is missing before"},
        {changed("\"format\": 1", "\"format\": 2"), ErrorKind::invalid_config,
         "manifest was written by a newer shaduf"},
        {R"({"format": 99})", ErrorKind::invalid_config, "has format 99, this program knows 1; upgrade shaduf"}};
    for (const auto& [text, kind, message] : cases) {
        SCOPED_TRACE(text);
        store.objects[manifest_key(2)] = text;
        ManifestLog reader(store, "t");
        auto refreshed = reader.refresh(run());
        ASSERT_FALSE(refreshed.ok());
        EXPECT_EQ(refreshed.error().kind(), kind);
        EXPECT_THAT(refreshed.error().message(), HasSubstr(message));
        EXPECT_THAT(refreshed.error().message(), HasSubstr("memory:" + manifest_key(2)));
        // Once it is mended, the same log goes on.
        store.objects[manifest_key(2)] = good;
        ASSERT_TRUE(reader.refresh(run()).ok());
        expect_same(reader.state(), log.state());
    }
}

TEST_F(ManifestTest, SweepTakesWhatNoManifestNames) {
    const std::string orphan = "t/day=1/" + std::string(kName) + ".parquet";
    const std::string orphan_rows = "t/_shaduf/quarantine/" + std::string(kName) + ".ndjson";
    TableState state = with_file({}, "t/20260102T030405Z-aa-1.parquet");
    state.staged["t/20260102T030405Z-aa-2.parquet"] = {"t/20260102T030405Z-aa-2.parquet", 1, 1};
    state.quarantine["t/_shaduf/quarantine/20260102T030405Z-aa-3.ndjson"] = {};
    commit(log, state);
    for (const auto* files : {&state.files, &state.staged, &state.quarantine}) {
        for (const auto& [key, file] : *files) put(key);
    }
    const std::vector<std::string> kept = store.keys();
    put(orphan);
    put(orphan_rows);
    put("t2/" + std::string(kName) + ".parquet");
    ManifestLog at_work(store, "t");
    ASSERT_TRUE(at_work.refresh(run()).ok());
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 2);
    EXPECT_THAT(store.keys(), Not(Contains(orphan)));
    EXPECT_THAT(store.keys(), Not(Contains(orphan_rows)));
    for (const auto& key : kept) EXPECT_THAT(store.keys(), Contains(key));
    EXPECT_THAT(store.keys(), Contains("t2/" + std::string(kName) + ".parquet"));
    // Whose files they were has lost the right to name them.
    auto lost = at_work.commit(run(), with_file(at_work.state(), orphan), "run");
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(log.state().version, 2U);
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 0);
    EXPECT_EQ(log.state().version, 2U);  // nothing to take: no version
}

TEST_F(ManifestTest, SweepLosesToAWriterWhoNamesTheFiles) {
    const std::string key = "t/" + std::string(kName) + ".parquet";
    put(key);
    ManifestLog owner(store, "t");
    store.before_put = [&](const std::string&) { commit(owner, with_file(owner.state(), key)); };
    auto swept = log.sweep(run(), "run");
    ASSERT_FALSE(swept.ok());
    EXPECT_EQ(swept.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(store.keys(), Contains(key));
}

// Tables may lie in each other (schema `t`, table `inner`), and people put files of their own beside data.
TEST_F(ManifestTest, SweepLeavesWhatIsNotOfThisTable) {
    const std::vector<std::string> foreign = {"t/inner/_shaduf/manifest/00000000000000000001.json",
                                              "t/inner/" + std::string(kName) + ".parquet",
                                              "t/inner/day=1/" + std::string(kName) + ".parquet",
                                              "t/README.md",
                                              "t/_SUCCESS",
                                              "t/_shaduf/notes.txt",
                                              "t/day=1/by_hand.parquet"};
    for (const auto& key : foreign) put(key);
    const std::vector<std::string> before = store.keys();
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 0);
    EXPECT_EQ(store.keys(), before);
}

// Uploads of processes that died cost money until somebody throws them away.
TEST_F(ManifestTest, SweepTakesOldUnfinishedUploads) {
    using std::chrono::hours;
    const Timestamp now = world.clock.now();
    const MemoryStore::Upload old{"t/x.parquet", now - hours(25)};
    const MemoryStore::Upload recent{"t/y.parquet", now - hours(1)};
    const MemoryStore::Upload elsewhere{"t2/x.parquet", now - hours(25)};
    store.unfinished = {old, recent, elsewhere};
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 0);
    EXPECT_THAT(store.unfinished, ElementsAre(recent, elsewhere));  // `recent` may be of a writer at work
    EXPECT_EQ(log.state().version, 0U);
    // A version that takes a writer's files takes its uploads, too: it cannot commit any more.
    put("t/" + std::string(kName) + ".parquet");
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 1);
    EXPECT_THAT(store.unfinished, ElementsAre(elsewhere));
}

TEST_F(ManifestTest, SweepLeavesUploadsOfATableInside) {
    const MemoryStore::Upload inside{"t/inner/x.parquet", world.clock.now() - std::chrono::hours(1)};
    store.unfinished = {inside};
    put("t/" + std::string(kName) + ".parquet");
    put(manifest_key(1, "t/inner"));
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 1);
    EXPECT_THAT(store.unfinished, ElementsAre(inside));
}

TEST_F(ManifestTest, AServerThatCannotListUploadsHindersNobody) {
    store.remove_unfinished_fails = Error(ErrorKind::auth, "AccessDenied");
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 0);
    EXPECT_THAT(world.events.messages(), ElementsAre(HasSubstr("AccessDenied")));
    world.cancellation.cancel();
    auto canceled = log.sweep(run(), "run");
    ASSERT_FALSE(canceled.ok());
    EXPECT_EQ(canceled.error().kind(), ErrorKind::canceled);
}

// A table that is written for months: what is opened is the newest part of it, and what is new is asked for by name.
TEST_F(ManifestTest, ManyVersionsAreNotListed) {
    commit(log, with_file({}, "t/a"));
    for (int i = 2; i <= 3210; ++i) commit(log, with_file(log.state(), "t/" + std::to_string(i % 7)));
    store.full_pages = 0;
    ManifestLog late(store, "t");
    ASSERT_TRUE(late.refresh(run()).ok());
    expect_same(late.state(), log.state());
    EXPECT_EQ(store.full_pages, 1);
    commit(log, with_file(log.state(), "t/b"));
    ASSERT_TRUE(late.refresh(run()).ok());
    expect_same(late.state(), log.state());
    EXPECT_EQ(store.full_pages, 1);
}

TEST_F(ManifestTest, WhatOnlySomeTablesHaveIsKeptToo) {
    const Timestamp until = world.clock.now() + std::chrono::hours(1);
    for (int i = 0; i < 40; ++i) {
        TableState next = log.state();
        next.retired["t/" + std::to_string(i)] = until;
        next.retired.erase("t/" + std::to_string(i - 3));
        next.claims["orders/" + std::to_string(i % 3)] = "load" + std::to_string(i);
        next.markers_due = {{"t/d=" + std::to_string(i), static_cast<uint64_t>(i)}};
        next.closed_until = until + std::chrono::seconds(i);
        const auto kind = i % 5 == 0 ? VersionKind::changes : VersionKind::joins;
        ASSERT_TRUE(log.commit(run(), next, VersionNote{"run", kind, {"swept" + std::to_string(i)}}).ok());
        ManifestLog other(store, "t");
        ASSERT_TRUE(other.refresh(run()).ok());
        EXPECT_EQ(other.state().retired, log.state().retired);
        EXPECT_EQ(other.state().claims, log.state().claims);
        EXPECT_EQ(other.state().markers_due, log.state().markers_due);
        EXPECT_EQ(other.state().closed_until, log.state().closed_until);
        EXPECT_EQ(other.is_swept("swept" + std::to_string(i)), true);
        EXPECT_EQ(log.changed_at(), static_cast<uint64_t>(i / 5 * 5 + 1));
    }
    EXPECT_FALSE(log.is_swept("swept"));
}

TEST_F(ManifestTest, RetiredFilesGoWhenTheirTimeHasCome) {
    TableState state = with_file({}, "t/" + std::string(kName) + ".parquet");
    const std::string retired = "t/20260102T030405Z-aa-2.parquet";
    state.retired[retired] = world.clock.now() + std::chrono::hours(1);
    commit(log, state);
    put(retired);
    put("t/" + std::string(kName) + ".parquet");
    EXPECT_EQ(log.sweep(run(), "run").release_value(), 0);
    EXPECT_THAT(store.keys(), Contains(retired));
    world.clock.advance(std::chrono::hours(1));
    EXPECT_EQ(log.sweep_older(run(), "run", std::chrono::hours(1)).release_value(), 0);
    EXPECT_THAT(store.keys(), Not(Contains(retired)));
    EXPECT_THAT(store.keys(), Contains("t/" + std::string(kName) + ".parquet"));
    EXPECT_THAT(log.state().retired, IsEmpty());
}

TEST(LoadOfFile, IsWhatNamesBeginWith) {
    const std::pair<const char*, const char*> cases[] = {
        {"t/d=1/20260102T030405Z-abcdef01234567-12.parquet", "20260102T030405Z-abcdef01234567"},
        {"20260102T030405Z-abcdef01234567-12-7.ndjson", "20260102T030405Z-abcdef01234567"},
        {"t/orders+1+0000000012.parquet", ""},
        {"t/_SUCCESS", ""}};
    for (const auto& [key, load] : cases) EXPECT_EQ(load_of_file(key), load) << key;
}

}  // namespace
}  // namespace shaduf
