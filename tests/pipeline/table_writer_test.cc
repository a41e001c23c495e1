#include "pipeline/table_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/system_columns.h"
#include "tests/pipeline/memory_connectors.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;

// Keeps the times of loading of what is written.
class TimesSink final : public Sink {
public:
    Result<SinkState> open(RunContext&) override { return SinkState(); }
    Result<void> prepare(RunContext&, const SchemaPtr&) override { return {}; }
    Result<WriteReport> write(RunContext&, const RecordBatch& rows) override {
        const Column& loaded_at = rows.column(*rows.schema()->index_of(kLoadedAtColumn));
        for (size_t row = 0; row < rows.rows(); ++row) times.push_back(format_value(loaded_at, row));
        return WriteReport{rows.rows(), {}};
    }
    Result<void> quarantine(RunContext&, const RecordBatch&) override { return {}; }
    Result<void> commit(RunContext&, const std::optional<Checkpoint>&, CommitKind) override { return {}; }

    std::vector<std::string> times;
};

TEST(TableWriter, RowsOfALongRunSayWhenTheyThemselvesWereLoaded) {
    World world;
    TimesSink sink;
    TableWriter writer(world.run, sink, "r1", "t");
    ASSERT_TRUE(writer.write(id_name_rows({{1, "a"}, {2, "b"}})).ok());
    world.clock.advance(std::chrono::milliseconds(400));
    ASSERT_TRUE(writer.write(id_name_rows({{3, "c"}})).ok());
    world.clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(writer.write(id_name_rows({{4, "d"}})).ok());
    ASSERT_EQ(sink.times.size(), 4U);
    EXPECT_EQ(sink.times[0], sink.times[2]);
    EXPECT_THAT(sink.times[0], testing::HasSubstr("03:04:05"));
    EXPECT_THAT(sink.times[3], testing::HasSubstr("05:04:05"));
}

}  // namespace
}  // namespace shaduf
