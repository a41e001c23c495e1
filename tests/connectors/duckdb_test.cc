#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "connectors/duckdb/sink.h"
#include "connectors/duckdb/source.h"
#include "data/builder.h"
#include "data/system_columns.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;

struct Row {
    std::optional<int64_t> id;
    std::string name;
    std::optional<int64_t> version;
};

SchemaPtr row_schema() {
    return std::make_shared<const Schema>(
        std::vector<Field>{{"id", TypeKind::int64}, {"name", TypeKind::string}, {"version", TypeKind::int64}});
}

void append_number(ColumnBuilder& to, std::optional<int64_t> value) {
    value ? to.append_int64(*value) : to.append_null();
}

RecordBatch make_rows(const std::vector<Row>& rows) {
    RecordBatchBuilder builder(row_schema());
    for (const auto& row : rows) {
        append_number(builder.column(0), row.id);
        builder.column(1).append_text(row.name);
        append_number(builder.column(2), row.version);
        builder.end_row();
    }
    return builder.finish();
}

struct Warehouse : testing::Test {
    TempFolder folder;
    DuckDbInstances instances;
    World world{instances};
    RunContext& run = world.run;
    DuckDbSettings settings{folder / "w.db", {}};
    TableTarget target = [] {
        TableTarget made;
        made.connection = "local";
        made.pipeline = "p";
        made.stream = "s";
        made.table = "t";
        return made;
    }();

    std::unique_ptr<DuckDbSink> open_sink(SinkState* state = nullptr) {
        auto sink = std::make_unique<DuckDbSink>(settings, target);
        auto opened = sink->open(run);
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        if (state != nullptr) *state = opened.value();
        return sink;
    }
    void write(DuckDbSink& sink, const RecordBatch& rows) {
        auto prepared = sink.prepare(run, rows.schema());
        ASSERT_TRUE(prepared.ok()) << prepared.error().to_string();
        auto written = sink.write(run, rows);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
    }
    void commit(DuckDbSink& sink, const char* checkpoint, CommitKind kind = CommitKind::interim) {
        std::optional<Checkpoint> next;
        if (checkpoint != nullptr) next = Checkpoint(checkpoint);
        auto committed = sink.commit(run, next, kind);
        ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    }
    // A whole load of its own.
    void load(const std::vector<std::vector<Row>>& commits) {
        auto sink = open_sink();
        for (size_t i = 0; i < commits.size(); ++i) {
            write(*sink, make_rows(commits[i]));
            commit(*sink, "c", i + 1 == commits.size() ? CommitKind::final : CommitKind::interim);
        }
    }
    void execute(const std::string& sql) {
        auto database = instances.open(settings.path, settings.options).release_value();
        auto done = database->connect(world.cancellation).value()->execute(sql);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    std::string rows_of(const std::string& sql) {
        auto store = make_duckdb_store(settings);
        auto batches = store->reader()->query(run, sql);
        if (!batches.ok()) return batches.error().to_string();
        std::string text;
        for (const auto& batch : batches.value()) {
            for (size_t row = 0; row < batch.rows(); ++row) {
                for (size_t i = 0; i < batch.columns().size(); ++i) {
                    text += (i > 0 ? "|" : "") + format_value(batch.column(i), row);
                }
                text += '\n';
            }
        }
        return text;
    }
};

TEST_F(Warehouse, AppendsWithItsCheckpoint) {
    SinkState state;
    {
        auto sink = open_sink(&state);
        EXPECT_FALSE(state.checkpoint.has_value());
        EXPECT_FALSE(state.table.has_value());
        write(*sink, make_rows({{1, "a", 1}, {2, "b", 1}}));
        commit(*sink, "after 2");
        write(*sink, make_rows({{3, "c", 1}}));
        commit(*sink, "after 3");
        write(*sink, make_rows({{4, "never committed", 1}}));
    }
    EXPECT_EQ(rows_of("SELECT id, name FROM t ORDER BY id"), "1|a\n2|b\n3|c\n");
    {
        auto sink = open_sink(&state);
        EXPECT_EQ(state.checkpoint, Checkpoint("after 3"));
        commit(*sink, nullptr);
    }
    open_sink(&state);
    EXPECT_FALSE(state.checkpoint.has_value()) << "a commit without a checkpoint forgets the one that stood";
    EXPECT_EQ(*state.table, *row_schema());
}

TEST_F(Warehouse, OfAStreamInPartsThoseStayThatAreReadNoLonger) {
    target.shared = true;
    const auto parts = [](const std::string& text) { return std::optional(Checkpoint(R"({"parts":{)" + text + "}}")); };
    const std::string zero = R"("o/0":{"at":"5"})";
    const std::string one = R"("o/1":{"at":"7"})";
    {
        const auto sink = open_sink();
        write(*sink, make_rows({{1, "a", 1}}));
        ASSERT_TRUE(sink->commit(run, parts(zero + "," + one), CommitKind::interim).ok());
        EXPECT_EQ(sink->refresh(run).value(), parts(zero + "," + one));
        write(*sink, make_rows({{2, "b", 1}}));
        ASSERT_TRUE(sink->commit(run, parts(R"("o/1":{"at":"9"})"), CommitKind::interim).ok());
    }
    SinkState state;
    open_sink(&state);
    EXPECT_EQ(state.checkpoint, parts(zero + R"(,"o/1":{"at":"9"})"));
}

TEST_F(Warehouse, MakesTheSchemaOfTheTable) {
    target.schema = "raw \"x\"";
    load({{{1, "a", 1}}});
    EXPECT_EQ(rows_of("SELECT count(*) FROM \"raw \"\"x\"\"\".t"), "1\n");
}

TEST_F(Warehouse, EvolvesInTheMiddleOfALoad) {
    auto sink = open_sink();
    write(*sink, make_rows({{1, "a", 1}, {2, "plain", std::nullopt}}));
    auto wider = std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::float64},
                                                                   {"name", TypeKind::json},
                                                                   {"version", DataType::decimal(2)},
                                                                   {"tags", DataType::list(TypeKind::string)}});
    RecordBatchBuilder rows(wider);
    rows.column(0).append_float64(2.5);
    rows.column(1).append_text("{\"a\":1}");
    rows.column(2).append_decimal(125);
    rows.column(3).child(0).append_text("x");
    rows.column(3).append_list();
    rows.end_row();
    write(*sink, rows.finish());
    commit(*sink, "c");
    auto widest = std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::string},
                                                                    {"name", TypeKind::json},
                                                                    {"version", DataType::decimal(4)},
                                                                    {"tags", DataType::list(TypeKind::json)}});
    ASSERT_TRUE(sink->prepare(run, widest).ok());
    commit(*sink, "d");
    EXPECT_EQ(rows_of("SELECT * FROM t ORDER BY id"),
              "1.0|\"a\"|1.0000|null\n2.0|\"plain\"|null|null\n2.5|{\"a\":1}|1.2500|[\"x\"]\n");
    EXPECT_EQ(rows_of("SELECT typeof(tags) FROM t LIMIT 1"), "JSON[]\n");
}

