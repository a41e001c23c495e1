#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/checkpoint_topic.h"
#include "connectors/kafka/columns_reader.h"
#include "connectors/kafka/told_columns.h"
#include "connectors/kafka/told_types.h"
#include "connectors/kafka/topics.h"
#include "data/builder.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

using testing::ElementsAre;

Schema schema_of(std::vector<std::pair<std::string, std::string>> columns) {
    std::vector<Field> fields;
    for (const auto& [name, type] : columns) fields.push_back({name, *DataType::parse(type)});
    return Schema(std::move(fields));
}

// One payload along one column `v`: the value as JSON, or why not.
std::string read(const std::string& type, std::string_view payload) {
    const auto reader = make_columns_reader(std::make_shared<const Schema>(schema_of({{"v", type}, {"w", "int64"}})));
    RecordBatchBuilder rows(reader->schema());
    BufferBuilder padded;
    padded.append(payload);
    const BufferPtr text = padded.finish();
    if (const auto why = reader->read(text->view(), rows)) return *why;
    rows.end_row();
    return rows.finish().row_as_json(0);
}

TEST(KafkaColumnsReader, ReadsWhatATopicIsWrittenWith) {
    struct Case {
        const char* type;
        const char* payload;
        const char* expected;
    };
    const Case cases[] = {
        {"int64", R"({"v":9007199254740993,"w":1})", R"({"v":9007199254740993,"w":1})"},
        {"int64", R"({"w":1,"v":2})", R"({"v":2,"w":1})"},
        {"int64", R"({"v":1,"v":2})", R"({"v":2,"w":null})"},
        {"int64", "{}", R"({"v":null,"w":null})"},
        {"float64", R"({"v":"nan"})", R"({"v":"nan","w":null})"},
        {"float64", R"({"v":5})", R"({"v":5,"w":null})"},
        {"decimal(20,4)", R"({"v":1234567890123456.7891})", R"({"v":1234567890123456.7891,"w":null})"},
        // Of messages from before the column became wider.
        {"string", R"({"v":5})", R"({"v":"5","w":null})"},
        {"string", R"({"v":true})", R"({"v":"true","w":null})"},
        {"string", R"({"v":"007"})", R"({"v":"007","w":null})"},
        {"timestamp", R"({"v":"2026-01-02"})", R"({"v":"2026-01-02T00:00:00","w":null})"},
        {"json", R"({"v":"x"})", R"({"v":"x","w":null})"},
        {"json", R"({"v":{"a":[1.10]}})", R"({"v":{"a":[1.10]},"w":null})"},
        {"list<int64>", R"({"v":[1,null]})", R"({"v":[1,null],"w":null})"},
        {"struct<a: int64, b: date>", R"({"v":{"a":1}})", R"({"v":{"a":1,"b":null},"w":null})"},
        {"bytes", R"({"v":"\\x00ff"})", R"({"v":"\\x00ff","w":null})"},
        // What others may write.
        {"int64", R"({"v":"x"})", "value does not fit its column: v is int64, the value is \"x\""},
        {"int64", R"({"v":{"a":1}})", "value does not fit its column: v is int64, the value is {\"a\":1}"},
        {"list<int64>", R"({"v":["x"]})", "value does not fit its column: v is list<int64>, the value is [\"x\"]"},
        {"int64", R"({"v":1,"z":1})", "field is not among the columns that were told: z"},
        {"int64", "[1]", "invalid JSON: expected an object"},
        {"int64", "", "invalid JSON: expected an object"},
        {"int64", R"({"v":1)", "invalid JSON: it ends early, at byte offset 6"},
        {"int64", R"({"v":1} x)", "invalid JSON: more text behind the value, at byte offset 8"},
    };
    for (const auto& [type, payload, expected] : cases) {
        SCOPED_TRACE(std::string(type) + " " + payload);
        EXPECT_EQ(read(type, payload), expected);
    }
}

TEST(KafkaColumnsBook, AsksAgainForMarksThatItDoesNotKnow) {
    World world;
    ToldColumns told{std::make_shared<const Schema>(schema_of({{"a", "int64"}})), {"one"}};
    int asked = 0;
    ColumnsBook book([&](RunContext&) -> Result<ToldColumns> {
        ++asked;
        return told;
    });
    const auto knows = [&](std::string_view mark) { return book.knows(world.run, mark).value(); };
    EXPECT_TRUE(knows("one"));
    EXPECT_TRUE(knows(""));
    EXPECT_EQ(asked, 1);
    const SchemaPtr first = book.columns();

    EXPECT_FALSE(knows("two"));
    EXPECT_FALSE(knows("two"));
    EXPECT_EQ(asked, 2) << "a mark that nobody knows is not asked for all the time";
    EXPECT_EQ(book.columns(), first);
    EXPECT_TRUE(knows("one"));

    told = {std::make_shared<const Schema>(schema_of({{"a", "string"}})), {"one", "two", "three"}};
    EXPECT_TRUE(knows("three"));
    EXPECT_TRUE(knows("two"));
    EXPECT_TRUE(knows("one"));
    EXPECT_EQ(asked, 3);
    EXPECT_EQ((*book.columns())[0].type, DataType(TypeKind::string));

    EXPECT_FALSE(knows("four"));
    told.marks.emplace_back("four");
    world.clock.advance(std::chrono::seconds(31));
    EXPECT_TRUE(knows("four"));
}

