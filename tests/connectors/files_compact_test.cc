#include "connectors/files/compact.h"

#include "tests/connectors/files_world.h"

namespace shaduf {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class FilesCompactTest : public FilesTest {
protected:
    // All kinds of columns, so that each comes through the engine as it was.
    static RecordBatch rows_of(const std::vector<int64_t>& ids, bool wide = false) {
        std::vector<Field> fields{{"id", wide ? TypeKind::string : TypeKind::int64}, {"day", TypeKind::string}};
        const std::pair<const char*, const char*> more[] = {{"bool", "boolean"},
                                                            {"real", "float64"},
                                                            {"money", "decimal(12,2)"},
                                                            {"big", "decimal(38,4)"},
                                                            {"raw", "bytes"},
                                                            {"on_day", "date"},
                                                            {"clock", "time"},
                                                            {"wall", "timestamp"},
                                                            {"at", "timestamp_tz"},
                                                            {"who", "uuid"},
                                                            {"doc", "json"},
                                                            {"tags", "list<string>"},
                                                            {"in", "struct<a: int64, b: list<decimal(6,2)>>"}};
        if (wide) fields.push_back({"added", TypeKind::int64});
        for (const auto& [name, type] : more) fields.push_back({name, DataType::parse(type).value()});
        auto connection = databases_of_all().open_in_memory({}).value()->connect(never()).release_value();
        std::string values;
        for (const int64_t id : ids) {
            const std::string text = std::to_string(id);
            values += (values.empty() ? "" : " UNION ALL ") + ("SELECT " + (wide ? "'x" + text + "'" : text)) +
                      " AS id, 'd" + std::to_string(id % 2) + "' AS day, " + (wide ? "7 AS added, " : "") +
                      (id % 5 == 0 ? "NULL::BOOLEAN" : "true") + " AS bool, " + text + ".5::DOUBLE AS \"real\", " +
                      text + ".25::DECIMAL(12,2) AS money, " + text + ".0001::DECIMAL(38,4) AS big, '" + text +
                      "'::BLOB AS raw, DATE '2026-01-02' AS on_day, TIME '01:02:03' AS clock, TIMESTAMP '2026-01-02 "
                      "03:04:05.5' AS wall, TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at, "
                      "'00000000-0000-0000-0000-0000000000" +
                      (id < 10 ? "0" : "") + text + "'::UUID AS who, '{\"a\": " + text +
                      "}'::JSON AS doc, ['a', NULL, '" + text + "'] AS tags, {'a': " + text +
                      "::BIGINT, 'b': [1.25::DECIMAL(6,2)]} AS \"in\"";
        }
        auto found = connection->query(values);
        EXPECT_TRUE(found.ok()) << found.error().to_string();
        auto fitting = with_uuids(found.value().front()).conform_to(std::make_shared<const Schema>(std::move(fields)));
        EXPECT_TRUE(fitting.ok()) << fitting.error().to_string();
        return fitting.release_value();
    }
    // The engine gives them as text.
    static RecordBatch with_uuids(const RecordBatch& rows) {
        std::vector<Field> with = rows.schema()->fields();
        std::vector<Column> columns = rows.columns();
        const size_t who = *rows.schema()->index_of("who");
        ColumnBuilder uuids(TypeKind::uuid);
        for (size_t row = 0; row < rows.rows(); ++row) {
            std::array<uint8_t, kUuidBytes> bytes{};
            EXPECT_TRUE(parse_uuid(rows.column(who).text_at(row), bytes.data()));
            uuids.append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
        with[who].type = TypeKind::uuid;
        columns[who] = uuids.finish();
        return RecordBatch(std::make_shared<const Schema>(std::move(with)), std::move(columns), rows.rows());
    }
    static DuckDbInstances& databases_of_all() {
        static DuckDbInstances all;
        return all;
    }
    static const Cancellation& never() {
        static const Cancellation none;
        return none;
    }

    void load(const std::vector<int64_t>& ids, bool wide = false) {
        auto sink = open_sink(target_of("{partition_by: [day]}"));
        write(*sink, rows_of(ids, wide));
        commit(*sink, std::to_string(ids.front()).c_str());
        world.clock.advance(std::chrono::seconds(1));
    }
    Result<CompactReport> compact(CompactRequest request = {}) {
        request.table = "t";
        auto store = connector_files.make_store(connection(), "lake").release_value();
        return store->compactor()->compact(run(), request);
    }
    // Each row of the table, as its newest manifest names files, as JSON; sorted.
    std::vector<std::string> rows() {
        std::string keys;
        for (const auto& [key, file] : state_of().files)
            keys += (keys.empty() ? "" : ", ") + quote_literal(folder / key);
        auto connection = databases.open_in_memory({}).value()->connect(world.cancellation).release_value();
        auto found = connection->query(
            "SELECT CAST(to_json(t) AS VARCHAR) FROM (SELECT * EXCLUDE (raw), hex(raw) AS raw "
            "FROM read_parquet([" +
            keys + "], union_by_name = true)) t ORDER BY 1");
        if (!found.ok()) return {found.error().to_string()};
        std::vector<std::string> lines;
        for (const auto& batch : found.value()) {
            for (size_t row = 0; row < batch.rows(); ++row) lines.emplace_back(batch.column(0).text_at(row));
        }
        return lines;
    }
};

TEST_F(FilesCompactTest, JoinedFilesHaveTheSameRows) {
    for (int64_t first = 1; first < 24; first += 4) load({first, first + 1, first + 2, first + 3});
    const auto before = rows();
    ASSERT_THAT(before, SizeIs(24));
    ASSERT_THAT(state_of().files, SizeIs(12));
    CompactRequest dry;
    dry.dry_run = true;
    EXPECT_THAT(compact(dry).release_value().joined, SizeIs(2));
    EXPECT_THAT(state_of().files, SizeIs(12));
    const auto report = compact();
    ASSERT_TRUE(report.ok()) << report.error().to_string();
    ASSERT_THAT(report.value().joined, SizeIs(2));
    EXPECT_EQ(report.value().joined[0].folder, "t/day=d0");
    EXPECT_EQ(report.value().joined[0].files, 6U);
    EXPECT_EQ(report.value().joined[0].rows, 12);
    const auto state = state_of();
    ASSERT_THAT(state.files, SizeIs(2));
    EXPECT_EQ(rows(), before);
    // Those that were joined stay for a while.
    EXPECT_THAT(state.retired, SizeIs(12));
    for (const auto& [key, until] : state.retired) EXPECT_TRUE(exists(key));
    load({91, 92});  // whose sweep leaves them
    EXPECT_THAT(state_of().retired, SizeIs(12));
    world.clock.advance(std::chrono::hours(2));
    EXPECT_EQ(compact().release_value().removed, 12);
    for (const auto& [key, until] : state.retired) EXPECT_FALSE(exists(key));
    EXPECT_EQ(state_of().retired.size(), 4U);  // the two joined files and what came after became two again
    EXPECT_THAT(rows(), SizeIs(26));
}

TEST_F(FilesCompactTest, OldFilesAreBroughtToTheTablesSchema) {
    load({1, 3});
    load({5, 7}, true);
    ASSERT_TRUE(compact().ok());
    ASSERT_THAT(state_of().files, SizeIs(1));
    const auto lines = rows();
    ASSERT_THAT(lines, SizeIs(4));
    EXPECT_THAT(lines[0], AllOf(HasSubstr("\"id\":\"1\""), HasSubstr("\"added\":null")));
    EXPECT_THAT(lines[2], AllOf(HasSubstr("\"id\":\"x5\""), HasSubstr("\"added\":7")));
}

TEST_F(FilesCompactTest, TakesOnlyWhatIsAskedFor) {
    for (int64_t id = 1; id <= 6; ++id) load({id, id + 2});
    CompactRequest request;
    request.partitions = {"day=d1"};
    ASSERT_THAT(compact(request).release_value().joined, SizeIs(1));
    EXPECT_THAT(state_of().files, SizeIs(4));
    request.partitions = {};
    request.below = 1;
    EXPECT_THAT(compact(request).release_value().joined, IsEmpty());
    request.below = 64'000'000;
    request.older_than = std::chrono::hours(1);
    EXPECT_THAT(compact(request).release_value().joined, IsEmpty());
    request.older_than = {};
    request.to = static_cast<uint64_t>(state_of().files.begin()->second.bytes * 2);  // two of them
    const auto joined = compact(request).release_value().joined;
    ASSERT_THAT(joined, SizeIs(1));
    EXPECT_EQ(joined[0].files, 2U);
    request.table = "x";
    auto store = connector_files.make_store(connection(), "lake").release_value();
    const auto unknown = store->compactor()->compact(run(), request);
    ASSERT_FALSE(unknown.ok());
    EXPECT_THAT(unknown.error().message(), HasSubstr("no table of that name: x"));
}

// Runs that were begun before the files were joined commit as if nothing had happened.
TEST_F(FilesCompactTest, WritersAtWorkAreNotHindered) {
    load({1, 3});
    load({5, 7});
    auto alone = open_sink(target_of("{partition_by: [day]}"));
    write(*alone, rows_of({9}));
    ASSERT_TRUE(compact().ok());
    commit(*alone, "9");
    EXPECT_THAT(state_of().files, SizeIs(2));
    EXPECT_THAT(rows(), SizeIs(5));
}

}  // namespace
}  // namespace shaduf