TEST_F(Warehouse, WidensAsBatchesDo) {
    struct Case {
        const char* from;
        const char* to;
        const char* sql;
        const char* expected;
    };
    const Case cases[] = {
        {"timestamp", "string", "TIMESTAMP '2023-10-23 12:34:56'", "2023-10-23T12:34:56"},
        {"timestamp_tz", "string", "TIMESTAMPTZ '2023-10-23 12:34:56+00'", "2023-10-23T12:34:56Z"},
        {"date", "timestamp_tz", "DATE '2023-10-23'", "2023-10-23T00:00:00Z"},
        {"bytes", "string", "'\\xAB'::BLOB", "\\xab"},
        {"bool", "string", "true", "true"},
        {"list<int64>", "json", "[1, 2]", "[1,2]"},
        {"list<list<int64>>", "list<list<float64>>", "[[1], [2]]", "[[1],[2]]"},
        {"struct<a: int64>", "struct<a: string, b: date>", "{'a': 1}", R"({"a":"1","b":null})"},
        {"list<struct<a: string>>", "list<struct<a: json>>", "[{'a': 'x'}]", R"([{"a":"x"}])"},
        {"string", "json", "'x'", "\"x\""},
    };
    for (const auto& [from, to, sql, expected] : cases) {
        SCOPED_TRACE(std::string(from) + " to " + to);
        const DataType old = *DataType::parse(from);
        const DataType wide = *DataType::parse(to);
        execute("DROP TABLE IF EXISTS w; CREATE TABLE w AS SELECT CAST(" + std::string(sql) + " AS " +
                duckdb_type_name(old) + ") AS c");
        auto database = instances.open(settings.path, settings.options).release_value();
        auto connection = database->connect(world.cancellation).release_value();
        auto evolved = evolve_table(*connection, {"main", "w"}, Schema({{"c", wide}}));
        ASSERT_TRUE(evolved.ok()) << evolved.error().to_string();
        EXPECT_EQ(rows_of("SELECT c FROM w"), std::string(expected) + "\n");
    }
}

