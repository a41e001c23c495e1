#include "data/builder.h"
#include "data/system_columns.h"
#include "tests/connectors/conformance_suite.h"

// What connector.h promises of a sink, tried out in every write mode that a connector has.
namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Rows = std::vector<std::pair<int64_t, std::string>>;

RecordBatch make_rows(const Rows& rows) {
    static const SchemaPtr schema =
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"name", TypeKind::string}});
    RecordBatchBuilder builder(schema);
    for (const auto& [id, name] : rows) {
        builder.column(0).append_int64(id);
        builder.column(1).append_text(name);
        builder.end_row();
    }
    return builder.finish();
}

// A column more, and a wider one.
RecordBatch make_wide_row(const std::string& id, const std::string& name) {
    RecordBatchBuilder builder(std::make_shared<const Schema>(
        std::vector<Field>{{"id", TypeKind::string}, {"name", TypeKind::string}, {"score", TypeKind::float64}}));
    builder.column(0).append_text(id);
    builder.column(1).append_text(name);
    builder.column(2).append_float64(0.5);
    builder.end_row();
    return builder.finish();
}

RecordBatch make_quarantined(const std::string& id) {
    RecordBatchBuilder builder(quarantine_schema());
    const std::string texts[] = {id, "p", "s", "t", "file:1", "{", "not JSON", "run"};
    for (size_t i = 0; i < std::size(texts); ++i) builder.column(i).append_text(texts[i]);
    builder.column(std::size(texts)).append_int64(0);
    builder.column(std::size(texts) + 1).append_null();
    builder.end_row();
    return builder.finish();
}

struct ModeCase {
    WriteMode mode;
    const char* name;
};
constexpr ModeCase kModes[] = {{WriteMode::append, "append"},
                               {WriteMode::replace, "replace"},
                               {WriteMode::merge, "merge"},
                               {WriteMode::history, "history"}};

class EverySink : public EveryConnector {
protected:
    // Calls `each` for every write mode that the connector has, each time with a fixture of its own.
    template <typename Each>
    void for_each_mode(const Each& each) {
        size_t offered = 0;
        for (const auto& [mode, name] : kModes) {
            SCOPED_TRACE(name);
            fixture_ = make_fixture();
            ASSERT_NE(fixture_, nullptr);
            if (const std::string missing = fixture_->missing_sink(); !missing.empty()) GTEST_SKIP() << missing;
            target_.mode = mode;
            target_.key.clear();
            if (mode == WriteMode::merge || mode == WriteMode::history) target_.key = {"id"};
            auto made = make();
            if (!made.ok()) {
                EXPECT_EQ(made.error().kind(), ErrorKind::invalid_config) << made.error().to_string();
                continue;
            }
            ++offered;
            made.release_value().reset();
            each();
        }
        EXPECT_GT(offered, 0U) << "a sink with no write mode";
    }
    Options sink_options() const { return options_of(spec().fields, fixture_->sink_connection("s3cr3t")); }
    RunContext& run() { return fixture_->world.run; }
    bool replaces() const { return target_.mode == WriteMode::replace; }

    Result<std::unique_ptr<Sink>> make() {
        target_.connection = "conformance";
        target_.pipeline = "p";
        target_.stream = "s";
        target_.table = "t";
        target_.options = options_of(spec().table_fields, "");
        return spec().make_sink(sink_options(), target_);
    }
    std::unique_ptr<Sink> open(SinkState* state = nullptr) {
        auto sink = make().release_value();
        auto opened = sink->open(run());
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        if (state != nullptr && opened.ok()) *state = opened.value();
        return sink;
    }
    std::optional<Checkpoint> checkpoint() {
        SinkState state;
        open(&state);
        return state.checkpoint;
    }
    void write(Sink& sink, const RecordBatch& rows) {
        auto prepared = sink.prepare(run(), rows.schema());
        ASSERT_TRUE(prepared.ok()) << prepared.error().to_string();
        auto written = sink.write(run(), rows);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
        EXPECT_EQ(written.value().rows_written, rows.rows());
        EXPECT_THAT(written.value().rejected, IsEmpty());
    }
    void commit(Sink& sink, const char* checkpoint, CommitKind kind = CommitKind::interim) {
        auto committed =
            sink.commit(run(), checkpoint == nullptr ? std::nullopt : std::optional(Checkpoint(checkpoint)), kind);
        ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    }
    std::vector<std::string> rows() { return fixture_->visible_rows(target_); }
    size_t quarantined() {
        if (spec().make_store == nullptr) return 0;
        auto store = spec().make_store(sink_options(), "conformance").release_value();
        if (store->quarantine() == nullptr) return 0;
        auto found = store->quarantine()->read_quarantine(run(), {});
        EXPECT_TRUE(found.ok()) << found.error().to_string();
        return found.ok() ? found.value().rows() : 0;
    }

    std::unique_ptr<ConformanceFixture> fixture_;
    TableTarget target_;
};