TEST(KafkaColumnsBook, SaysWhatTheTellerSays) {
    World world;
    ColumnsBook book([](RunContext&) -> Result<ToldColumns> { return Error(ErrorKind::unavailable, "away"); });
    EXPECT_EQ(book.knows(world.run, "x").error().kind(), ErrorKind::unavailable);
}

TEST(KafkaToldTypes, GivesColumnsBackTheirTypesAndNames) {
    const auto given = std::make_shared<const Schema>(schema_of({{"a_b", "string"},
                                                                 {"day", "string"},
                                                                 {"bag", "string"},
                                                                 {"tags", "json"},
                                                                 {"spot__x", "int64"},
                                                                 {"spot__at", "string"},
                                                                 {"count", "int64"},
                                                                 {"other", "bool"}}));
    RecordBatchBuilder builder(given);
    const auto add = [&](std::string_view name, std::string_view day, std::string_view bag, std::string_view tags) {
        builder.column(0).append_text(name);
        builder.column(1).append_text(day);
        builder.column(2).append_text(bag);
        builder.column(3).append_text(tags);
        builder.column(4).append_int64(7);
        builder.column(5).append_null();
        builder.column(6).append_int64(3);
        builder.column(7).append_boolean(true);
        builder.end_row();
    };
    add("x", "2026-01-02", R"({"k":1})", "[1,2]");
    add("y", "no day", "plain text", "{}");
    for (size_t i = 0; i < given->size(); ++i) builder.column(i).append_null();
    builder.end_row();
    std::vector<RejectedRow> rejected;
    const auto rows = with_told_types(builder.finish(),
                                      schema_of({{"a b", "string"},
                                                 {"day", "date"},
                                                 {"bag", "json"},
                                                 {"tags", "list<int64>"},
                                                 {"spot", "struct<x: int64, at: time>"},
                                                 {"count", "float64"},
                                                 {"gone", "uuid"}}),
                                      rejected);
    EXPECT_EQ(rows.schema()->to_string(),
              "a b: string, day: date, bag: json, tags: list<int64>, spot: struct<x: int64, at: time>, "
              "count: float64, gone: uuid, other: bool");
    EXPECT_EQ(rows.row_as_json(0), R"({"a b":"x","day":"2026-01-02","bag":{"k":1},"tags":[1,2],)"
                                   R"("spot":{"x":7,"at":null},"count":3,"gone":null,"other":true})");
    EXPECT_EQ(rows.row_as_json(1), R"({"a b":"y","day":null,"bag":"plain text","tags":null,)"
                                   R"("spot":{"x":7,"at":null},"count":3,"gone":null,"other":true})");
    EXPECT_EQ(rows.row_as_json(2), R"({"a b":null,"day":null,"bag":null,"tags":null,)"
                                   R"("spot":null,"count":null,"gone":null,"other":null})");
    ASSERT_EQ(rejected.size(), 2U);
    EXPECT_EQ(rejected[0].row, 1U);
    EXPECT_EQ(rejected[0].why.message(), "value does not fit its column: day is date, the value is no day");
}

TEST(KafkaTopics, APatternOfATopicMeansItAlone) {
    EXPECT_EQ(pattern_of("a.b_c-1"), "^a\\.b_c-1$");
    EXPECT_EQ(pattern_of("^a.*"), "^a.*");
}

TEST(KafkaStandingRecord, KeepsMarksAndJoinsColumnsOfReplays) {
    StandingRecord record{"p@producer", "s", Checkpoint("c"), schema_of({{"a", "int64"}}), "now", {"one"}};
    auto read = StandingRecord::parse(record.to_json());
    ASSERT_TRUE(read.has_value());
    EXPECT_THAT(read->marks, ElementsAre("one"));

    const StandingRecord replay{"p@producer", "s~replay", {}, schema_of({{"a", "string"}, {"b", "date"}}), "", {"two"}};
    EXPECT_TRUE(replay.writes_for("p@producer/s"));
    EXPECT_FALSE(replay.writes_for("p@producer/s2"));
    EXPECT_FALSE(replay.writes_for("p/s"));
    read->join_columns(replay);
    EXPECT_EQ(read->table->to_string(), "a: string, b: date");
    EXPECT_THAT(read->marks, ElementsAre("one", "two"));

    EXPECT_EQ(mark_of(*record.table), mark_of(schema_of({{"a", "int64"}})));
    EXPECT_NE(mark_of(*record.table), mark_of(schema_of({{"a", "date"}})));
}

}  // namespace
}  // namespace shaduf::kafka