TEST_F(Warehouse, GivesNumbersOfATableMadeByOthersTheirFullWidth) {
    execute(
        "CREATE TABLE t (id SMALLINT, name VARCHAR, version DECIMAL(4,0), extra UUID); INSERT INTO t VALUES (1, "
        "'old', 12, NULL)");
    auto sink = open_sink();
    auto schema = std::make_shared<const Schema>(
        std::vector<Field>{{"ID", TypeKind::int64}, {"name", TypeKind::string}, {"version", DataType::decimal(0)}});
    RecordBatchBuilder rows(schema);
    rows.column(0).append_int64(int64_t{1} << 40);
    rows.column(1).append_text("new");
    rows.column(2).append_decimal(1'000'000);
    rows.end_row();
    write(*sink, rows.finish());
    commit(*sink, "c");
    EXPECT_EQ(rows_of("SELECT id, name, version FROM t ORDER BY id"), "1|old|12\n1099511627776|new|1000000\n");
}

TEST_F(Warehouse, ReplacesOnlyAtTheEnd) {
    target.mode = WriteMode::replace;
    load({{{1, "old", 1}}});
    execute("CREATE VIEW names AS SELECT name FROM t");
    SinkState state;
    {
        auto sink = open_sink(&state);
        EXPECT_FALSE(state.checkpoint.has_value());
        write(*sink, make_rows({{2, "new", 1}}));
        commit(*sink, "half");
        write(*sink, make_rows({{3, "lost", 1}}));
        EXPECT_EQ(rows_of("FROM names"), "old\n");
    }
    EXPECT_EQ(rows_of("FROM names"), "old\n");
    {
        auto sink = open_sink(&state);
        EXPECT_EQ(state.checkpoint, Checkpoint("half"));
        EXPECT_EQ(*state.table, *row_schema());
        write(*sink, make_rows({{3, "newer", 1}}));
        commit(*sink, nullptr, CommitKind::final);
    }
    EXPECT_EQ(rows_of("FROM names ORDER BY ALL"), "new\nnewer\n");
    open_sink(&state);
    EXPECT_FALSE(state.checkpoint.has_value());
    EXPECT_EQ(rows_of("SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%new%'"), "");
}

TEST_F(Warehouse, BeginsAnewWhenALoadCannotGoOn) {
    target.mode = WriteMode::replace;
    {
        auto sink = open_sink();
        write(*sink, make_rows({{1, "half", 1}}));
        commit(*sink, nullptr);
    }
    SinkState state;
    {
        auto sink = open_sink(&state);
        EXPECT_FALSE(state.checkpoint.has_value());
        EXPECT_FALSE(state.table.has_value());
        write(*sink, make_rows({{2, "whole", 1}}));
        commit(*sink, "x", CommitKind::interim);
    }
    target.mode = WriteMode::append;
    auto sink = open_sink(&state);
    EXPECT_FALSE(state.checkpoint.has_value()) << "the checkpoint belongs to the replace load";
    EXPECT_FALSE(state.table.has_value());
}

