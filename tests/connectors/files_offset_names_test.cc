#include "connectors/files/offset_names.h"

#include "tests/connectors/files_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Message {
    std::string topic;
    int64_t partition;
    int64_t offset;
    std::string site;
};

RecordBatch batch_of(const std::vector<Message>& messages, const std::string& prefix = "_kafka_") {
    RecordBatchBuilder builder(
        std::make_shared<const Schema>(std::vector<Field>{{"site", TypeKind::string},
                                                          {prefix + "topic", TypeKind::string},
                                                          {prefix + "partition", TypeKind::int64},
                                                          {prefix + "offset", TypeKind::int64}}));
    for (const auto& [topic, partition, offset, site] : messages) {
        builder.column(0).append_text(site);
        builder.column(1).append_text(topic);
        builder.column(2).append_int64(partition);
        builder.column(3).append_int64(offset);
        builder.end_row();
    }
    return builder.finish();
}

TEST(OffsetNames, AreReadAsTheyAreWritten) {
    files::OffsetNames names("_kafka_");
    const RecordBatch batch = batch_of({{"a+b", 12, 7, ""}});
    ASSERT_TRUE(names.prepare(*batch.schema()).ok());
    ASSERT_TRUE(names.look_at(batch).ok());
    EXPECT_EQ(names.name_of(0, batch, 0), "a%2Bb+12+0000000007");
    EXPECT_EQ(names.part_of(0), "a+b/12");
    EXPECT_EQ(files::OffsetNames::part_of_file("t/d=1/a%2Bb+12+0000000007.parquet"), "a+b/12");
    EXPECT_EQ(files::OffsetNames::part_of_file("t/a.b+0+12345678901.ndjson"), "a.b/0");
    for (const char* other : {"t/a+1.parquet", "t/a+b+c.parquet", "t/+1+2.parquet", "t/a++2.parquet", "t/_SUCCESS",
                              "t/20260102T030405Z-ab-1.parquet"}) {
        EXPECT_FALSE(files::OffsetNames::part_of_file(other)) << other;
    }
}

class FilesByOffsetTest : public FilesTest {
protected:
    TableTarget target() const { return target_of("{format: ndjson, partition_by: [site], naming: offsets}"); }
    std::vector<std::string> data_files() const {
        auto files = files_below("t");
        std::erase_if(files, [](const auto& name) { return name.find("_shaduf") != name.npos; });
        return files;
    }
};

TEST_F(FilesByOffsetTest, AFileHasRowsOfOnePartition) {
    auto sink = open_sink(target());
    write(*sink, batch_of({{"o", 0, 5, "a"}, {"o", 0, 6, "b"}, {"o", 1, 9, "a"}, {"o", 0, 7, "a"}}));
    write(*sink, batch_of({{"o", 0, 8, "a"}}));
    commit(*sink, "1");
    write(*sink, batch_of({{"o", 0, 9, "a"}}));
    commit(*sink, "2");
    EXPECT_THAT(data_files(), ElementsAre("t/site=a/o+0+0000000005.ndjson", "t/site=a/o+0+0000000009.ndjson",
                                          "t/site=a/o+1+0000000009.ndjson", "t/site=b/o+0+0000000006.ndjson"));
    EXPECT_THAT(read("t/site=a/o+0+0000000005.ndjson"),
                testing::AllOf(HasSubstr("\"_kafka_offset\":5"), HasSubstr("\"_kafka_offset\":7"),
                               HasSubstr("\"_kafka_offset\":8")));
}

// A run that died has left a file that is longer than what will be committed, and one of another partition.
TEST_F(FilesByOffsetTest, WhatNoVersionNamesIsRemovedBeforeTheWriterBegins) {
    auto first = open_sink(target());
    write(*first, batch_of({{"o", 0, 5, "a"}}));
    commit(*first, "1");
    put("t/site=a/o+0+0000000006.ndjson", "left");
    put("t/site=b/o+0+0000000009.ndjson", "left");
    put("t/site=a/o+1+0000000006.ndjson", "of another process");
    put("t/site=a/by_hand.ndjson", "of somebody");
    auto sink = open_sink(target());
    write(*sink, batch_of({{"o", 0, 6, "a"}}));
    commit(*sink, "2");
    EXPECT_THAT(data_files(), ElementsAre("t/site=a/by_hand.ndjson", "t/site=a/o+0+0000000005.ndjson",
                                          "t/site=a/o+0+0000000006.ndjson", "t/site=a/o+1+0000000006.ndjson"));
    EXPECT_THAT(read("t/site=a/o+0+0000000006.ndjson"), HasSubstr("\"_kafka_offset\":6"));
}

TEST_F(FilesByOffsetTest, ANameThatIsTakenIsAConflict) {
    auto sink = open_sink(target());
    write(*sink, batch_of({{"o", 0, 5, "a"}}));
    put("t/site=a/o+0+0000000005.ndjson", "of a zombie");
    const auto committed = sink->commit(run(), Checkpoint("1"), CommitKind::interim);
    ASSERT_FALSE(committed.ok());
    EXPECT_EQ(committed.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(read("t/site=a/o+0+0000000005.ndjson"), "of a zombie");
}

TEST_F(FilesByOffsetTest, ColumnsThatSayWhereRowsComeFromMustBeThere) {
    auto sink = open_sink(target());
    const auto prepared = sink->prepare(run(), batch_of({}, "k_").schema());
    ASSERT_FALSE(prepared.ok());
    EXPECT_EQ(prepared.error().kind(), ErrorKind::invalid_config);
    EXPECT_THAT(prepared.error().message(),
                HasSubstr("without the column _kafka_topic; set metadata: [topic, partition, offset]"));
    auto other = open_sink(target_of("{naming: offsets, offsets_prefix: k_}"));
    EXPECT_TRUE(other->prepare(run(), batch_of({}, "k_").schema()).ok());
    Options options = options_of(connector_files.fields, "path: gs://bucket/x");
    EXPECT_FALSE(connector_files.make_sink(options, target()).ok());
}

}  // namespace
}  // namespace shaduf