TEST_P(EverySink, CommitsAllOrNothing) {
    for_each_mode([&] {
        SinkState state;
        {
            auto sink = open(&state);
            EXPECT_FALSE(state.checkpoint.has_value());
            EXPECT_FALSE(state.table.has_value());
            write(*sink, make_rows({{1, "a"}}));
            ASSERT_TRUE(sink->quarantine(run(), make_quarantined("q1")).ok());
        }
        EXPECT_THAT(rows(), IsEmpty()) << "rows without a commit";
        EXPECT_EQ(quarantined(), 0U);
        {
            auto sink = open(&state);
            EXPECT_FALSE(state.checkpoint.has_value());
            write(*sink, make_rows({{1, "a"}, {2, "b"}}));
            ASSERT_TRUE(sink->quarantine(run(), make_quarantined("q2")).ok());
            commit(*sink, "c1");
            write(*sink, make_rows({{3, "c"}}));
            ASSERT_TRUE(sink->quarantine(run(), make_quarantined("q3")).ok());
        }
        if (replaces()) {
            EXPECT_THAT(rows(), IsEmpty()) << "a load that is not finished shows";
        } else {
            EXPECT_THAT(rows(), ElementsAre("1|a", "2|b"));
        }
        EXPECT_EQ(quarantined(), 1U);
        auto sink = open(&state);
        EXPECT_EQ(state.checkpoint, Checkpoint("c1"));
        ASSERT_TRUE(state.table.has_value());
        EXPECT_TRUE(state.table->index_of("id") && state.table->index_of("name")) << state.table->to_string();
        write(*sink, make_rows({{3, "c"}}));
        commit(*sink, "c2", CommitKind::final);
        sink.reset();
        EXPECT_THAT(rows(), ElementsAre("1|a", "2|b", "3|c"));
        EXPECT_EQ(quarantined(), 1U);
    });
}

// A checkpoint may also stand behind no row at all.
TEST_P(EverySink, KeepsTheLastCheckpoint) {
    for_each_mode([&] {
        {
            auto sink = open();
            write(*sink, make_rows({{1, "a"}}));
            commit(*sink, "c1");
            commit(*sink, "c2");
            EXPECT_THAT(fixture_->world.events.messages(), IsEmpty());
        }
        EXPECT_EQ(checkpoint(), Checkpoint("c2"));
        EXPECT_EQ(checkpoint(), Checkpoint("c2")) << "to open is not to change";
    });
}

TEST_P(EverySink, ForgetsItsCheckpointAtTheEndOfAFullLoad) {
    for_each_mode([&] {
        {
            auto sink = open();
            write(*sink, make_rows({{1, "a"}}));
            commit(*sink, "c1");
            write(*sink, make_rows({{2, "b"}}));
            commit(*sink, nullptr, CommitKind::final);
        }
        EXPECT_EQ(checkpoint(), std::nullopt);
        EXPECT_THAT(rows(), ElementsAre("1|a", "2|b"));
    });
}

TEST_P(EverySink, KeepsOldRowsWhenTheSchemaGrows) {
    for_each_mode([&] {
        {
            auto sink = open();
            write(*sink, make_rows({{1, "a"}}));
            commit(*sink, "c1");
            const RecordBatch wide = make_wide_row("x", "b");
            const auto prepared = sink->prepare(run(), wide.schema());
            if (!prepared.ok()) {
                EXPECT_EQ(prepared.error().kind(), ErrorKind::invalid_config);
                EXPECT_THAT(prepared.error().message(), HasSubstr("contract: freeze"));
                return;
            }
            write(*sink, wide);
            commit(*sink, "c2", CommitKind::final);
        }
        EXPECT_THAT(rows(), ElementsAre("1|a", "x|b"));
    });
}

TEST_P(EverySink, ShowsTheOldTableUntilTheNewOneIsWhole) {
    for_each_mode([&] {
        if (!replaces()) return;
        {
            auto sink = open();
            write(*sink, make_rows({{1, "old"}}));
            commit(*sink, nullptr, CommitKind::final);
        }
        {
            auto sink = open();
            write(*sink, make_rows({{2, "new"}}));
            commit(*sink, "half");
            EXPECT_THAT(rows(), ElementsAre("1|old"));
        }
        EXPECT_THAT(rows(), ElementsAre("1|old"));
        EXPECT_EQ(checkpoint(), Checkpoint("half"));
        auto sink = open();
        write(*sink, make_rows({{3, "newer"}}));
        commit(*sink, nullptr, CommitKind::final);
        sink.reset();
        EXPECT_THAT(rows(), ElementsAre("2|new", "3|newer"));
        // One that has no row at all is as good as any.
        sink = open();
        ASSERT_TRUE(sink->prepare(run(), make_rows({}).schema()).ok());
        commit(*sink, nullptr, CommitKind::final);
        sink.reset();
        EXPECT_THAT(rows(), IsEmpty());
    });
}

bool is_sink(const ConnectorSpec& spec) { return spec.make_sink != nullptr; }
INSTANTIATE_TEST_SUITE_P(Builtin, EverySink, testing::ValuesIn(connectors_with(is_sink)), ConnectorName());

}  // namespace
}  // namespace shaduf