TEST_F(Warehouse, MergesTheNewestRowOfAKey) {
    target.mode = WriteMode::merge;
    target.key = {"ID"};
    struct Case {
        const char* what;
        const char* order_by;
        std::vector<std::vector<Row>> commits;
        const char* table;
    };
    const Case cases[] = {
        {"last to arrive", "", {{{1, "a", 9}, {1, "b", 1}}, {{2, "c", 1}, {1, "d", 0}}}, "1|d|0\n2|c|1\n"},
        {"order within a load", "version", {{{1, "new", 9}, {1, "old", 1}}}, "1|new|9\n"},
        {"order against the table", "version", {{{1, "new", 9}}, {{1, "old", 1}, {2, "x", 1}}}, "1|new|9\n2|x|1\n"},
        {"same order, again", "version", {{{1, "a", 5}}, {{1, "b", 5}}}, "1|b|5\n"},
        {"null order is the oldest", "version", {{{1, "a", 1}}, {{1, "b", std::nullopt}}}, "1|a|1\n"},
        {"null order gives way", "version", {{{1, "a", std::nullopt}}, {{1, "b", 1}}}, "1|b|1\n"},
        {"null order by arrival", "version", {{{1, "a", std::nullopt}}, {{1, "b", std::nullopt}}}, "1|b|null\n"},
    };
    for (const auto& [what, order_by, commits, table] : cases) {
        SCOPED_TRACE(what);
        execute("DROP TABLE IF EXISTS t");
        target.order_by = order_by;
        load(commits);
        EXPECT_EQ(rows_of("FROM t ORDER BY ALL"), table);
    }
}

TEST_F(Warehouse, RejectsNullKeys) {
    target.mode = WriteMode::merge;
    target.key = {"id", "version"};
    auto sink = open_sink();
    ASSERT_TRUE(sink->prepare(run, row_schema()).ok());
    auto report = sink->write(run, make_rows({{std::nullopt, "a", 1}, {1, "b", 1}, {2, "c", std::nullopt}}));
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report.value().rows_written, 1U);
    ASSERT_EQ(report.value().rejected.size(), 2U);
    EXPECT_EQ(report.value().rejected[0].row, 0U);
    EXPECT_EQ(report.value().rejected[0].why.message(), "key is null: id");
    EXPECT_EQ(report.value().rejected[1].row, 2U);
    EXPECT_EQ(report.value().rejected[1].why.message(), "key is null: version");
    commit(*sink, "c");
    EXPECT_EQ(rows_of("FROM t"), "1|b|1\n");
}

TEST_F(Warehouse, RefusesColumnsThatAreNotThere) {
    target.mode = WriteMode::merge;
    target.key = {"idd"};
    EXPECT_THAT(open_sink()->prepare(run, row_schema()).error().message(), HasSubstr("did you mean id?"));
    target.key.clear();
    DuckDbSink keyless(settings, target);
    EXPECT_EQ(keyless.open(run).error().kind(), ErrorKind::invalid_config);
}

TEST_F(Warehouse, KeepsEveryVersion) {
    target.mode = WriteMode::history;
    target.key = {"id"};
    struct Case {
        const char* what;
        const char* order_by;
        std::vector<std::vector<Row>> commits;
        const char* names;  // of key 1 in their order, the current one last
    };
    const Case cases[] = {
        {"by arrival", "", {{{1, "a", 1}, {1, "b", 1}}, {{1, "c", 1}}}, "a\nb\nc\n"},
        {"unchanged rows make none", "", {{{1, "a", 1}, {1, "a", 1}}, {{1, "a", 1}}, {{1, "b", 1}}}, "a\nb\n"},
        {"back again", "", {{{1, "a", 1}}, {{1, "b", 1}}, {{1, "a", 1}}}, "a\nb\na\n"},
        {"by order", "version", {{{1, "b", 2}, {1, "a", 1}}, {{1, "c", 3}}}, "a\nb\nc\n"},
        {"late rows", "version", {{{1, "a", 1}, {1, "c", 3}}, {{1, "b", 2}}}, "a\nb\nc\n"},
        {"delivered again", "version", {{{1, "a", 1}, {1, "b", 2}}, {{1, "a", 1}, {1, "b", 2}}}, "a\nb\n"},
        {"same order", "version", {{{1, "a", 1}, {1, "b", 1}}, {{1, "a", 1}, {1, "b", 1}}}, "b\n"},
        {"unchanged but for the order", "version", {{{1, "a", 1}}, {{1, "a", 2}, {2, "z", 1}}}, "a\n"},
    };
    for (const auto& [what, order_by, commits, names] : cases) {
        SCOPED_TRACE(what);
        execute("DROP TABLE IF EXISTS t");
        target.order_by = order_by;
        load(commits);
        EXPECT_EQ(rows_of("SELECT name FROM t WHERE id = 1 ORDER BY valid_from, is_current" +
                          std::string(*order_by != 0 ? ", version" : "")),
                  names);
        EXPECT_EQ(rows_of("SELECT DISTINCT count(*) FILTER (is_current), count(*) FILTER (valid_to IS NULL) FROM t "
                          "GROUP BY id"),
                  "1|1\n");
        EXPECT_EQ(rows_of("SELECT * FROM (SELECT valid_to, lead(valid_from) OVER (PARTITION BY id ORDER BY valid_from, "
                          "valid_to NULLS LAST, version) AS n FROM t) WHERE valid_to IS DISTINCT FROM n"),
                  "");
    }
}

