#include "data/csv.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "data/builder.h"
#include "data/csv_writer.h"
#include "tests/data/decode_case.h"

namespace shaduf {
namespace {

using testing::describe;
using testing::shape_of;

// "position text" of each row, "!" before the text of a broken one.
std::string split_in_blocks(std::string_view text, size_t block_bytes, const CsvOptions& options = {},
                            size_t row_bytes_max = 1000) {
    CsvSplitter splitter("f", options, row_bytes_max);
    std::string out;
    const auto append = [&](const RawRows& raw) {
        size_t broken = 0;
        for (size_t row = 0; row < raw.rows.size(); ++row) {
            const bool is_broken = broken < raw.broken.size() && raw.broken[broken].row == row;
            broken += is_broken ? 1 : 0;
            out += raw.position(row) + (is_broken ? " !" : " ") + std::string(raw.row(row)) + "|";
        }
    };
    for (size_t at = 0; at < text.size(); at += block_bytes) {
        splitter.input().append(text.substr(at, block_bytes));
        append(splitter.take());
    }
    append(splitter.finish());
    EXPECT_EQ(splitter.offset(), text.size());
    return out;
}

TEST(CsvSplitter, CutsRecordsWhateverTheBlocks) {
    CsvOptions options;
    options.delimiter = ',';
    options.header = CsvHeader::absent;
    const std::pair<const char*, const char*> cases[] = {
        {"", ""},
        {"a,b", "f:1 a,b|"},
        {"a,b\n1,2\n", "f:1 a,b|f:2 1,2|"},
        {"a\r\n\r\nb\r\n", "f:1 a|f:3 b|"},
        {"\"x\ny\",1\nz,2\n", "f:1 \"x\ny\",1|f:3 z,2|"},
        {"\"x\"\"\n\"\"y\",1\nz\n", "f:1 \"x\"\"\n\"\"y\",1|f:3 z|"},
        {"5\" pipe,1\n6\" pipe,2\n", "f:1 5\" pipe,1|f:2 6\" pipe,2|"},
        {"a,\"b\nc\n", "f:1 !a,\"b\nc\n|"},
        {"\"a\"b\nc\n", "f:1 \"a\"b|f:2 c|"},
        {"\xEF\xBB\xBF"
         "a,b\n",
         "f:1 a,b|"},
    };
    for (const auto& [text, rows] : cases) {
        for (const size_t block : {1000U, 1U, 2U, 5U}) {
            SCOPED_TRACE(text + std::string(" by ") + std::to_string(block));
            EXPECT_EQ(split_in_blocks(text, block, options), rows);
        }
    }
}

TEST(CsvSplitter, HoldsNoMoreOfARecordThanItsLimit) {
    CsvOptions options;
    options.header = CsvHeader::absent;
    options.delimiter = ',';
    CsvSplitter splitter("f", options, 1000);
    splitter.input().append("a,\"");
    for (int i = 0; i < 1000; ++i) {
        splitter.input().append(std::string(100, 'x') + "\n");
        EXPECT_TRUE(splitter.take().rows.empty());
        EXPECT_LE(splitter.input().size(), 1000U);
    }
    splitter.input().append("\",b\nnext,1\n");
    const RawRows raw = splitter.take();
    ASSERT_EQ(raw.rows.size(), 2U);
    ASSERT_EQ(raw.broken.size(), 1U);
    EXPECT_EQ(raw.broken[0].row, 0U);
    EXPECT_EQ(raw.position(1), "f:1002");
    EXPECT_EQ(raw.row(1), "next,1");
    EXPECT_EQ(splitter.offset(), 3 + 101'000 + 4 + 7U);
}

TEST(SniffCsv, FindsDelimiterAndHeader) {
    struct Case {
        const char* text;
        char delimiter;
        bool has_header;
        const char* names;
    };
    const Case cases[] = {
        {"id,name\n1,a\n", ',', true, "id name"},
        {"id;name;x,y\n1;a;1,5\n2;b;2,5\n", ';', true, "id name x,y"},
        {"id\tname\n1\ta, b, c\n", '\t', true, "id name"},
        {"a|b\n\"x|y\"|2\n", '|', true, "a b"},
        {"1,2\n3,4\n", ',', false, "column1 column2"},
        {"2023-01-01,true\n", ',', false, "column1 column2"},
        {"a,a\n1,2\n", ',', false, "column1 column2"},
        {"a,\n1,2\n", ',', false, "column1 column2"},
        {"word\nother\n", ',', true, "word"},
        {"", ',', false, ""},
    };
    for (const auto& [text, delimiter, has_header, names] : cases) {
        SCOPED_TRACE(text);
        const CsvSniffed sniffed = sniff_csv(text, {});
        EXPECT_EQ(sniffed.dialect.delimiter, delimiter);
        EXPECT_EQ(sniffed.has_header, has_header);
        EXPECT_EQ(join(sniffed.dialect.header, " "), names);
    }
    CsvOptions options;
    options.header = CsvHeader::present;
    EXPECT_EQ(join(sniff_csv("a,a,,1\n1,2,3,4\n", options).dialect.header, " "), "a a_2 column3 1");
    options.names = {"x", "y"};
    EXPECT_EQ(join(sniff_csv("a,b\n1,2\n", options).dialect.header, " "), "x y");
}

RawRows rows_of(std::string_view text, CsvOptions options = {}) {
    CsvSplitter splitter("f", std::move(options));
    splitter.input().append(text);
    return splitter.finish();
}

std::string decode(const Shape& shape, std::string_view text) {
    return describe(RowDecoder::create(RawFormat::csv, shape)->decode(rows_of(text)));
}

TEST(CsvDecoder, InfersAndReadsTypes) {
    const std::string text =
        "id,price,day,at,ok,zip,text,none\n"
        "1,2.50,2023-01-02,2023-01-02T03:04:05Z,true,00123,\"a \"\"b\"\",\nc\",\n"
        "-5,3,2023-01-03,2023-01-02 03:04:05+01:00,FALSE,9,\"\",\n"
        ",,,,,,,\n";
    Shape shape;
    infer_shape(rows_of(text), 100, shape);
    EXPECT_EQ(shape.schema()->to_string(),
              "id: int64, price: float64, day: date, at: timestamp_tz, ok: bool, zip: string, text: string");
    EXPECT_EQ(decode(shape, text),
              R"({"id":1,"price":2.5,"day":"2023-01-02","at":"2023-01-02T03:04:05Z","ok":true,"zip":"00123",)"
              R"("text":"a \"b\",\nc"})"
              "\n"
              R"({"id":-5,"price":3,"day":"2023-01-03","at":"2023-01-02T02:04:05Z","ok":false,"zip":"9","text":""})"
              "\n"
              R"({"id":null,"price":null,"day":null,"at":null,"ok":null,"zip":null,"text":null})"
              "\n");
}

TEST(CsvDecoder, RejectsRowsThatDoNotFit) {
    const Shape shape = shape_of("a: int64!, b: date!, c: list<int64>!");
    EXPECT_EQ(decode(shape,
                     "a,b,c\n"
                     "1.0,2023-01-02T23:00:00,\"[1,2]\"\n"
                     "1,2\n"
                     "1,2023-01-02,\"[1\",4\n"
                     "x,2023-01-02,[1]\n"
                     "1,soon,[1]\n"
                     "1,2023-01-02,[x]\n"
                     "1,2023-01-02,\"[1]\"x\n"
                     "\xFF,2023-01-02,[1]\n"
                     "2,,\n"
                     "3,,\"[1\n"),
              R"({"a":1,"b":"2023-01-02","c":[1,2]})"
              "\n"
              R"({"a":2,"b":null,"c":null})"
              "\nrow 1: row has 2 fields, the header has 3"
              "\nrow 2: row has 4 fields, the header has 3"
              "\nrow 3: value does not fit its column: a is int64, the value is x"
              "\nrow 4: value does not fit its column: b is date, the value is soon"
              "\nrow 5: value does not fit its column: c is list<int64>, the value is [x]"
              "\nrow 6: quoted field has no end, or text behind its closing quote"
              "\nrow 7: invalid UTF-8 at byte offset 0"
              "\nrow 9: quoted field has no end\n");
}

TEST(CsvDecoder, TreatsDriftByPolicy) {
    Shape shape = shape_of("a: int64, d: date");
    const char* text = "a,d,new\n1,2023-01-01,5\nx,2023-01-01T00:00:00,2.5\n1.0,,\n";
    const std::string rows = R"({"a":1,"d":"2023-01-01"})"
                             "\n"
                             R"({"a":null,"d":null})"
                             "\n"
                             R"({"a":null,"d":null})"
                             "\n";
    EXPECT_EQ(decode(shape, text), rows + "drift new: +float64\ndrift a: string\ndrift d: timestamp\n");
    shape.on_drift = OnDrift::ignore;
    EXPECT_EQ(decode(shape, text), rows + "ignored 5\n");
    shape.on_drift = OnDrift::reject_row;
    shape.ignore_unlisted = true;
    EXPECT_EQ(decode(shape, text), R"({"a":1,"d":"2023-01-01"})"
                                   "\nrow 1: value does not fit its column: a is int64, the value is x"
                                   "\nrow 2: value does not fit its column: a is int64, the value is 1.0\n");
}

TEST(CsvDecoder, ReadsBackWhatTheWriterWrote) {
    const auto type = [](const char* text) { return *DataType::parse(text); };
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"b", type("bool")},
                                                                    {"d", type("decimal(38,3)")},
                                                                    {"f", type("float64")},
                                                                    {"s", type("string")},
                                                                    {"y", type("bytes")},
                                                                    {"t", type("time")},
                                                                    {"z", type("timestamp_tz")},
                                                                    {"n", type("struct<a: int64, l: list<string>>")}});
    RecordBatchBuilder builder(schema);
    for (const char* text : {"", "plain", "a,\"b\"\r\nc", " "}) {
        builder.column(0).append_boolean(true);
        builder.column(1).append_decimal(-12'345);
        builder.column(2).append_float64(0.1);
        builder.column(3).append_text(text);
        builder.column(4).append_text(std::string_view("\0\xFF", 2));
        builder.column(5).append_int64(1'500'000);
        builder.column(6).append_int64(1'698'064'496'000'000);
        builder.column(7).child(0).append_null();
        builder.column(7).child(1).child(0).append_text(text);
        builder.column(7).child(1).append_list();
        builder.column(7).append_structure();
        builder.end_row();
    }
    for (size_t i = 0; i < schema->size(); ++i) builder.column(i).append_null();
    builder.end_row();
    const RecordBatch batch = builder.finish();
    const std::vector<uint32_t> rows{0, 1, 2, 3, 4};
    std::string text;
    append_csv_header(*schema, text);
    append_csv_rows(batch, rows, text);
    Shape shape;
    for (const auto& field : schema->fields()) shape.columns.push_back({field.name, field.type, {field.name}, true});
    const Decoded decoded = RowDecoder::create(RawFormat::csv, shape)->decode(rows_of(text));
    EXPECT_TRUE(decoded.rejected.empty()) << describe(decoded);
    ASSERT_EQ(decoded.rows.rows(), rows.size());
    for (const uint32_t row : rows) EXPECT_EQ(decoded.rows.row_as_json(row), batch.row_as_json(row));
}

}  // namespace
}  // namespace shaduf
