#include "connectors/files/close_markers.h"

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "connectors/files/settings.h"
#include "tests/connectors/files_world.h"
#include "tests/connectors/flaky_store.h"

namespace shaduf {
namespace {

using files::CloseMarkers;
using files::PartitionLevel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Timestamp at(const std::string& text) {
    return Timestamp(std::chrono::microseconds(parse_timestamp(text)->microseconds));
}

std::vector<PartitionLevel> levels_of(const std::vector<std::string>& texts) {
    std::vector<PartitionLevel> levels;
    for (const auto& text : texts) levels.push_back(PartitionLevel::parse(text).release_value());
    return levels;
}

const Schema& schema() {
    static const Schema schema(
        {{"id", TypeKind::int64}, {"day", TypeKind::date}, {"ts", TypeKind::timestamp_tz}, {"site", TypeKind::string}});
    return schema;
}

TEST(CloseMarkers, KnowWhenAFolderEnds) {
    struct Case {
        std::vector<std::string> levels;
        const char* key;
        const char* folder;  // nullptr: it has no time
        const char* end;
    };
    const Case cases[] = {
        {{"day"}, "t/day=2026-02-28/f.parquet", "t/day=2026-02-28", "2026-03-01T00:00:00Z"},
        {{"date(ts)", "site"}, "t/ts_date=2026-01-01/site=a/f", "t/ts_date=2026-01-01", "2026-01-02T00:00:00Z"},
        {{"site", "day(ts)"}, "t/site=a/ts_day=2026-01-01/f", "t/site=a/ts_day=2026-01-01", "2026-01-02T00:00:00Z"},
        {{"day", "hour(ts)"},
         "t/day=2026-01-01/ts_hour=2026-01-01T23/f",
         "t/day=2026-01-01/ts_hour=2026-01-01T23",
         "2026-01-02T00:00:00Z"},
        {{"month(ts)"}, "t/ts_month=2026-12/f", "t/ts_month=2026-12", "2027-01-01T00:00:00Z"},
        {{"year(ts)"}, "t/ts_year=2026/f", "t/ts_year=2026", "2027-01-01T00:00:00Z"},
        {{"day"}, "t/day=__HIVE_DEFAULT_PARTITION__/f", nullptr, nullptr},
        {{"day"}, "t/f", nullptr, nullptr},
        {{"day"}, "other/day=2026-02-28/f", nullptr, nullptr},
    };
    for (const auto& [levels, key, folder, end] : cases) {
        SCOPED_TRACE(key);
        CloseMarkers markers("_SUCCESS", std::chrono::hours(1), levels_of(levels), "t");
        ASSERT_TRUE(markers.prepare(schema()).ok());
        const auto period = markers.period_of(key);
        ASSERT_EQ(period.has_value(), folder != nullptr);
        if (!period) continue;
        EXPECT_EQ(period->folder, folder);
        EXPECT_EQ(period->end, at(end));
    }
    CloseMarkers without_time("_SUCCESS", std::chrono::hours(1), levels_of({"site"}), "t");
    const auto prepared = without_time.prepare(schema());
    ASSERT_FALSE(prepared.ok());
    EXPECT_THAT(prepared.error().message(), HasSubstr("needs folders of a time"));
}

class CloseMarkersTest : public FilesTest {
protected:
    std::unique_ptr<Sink> open_marking() {
        TableTarget target = target_of("{format: ndjson, partition_by: [day], close_marker: _SUCCESS, lateness: 1h}");
        target.shared = true;
        auto flaky = std::make_unique<FlakyStore>(*store, [this](const std::string& operation, const std::string&) {
            return operation == "put" && puts_fail ? FlakyStore::Fault::refused : FlakyStore::Fault::none;
        });
        auto sink = files::make_sink_in(std::move(flaky), target).release_value();
        EXPECT_TRUE(sink->open(run()).ok());
        return sink;
    }
    // Rows of these days, and a commit up to where all is younger than `seen`.
    Result<void> load(Sink& sink, const std::vector<std::string>& days, const std::string& seen,
                      CommitKind kind = CommitKind::interim) {
        RecordBatchBuilder builder(
            std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"day", TypeKind::date}}));
        for (const auto& day : days) {
            builder.column(0).append_int64(++rows_);
            builder.column(1).append_date(*parse_date(day));
            builder.end_row();
        }
        const RecordBatch batch = builder.finish();
        TRY(sink.prepare(run(), batch.schema()));
        TRY(sink.write(run(), batch));
        return sink.commit(run(), to_checkpoint({{"a", {std::to_string(rows_), at(seen)}}}), kind);
    }
    std::string marker(const std::string& day) {
        const auto text = read("t/day=" + day + "/_SUCCESS");
        if (text.empty()) return "";
        const auto json = nlohmann::json::parse(text);
        return json.at("rows").dump() + " rows, " + json.at("files").dump() + " files";
    }

    std::unique_ptr<ObjectStore> store = open_object_store({.url = folder.path().string()}).release_value();
    bool puts_fail = false;
    int64_t rows_ = 0;
};

TEST_F(CloseMarkersTest, AppearWhenAllIsPastTheEndAndTheLateness) {
    auto sink = open_marking();
    ASSERT_TRUE(load(*sink, {"2026-01-01", "2026-01-02", "2026-01-01"}, "2026-01-02T00:59:59Z").ok());
    EXPECT_EQ(marker("2026-01-01"), "");
    ASSERT_TRUE(load(*sink, {"2026-01-02"}, "2026-01-02T01:00:00Z").ok());
    EXPECT_EQ(marker("2026-01-01"), "2 rows, 1 files");
    EXPECT_EQ(marker("2026-01-02"), "");
    // Late rows still go to their day, and its marker is made anew.
    ASSERT_TRUE(load(*sink, {"2026-01-01"}, "2026-01-02T01:00:01Z").ok());
    EXPECT_EQ(marker("2026-01-01"), "3 rows, 2 files");
    ASSERT_TRUE(load(*sink, {"2026-01-05"}, "2026-01-03T10:00:00Z", CommitKind::final).ok());
    EXPECT_EQ(marker("2026-01-02"), "2 rows, 2 files");
    EXPECT_THAT(state_of().markers_due, IsEmpty());
}

TEST_F(CloseMarkersTest, ThatCouldNotBePutArePutBehindTheNextCommit) {
    auto sink = open_marking();
    puts_fail = true;
    EXPECT_FALSE(load(*sink, {"2026-01-01"}, "2026-01-02T02:00:00Z").ok());  // dies behind its commit
    EXPECT_EQ(marker("2026-01-01"), "");
    EXPECT_EQ(state_of().files.size(), 1U);
    puts_fail = false;
    auto other = open_marking();
    ASSERT_TRUE(load(*other, {"2026-01-02"}, "2026-01-02T02:00:00Z").ok());
    EXPECT_EQ(marker("2026-01-01"), "1 rows, 1 files");
    ASSERT_TRUE(load(*other, {"2026-01-02"}, "2026-01-02T02:00:00Z").ok());
    EXPECT_THAT(state_of().markers_due, IsEmpty());
}

TEST_F(CloseMarkersTest, NeedATime) {
    const std::pair<const char*, const char*> cases[] = {
        {"{close_marker: _SUCCESS}", "set partition_by"},
        {"{close_marker: a/b, partition_by: [day]}", "expected the name of a file"}};
    for (const auto& [options, message] : cases) {
        const auto made = connector_files.make_sink(connection(), target_of(options));
        ASSERT_FALSE(made.ok());
        EXPECT_THAT(made.error().to_string(), HasSubstr(message));
    }
}

}  // namespace
}  // namespace shaduf