TEST_F(Warehouse, DatesVersionsByTheirOrder) {
    target.mode = WriteMode::history;
    target.key = {"id"};
    target.order_by = "at";
    auto schema = std::make_shared<const Schema>(
        std::vector<Field>{{"id", TypeKind::int64}, {"at", TypeKind::date}, {"v", TypeKind::string}});
    RecordBatchBuilder rows(schema);
    for (const auto& [day, v] : {std::pair(20, "b"), std::pair(10, "a")}) {
        rows.column(0).append_int64(1);
        rows.column(1).append_date(day);
        rows.column(2).append_text(v);
        rows.end_row();
    }
    SinkState state;
    {
        auto sink = open_sink();
        write(*sink, rows.finish());
        commit(*sink, "c");
    }
    EXPECT_EQ(rows_of("SELECT v, valid_from, valid_to, is_current FROM t ORDER BY valid_from"),
              "a|1970-01-11T00:00:00Z|1970-01-21T00:00:00Z|false\nb|1970-01-21T00:00:00Z|null|true\n");
    open_sink(&state);
    EXPECT_EQ(*state.table, *schema) << "the columns of history are no part of the stream";
}

TEST_F(Warehouse, KeepsStreamsApartInParallel) {
    constexpr int kStreams = 4;
    constexpr int kCommits = 20;
    std::vector<std::string> errors(kStreams);
    const auto load_one = [&](int stream) -> Result<void> {
        TableTarget mine = target;
        mine.stream = "s" + std::to_string(stream);
        mine.table = "t" + std::to_string(stream);
        mine.schema = "shared";
        mine.mode = stream % 2 == 0 ? WriteMode::append : WriteMode::merge;
        mine.key = {"id"};
        DuckDbSink sink(settings, mine);
        TRY(sink.open(run));
        for (int i = 0; i < kCommits; ++i) {
            TRY(sink.prepare(run, row_schema()));
            TRY(sink.write(run, make_rows({{i, "x", 1}, {i + 1000, "y", 1}})));
            TRY(sink.commit(run, Checkpoint(std::to_string(i)),
                            i + 1 == kCommits ? CommitKind::final : CommitKind::interim));
        }
        return {};
    };
    std::vector<std::thread> threads;
    for (int stream = 0; stream < kStreams; ++stream) {
        threads.emplace_back([&, stream] {
            auto loaded = load_one(stream);
            if (!loaded.ok()) errors[static_cast<size_t>(stream)] = loaded.error().to_string();
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(errors, testing::Each(""));
    for (int stream = 0; stream < kStreams; ++stream) {
        EXPECT_EQ(rows_of("SELECT count(*) FROM shared.t" + std::to_string(stream)), "40\n");
    }
    auto store = make_duckdb_store(settings);
    auto checkpoints = store->checkpoints()->list_checkpoints(run);
    ASSERT_EQ(checkpoints.value().size(), 4U);
    EXPECT_EQ(checkpoints.value()[3].checkpoint, Checkpoint("19"));
}

TEST_F(Warehouse, LetsOneStreamHaveATable) {
    auto sink = open_sink();
    target.stream = "other";
    DuckDbSink second(settings, target);
    EXPECT_EQ(second.open(run).error().kind(), ErrorKind::conflict);
    auto store = make_duckdb_store(settings);
    EXPECT_EQ(store->checkpoints()->set_checkpoint(run, "p", "s", Checkpoint("x")).error().kind(), ErrorKind::conflict);
    sink.reset();
    ASSERT_TRUE(store->checkpoints()->set_checkpoint(run, "p", "s", Checkpoint("x")).ok());
    EXPECT_EQ(store->checkpoints()->list_checkpoints(run).value()[0].checkpoint, Checkpoint("x"));
    ASSERT_TRUE(store->checkpoints()->set_checkpoint(run, "p", "s", std::nullopt).ok());
    EXPECT_TRUE(store->checkpoints()->list_checkpoints(run).value().empty());
}

RecordBatch quarantined_rows(const std::vector<std::string>& ids, const std::string& stream) {
    RecordBatchBuilder builder(quarantine_schema());
    for (const auto& id : ids) {
        const std::string texts[] = {id, "p", stream, "t", "file:1", "{", "not JSON", "run"};
        for (size_t i = 0; i < 8; ++i) builder.column(i).append_text(texts[i]);
        builder.column(8).append_int64(0);
        builder.column(9).append_null();
        builder.end_row();
    }
    return builder.finish();
}

TEST_F(Warehouse, KeepsQuarantineWithTheLoad) {
    auto store = make_duckdb_store(settings);
    EXPECT_EQ(store->quarantine()->read_quarantine(run, {}).value().rows(), 0U);
    EXPECT_FALSE(std::filesystem::exists(settings.path)) << "looking made a database";
    {
        auto sink = open_sink();
        ASSERT_TRUE(sink->quarantine(run, quarantined_rows({"1", "2"}, "s")).ok());
        ASSERT_TRUE(sink->quarantine(run, quarantined_rows({"3"}, "other")).ok());
        commit(*sink, "c");
        ASSERT_TRUE(sink->quarantine(run, quarantined_rows({"4"}, "s")).ok());
    }
    QuarantineFilter filter;
    EXPECT_EQ(store->quarantine()->read_quarantine(run, filter).value().rows(), 3U);
    filter.stream = "s";
    filter.limit = 1;
    auto first = store->quarantine()->read_quarantine(run, filter);
    ASSERT_EQ(first.value().rows(), 1U);
    EXPECT_EQ(first.value().column(0).text_at(0), "1");
    filter.limit = 0;
    filter.ids = {"2", "3"};
    EXPECT_EQ(store->quarantine()->purge_quarantine(run, filter).value(), 1);
    EXPECT_EQ(rows_of("SELECT id FROM _shaduf_quarantine ORDER BY id"), "1\n3\n");
}

TEST_F(Warehouse, RefusesAFileThatIsReadOnly) {
    load({{{1, "a", 1}}});
    settings.options.access = DuckDbAccess::read_only;
    DuckDbSink sink(settings, target);
    EXPECT_EQ(sink.open(run).error().kind(), ErrorKind::invalid_config);
    EXPECT_EQ(rows_of("FROM t"), "1|a|1\n");
}

TEST_F(Warehouse, RefusesAView) {
    execute("CREATE VIEW t AS SELECT 1 AS a");
    DuckDbSink sink(settings, target);
    EXPECT_THAT(sink.open(run).error().message(), HasSubstr("not a table but a view"));
}

// ------------------------------------------------------------------------------------------------------------- source

TEST_F(Warehouse, ReadsATableInOrderOfItsCursor) {
    execute(
        "CREATE TABLE events AS SELECT i AS id, (i // 100000)::INTEGER AS version FROM range(250000) r(i); INSERT "
        "INTO events VALUES (-1, NULL)");
    DuckDbStream stream{"local", "events", "", "version", ReadMode::incremental};
    std::map<std::string, int64_t> rows_up_to;
    int64_t rows = 0;
    auto source = make_duckdb_source(settings, stream);
    ASSERT_TRUE(source->open(run, std::nullopt).ok());
    for (;;) {
        auto batch = source->read(run);
        ASSERT_TRUE(batch.ok()) << batch.error().to_string();
        if (!batch.value()) break;
        rows += static_cast<int64_t>(std::get<RecordBatch>(batch.value()->rows).rows());
        if (batch.value()->next) rows_up_to[batch.value()->next->value()] = rows;
    }
    EXPECT_EQ(rows, 250'000);
    // More rows of a value than are remembered.
    EXPECT_EQ(rows_up_to,
              (std::map<std::string, int64_t>{
                  {R"({"cursor":"0"})", 100'000}, {R"({"cursor":"1"})", 200'000}, {R"({"cursor":"2"})", 250'000}}));
    ASSERT_TRUE(source->open(run, Checkpoint("1")).ok());
    rows = 0;
    while (auto batch = source->read(run).release_value()) {
        rows += static_cast<int64_t>(std::get<RecordBatch>(batch->rows).rows());
    }
    EXPECT_EQ(rows, 50'000);
}

TEST_F(Warehouse, DiscoversTablesAndViews) {
    execute(
        "CREATE SCHEMA b; CREATE TABLE b.t (id INTEGER PRIMARY KEY, d DATE); CREATE VIEW v AS SELECT 'x' AS s; "
        "CREATE TABLE _shaduf_state (a INTEGER)");
    auto streams = discover_duckdb(run, settings);
    ASSERT_TRUE(streams.ok()) << streams.error().to_string();
    ASSERT_EQ(streams.value().size(), 2U);
    EXPECT_EQ(streams.value()[0].name, "b.t");
    EXPECT_EQ(streams.value()[0].schema->to_string(), "id: int64, d: date");
    EXPECT_EQ(streams.value()[0].key, std::vector<std::string>{"id"});
    EXPECT_EQ(streams.value()[1].name, "v");
    auto source = make_duckdb_source(settings, {"local", "b.t", "", "dd", ReadMode::incremental});
    EXPECT_THAT(source->open(run, std::nullopt).error().message(), HasSubstr("cursor field is not in the stream: dd"));
}

// -------------------------------------------------------------------------------------------------------------- crash

// What the child writes: batch i holds these rows; keys come again in later batches with a higher version.
constexpr int64_t kBatches = 30;
constexpr int64_t kRowsInABatch = 500;
RecordBatch crash_batch(int64_t batch) {
    std::vector<Row> rows;
    for (int64_t i = 0; i < kRowsInABatch; ++i) {
        const int64_t n = batch * kRowsInABatch + i;
        rows.push_back({n * 7 % 4001, "name " + std::to_string(n), n});
    }
    return make_rows(rows);
}

// Run in a process of its own by Crash::run_child.
TEST_F(Warehouse, DISABLED_CrashChild) {
    const char* path = std::getenv("SHADUF_CRASH_TEST_DATABASE");
    ASSERT_NE(path, nullptr) << "runs only as a child of the crash tests";
    settings.path = path;
    target.mode = static_cast<WriteMode>(std::atoi(std::getenv("SHADUF_CRASH_TEST_MODE")));
    target.key = {"id"};
    target.order_by = "version";
    SinkState state;
    auto sink = open_sink(&state);
    int64_t next = state.checkpoint ? std::stoll(state.checkpoint->value()) : 0;
    for (; next < kBatches; ++next) {
        write(*sink, crash_batch(next));
        if (HasFatalFailure()) return;
        ASSERT_TRUE(sink->quarantine(run, quarantined_rows({std::to_string(next)}, "s")).ok());
        if (next % 3 == 2) commit(*sink, std::to_string(next + 1).c_str());
        if (HasFatalFailure()) return;
    }
    commit(*sink, std::to_string(kBatches).c_str(), CommitKind::final);
}

struct Crash : Warehouse, testing::WithParamInterface<WriteMode> {
    // Exit status, or minus the signal, of one child.
    int run_child(const std::string& failpoint) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("SHADUF_CRASH_TEST_DATABASE", settings.path.c_str(), 1);
            ::setenv("SHADUF_CRASH_TEST_MODE", std::to_string(static_cast<int>(GetParam())).c_str(), 1);
            ::setenv("SHADUF_FAILPOINT", failpoint.c_str(), 1);
            (void)!::freopen("/dev/null", "w", stdout);
            ::execl("/proc/self/exe", "shaduf_tests", "--gtest_filter=Warehouse.DISABLED_CrashChild",
                    "--gtest_also_run_disabled_tests", nullptr);
            ::_exit(127);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }
};

TEST_P(Crash, LosesAndDoublesNothing) {
    const char* kills[] = {"sink.write=kill@5",         "sink.commit.before=kill@1", "sink.commit.after=kill@1",
                           "sink.commit.before=kill@2", "sink.write=kill@1",         "sink.commit.after=kill@3",
                           "sink.write=full@7",         "sink.commit.before=kill@1"};
    for (const char* failpoint : kills) {
        SCOPED_TRACE(failpoint);
        const int status = run_child(failpoint);
        ASSERT_EQ(status, std::string_view(failpoint).find("kill") != std::string_view::npos ? -SIGKILL : 1);
    }
    ASSERT_EQ(run_child(""), 0);
    const bool append = GetParam() == WriteMode::append || GetParam() == WriteMode::replace;
    EXPECT_EQ(rows_of("SELECT count(*), count(DISTINCT version), sum(version)::BIGINT FROM t"),
              append ? "15000|15000|112492500\n"
                     : rows_of("SELECT 4001, 4001, sum(m)::BIGINT FROM (SELECT max(n) AS m "
                               "FROM range(15000) r(n) GROUP BY n * 7 % 4001)"));
    EXPECT_EQ(rows_of("SELECT count(*) FROM t WHERE name <> 'name ' || version OR id <> version * 7 % 4001"), "0\n");
    EXPECT_EQ(rows_of("SELECT count(*), count(DISTINCT id) FROM _shaduf_quarantine"), "30|30\n");
}

INSTANTIATE_TEST_SUITE_P(Modes, Crash, testing::Values(WriteMode::append, WriteMode::replace, WriteMode::merge));

// For each column the engine holds blocks that it cannot spill: the limit of a load must grow with them.
TEST_F(Warehouse, LoadsHundredsOfColumns) {
    settings.options.threads = 1;
    settings.options.memory_bytes = 64 << 20;
    settings.options.memory_grows = settings.options.threads_grow = true;
    settings.options.keep_order = false;
    constexpr size_t kColumns = 400;
    constexpr int64_t kRows = 6000;
    std::vector<Field> fields;
    for (size_t i = 0; i < kColumns; ++i) fields.push_back({"c" + std::to_string(i), TypeKind::string});
    const auto schema = std::make_shared<const Schema>(std::move(fields));
    for (const WriteMode mode : {WriteMode::append, WriteMode::merge}) {
        target.mode = mode;
        target.key = {"c0"};
        auto sink = open_sink();
        for (int64_t first = 0; first < kRows; first += 1000) {
            RecordBatchBuilder rows(schema);
            for (int64_t row = first; row < first + 1000; ++row) {
                for (size_t i = 0; i < kColumns; ++i) {
                    rows.column(i).append_text(std::to_string(row * 7919 + static_cast<int64_t>(i)));
                }
                rows.end_row();
            }
            write(*sink, rows.finish());
        }
        commit(*sink, "c", CommitKind::final);
    }
    EXPECT_EQ(rows_of("SELECT count(*), count(DISTINCT c399), min(c399::INT), max(c399::INT) FROM t"),
              "6000|6000|399|47506480\n");
}

// Run in a process of its own by SaysWhenTheDiskIsFull: files may have 8 MB there.
TEST_F(Warehouse, DISABLED_DiskFullChild) {
    const char* path = std::getenv("SHADUF_CRASH_TEST_DATABASE");
    ASSERT_NE(path, nullptr) << "runs only as a child of another test";
    settings.path = path;
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{8 << 20, 8 << 20};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    DuckDbSink sink(settings, target);
    ASSERT_TRUE(sink.open(run).ok());
    ASSERT_TRUE(sink.prepare(run, row_schema()).ok());
    Result<void> done;
    for (int64_t i = 0; i < 200 && done.ok(); ++i) {
        std::vector<Row> rows;
        for (int64_t n = 0; n < 10'000; ++n) {
            rows.push_back({n * 7919 * 104'729, std::to_string(n * i * 7919 * 104'729), i});
        }
        auto written = sink.write(run, make_rows(rows));
        done = written.ok() ? sink.commit(run, Checkpoint("c"), CommitKind::interim) : written.release_error();
    }
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::exhausted) << done.error().to_string();
}

TEST_F(Warehouse, SaysWhenTheDiskIsFull) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("SHADUF_CRASH_TEST_DATABASE", settings.path.c_str(), 1);
        ::execl("/proc/self/exe", "shaduf_tests", "--gtest_filter=Warehouse.DISABLED_DiskFullChild",
                "--gtest_also_run_disabled_tests", nullptr);
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << WTERMSIG(status);
    ASSERT_EQ(WEXITSTATUS(status), 0);
    // What was committed is there, and the load goes on where there is room again.
    SinkState state;
    auto sink = open_sink(&state);
    EXPECT_EQ(state.checkpoint, Checkpoint("c"));
    EXPECT_EQ(rows_of("SELECT count(*) % 10000, count(*) > 0 FROM t"), "0|true\n");
}

}  // namespace
}  // namespace shaduf
