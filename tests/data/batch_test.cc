#include "data/batch.h"

#include <gtest/gtest.h>

#include "data/builder.h"
#include "data/decimal.h"

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
        {"numeric(10, 2)", "decimal(10,2)"},
        {"decimal(10)", "decimal(10,0)"},
        {"decimal", "decimal(38,9)"},
        {"decimal(38,38)", "decimal(38,38)"},
        {"varchar(20)", "string"},
        {"list<list<int64>>", "list<list<int64>>"},
        {"struct<a: int64, b: struct<c: list<string>, d: decimal(9,3)>>",
         "struct<a: int64, b: struct<c: list<string>, d: decimal(9,3)>>"},
        {"decimal(39,2)", nullptr},
        {"decimal(3,4)", nullptr},
        {"decimal(0,0)", nullptr},
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
        {"decimal(12,2)", "decimal(14,2)", "decimal(14,2)"},
        {"decimal(12,2)", "decimal(10,4)", "decimal(14,4)"},
        {"decimal(12,2)", "decimal(12,4)", "decimal(14,4)"},
        {"decimal(38,0)", "decimal(5,5)", "decimal(38,5)"},
        {"decimal(12,2)", "int64", "decimal(21,2)"},
        {"decimal(25,2)", "int64", "decimal(25,2)"},
        {"decimal(19,19)", "int64", "decimal(38,19)"},
        {"decimal(20,20)", "int64", "string"},
        {"decimal(12,2)", "float64", "float64"},
        {"decimal(12,2)", "string", "string"},
        {"list<decimal(5,2)>", "list<decimal(6,1)>", "list<decimal(7,2)>"},
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

TEST(DataType, WidensDecimalsInAnyOrder) {
    const int digits[][2] = {{1, 0}, {5, 5}, {12, 2}, {18, 4}, {30, 20}, {38, 0}, {38, 2}, {38, 38}};
    for (const auto& [p1, s1] : digits) {
        for (const auto& [p2, s2] : digits) {
            for (const auto& [p3, s3] : digits) {
                const auto a = DataType::decimal(p1, s1);
                const auto b = DataType::decimal(p2, s2);
                const auto c = DataType::decimal(p3, s3);
                EXPECT_EQ(widen(widen(a, b), c), widen(a, widen(b, c)))
                    << a.to_string() << b.to_string() << c.to_string();
                EXPECT_EQ(widen(a, b), widen(b, a));
            }
        }
    }
}

TEST(Decimals, AreConvertedByValue) {
    struct Case {
        const char* from;
        const char* to;
        int64_t unscaled;
        const char* expected;  // nullptr: no place
    };
    const Case cases[] = {
        {"int64", "decimal(5,2)", 999, "999.00"},
        {"int64", "decimal(5,2)", -999, "-999.00"},
        {"int64", "decimal(5,2)", 1000, nullptr},
        {"int64", "decimal(18,18)", 0, "0.000000000000000000"},
        {"int64", "decimal(18,18)", 1, nullptr},
        {"int64", "decimal(38,19)", INT64_MIN, "-9223372036854775808.0000000000000000000"},
        {"decimal(38,2)", "decimal(5,2)", 99999, "999.99"},
        {"decimal(38,2)", "decimal(5,2)", -100000, nullptr},
        {"decimal(6,1)", "decimal(5,2)", 9999, "999.90"},
        {"decimal(6,1)", "decimal(5,2)", 10000, nullptr},
    };
    for (const auto& [from, to, unscaled, expected] : cases) {
        SCOPED_TRACE(std::string(from) + " to " + to + ": " + std::to_string(unscaled));
        const auto type = *DataType::parse(from);
        ASSERT_TRUE(converts_by_value(type, *DataType::parse(to)));
        ColumnBuilder builder(type);
        builder.append_null();
        type.kind() == TypeKind::int64 ? builder.append_int64(unscaled) : builder.append_decimal(unscaled);
        const CheckedDecimals checked = to_decimals(builder.finish(), *DataType::parse(to));
        EXPECT_EQ(checked.column.type.to_string(), to);
        EXPECT_TRUE(checked.column.is_null(0));
        EXPECT_EQ(format_value(checked.column, 1), expected == nullptr ? "null" : expected);
        EXPECT_EQ(checked.misfits, expected == nullptr ? std::vector<uint32_t>{1} : std::vector<uint32_t>{});
    }
    EXPECT_FALSE(converts_by_value(DataType::decimal(38, 4), DataType::decimal(38, 2)));
    EXPECT_FALSE(converts_by_value(TypeKind::float64, DataType::decimal(38, 2)));
    EXPECT_FALSE(converts_by_value(TypeKind::int64, TypeKind::string));
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
