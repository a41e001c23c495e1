#include "data/batch.h"

#include <gtest/gtest.h>

#include "data/builder.h"

namespace shaduf {
namespace {

TEST(DataType, PrintsAndParses) {
    struct Case {
        const char* text;
        const char* printed;  // nullptr: not a type
    };
    const Case cases[] = {
        {"int64", "int64"},
        {"BIGINT", "int64"},
        {"double precision", "float64"},
        {"numeric(10, 2)", "decimal(38,2)"},
        {"decimal(38,38)", "decimal(38,38)"},
        {"varchar(20)", "string"},
        {"list<list<int64>>", "list<list<int64>>"},
        {"struct<a: int64, b: struct<c: list<string>, d: decimal(9,3)>>",
         "struct<a: int64, b: struct<c: list<string>, d: decimal(38,3)>>"},
        {"decimal(39,2)", nullptr},
        {"decimal(3,4)", nullptr},
        {"list<>", nullptr},
        {"struct<a>", nullptr},
        {"integr", nullptr},
        {"", nullptr},
    };
    for (const auto& [text, printed] : cases) {
        SCOPED_TRACE(text);
        const auto type = DataType::parse(text);
        ASSERT_EQ(type.has_value(), printed != nullptr);
        if (!type) continue;
        EXPECT_EQ(type->to_string(), printed);
        EXPECT_EQ(DataType::parse(type->to_string()), type);
    }
}

TEST(DataType, WidensToTheNarrowestTypeOfBoth) {
    const char* cases[][3] = {
        {"int64", "float64", "float64"},
        {"int64", "decimal(38,2)", "decimal(38,2)"},
        {"int64", "decimal(38,20)", "string"},
        {"uuid", "uuid", "uuid"},
        {"uuid", "string", "string"},
        {"uuid", "decimal(38,2)", "string"},
        {"uuid", "date", "string"},
        {"uuid", "list<uuid>", "json"},
        {"decimal(38,2)", "decimal(38,4)", "decimal(38,4)"},
        {"decimal(38,2)", "float64", "float64"},
        {"bool", "int64", "string"},
        {"date", "timestamp", "timestamp"},
        {"timestamp", "timestamp_tz", "timestamp_tz"},
        {"date", "string", "string"},
        {"list<int64>", "int64", "json"},
        {"list<int64>", "list<string>", "list<string>"},
        {"struct<a: int64>", "struct<a: string, b: bool>", "struct<a: string, b: bool>"},
        {"string", "json", "json"},
        {"time", "date", "string"},
    };
    for (const auto& [a, b, wide] : cases) {
        SCOPED_TRACE(std::string(a) + " and " + b);
        const auto x = *DataType::parse(a);
        const auto y = *DataType::parse(b);
        EXPECT_EQ(widen(x, y).to_string(), wide);
        EXPECT_EQ(widen(y, x).to_string(), wide);
        EXPECT_TRUE(fits(x, widen(x, y)));
        EXPECT_TRUE(fits(y, widen(x, y)));
    }
}

RecordBatch example() {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64},
                                                                    {"name", TypeKind::string},
                                                                    {"paid", TypeKind::boolean},
                                                                    {"price", DataType::decimal(2)},
                                                                    {"tags", DataType::list(TypeKind::string)}});
    RecordBatchBuilder rows(schema);
    for (int64_t i = 0; i < 20; ++i) {
        i % 3 == 0 ? rows.column(0).append_null() : rows.column(0).append_int64(i);
        i % 5 == 0 ? rows.column(1).append_null() : rows.column(1).append_text("n\"" + std::to_string(i));
        i % 7 == 0 ? rows.column(2).append_null() : rows.column(2).append_boolean(i % 2 == 0);
        rows.column(3).append_decimal(-i);
        rows.column(4).child(0).append_text("x");
        if (i % 2 == 0) rows.column(4).child(0).append_null();
        rows.column(4).append_list();
        rows.end_row();
    }
    return rows.finish();
}

TEST(RecordBatch, WritesRowsAsJson) {
    const RecordBatch rows = example();
    EXPECT_EQ(rows.row_as_json(0), R"({"id":null,"name":null,"paid":null,"price":0.00,"tags":["x",null]})");
    EXPECT_EQ(rows.row_as_json(11), R"({"id":11,"name":"n\"11","paid":false,"price":-0.11,"tags":["x"]})");
}

TEST(RecordBatch, TakesRowsInAnyOrder) {
    const RecordBatch rows = example();
    const std::vector<uint32_t> wanted{19, 3, 3, 0, 12};
    const RecordBatch taken = rows.take(wanted);
    ASSERT_EQ(taken.rows(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(taken.row_as_json(i), rows.row_as_json(wanted[i]));
}

TEST(RecordBatch, ConformsToAWiderSchema) {
    const RecordBatch rows = example();
    auto wider = std::make_shared<const Schema>(std::vector<Field>{{"extra", TypeKind::date},
                                                                   {"ID", TypeKind::float64},
                                                                   {"paid", TypeKind::string},
                                                                   {"name", TypeKind::json},
                                                                   {"price", DataType::decimal(4)},
                                                                   {"tags", DataType::list(TypeKind::json)}});
    auto conformed = rows.conform_to(wider);
    ASSERT_TRUE(conformed.ok()) << conformed.error().to_string();
    EXPECT_EQ(conformed.value().row_as_json(11),
              R"({"extra":null,"ID":11,"paid":"false","name":"n\"11","price":-0.1100,"tags":["x"]})");
    auto narrower = std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}});
    EXPECT_EQ(rows.conform_to(narrower).error().kind(), ErrorKind::bad_data);
}

TEST(RecordBatch, RefusesADecimalThatNoLongerFits) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"d", DataType::decimal(0)}});
    RecordBatchBuilder rows(schema);
    int128 large = 1;
    for (int i = 0; i < 37; ++i) large *= 10;
    rows.column(0).append_decimal(large);
    rows.end_row();
    auto wider = std::make_shared<const Schema>(std::vector<Field>{{"d", DataType::decimal(5)}});
    EXPECT_EQ(rows.finish().conform_to(wider).error().kind(), ErrorKind::bad_data);
}

TEST(RecordBatchBuilder, UndoesTheRowThatWasNotEnded) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"a", TypeKind::int64},
                                                                    {"b", DataType::list(TypeKind::string)},
                                                                    {"c", TypeKind::boolean},
                                                                    {"d", TypeKind::string}});
    RecordBatchBuilder rows(schema);
    const auto append = [&](bool whole) {
        rows.column(0).append_null();
        rows.column(1).child(0).append_text("item");
        rows.column(1).append_list();
        if (!whole) return rows.undo_row();
        rows.column(2).append_boolean(true);
        rows.column(3).append_text("d");
        rows.end_row();
    };
    for (int i = 0; i < 30; ++i) append(i % 3 != 1);
    const RecordBatch batch = rows.finish();
    ASSERT_EQ(batch.rows(), 20U);
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(batch.row_as_json(i), R"({"a":null,"b":["item"],"c":true,"d":"d"})");
}

}  // namespace
}  // namespace shaduf
