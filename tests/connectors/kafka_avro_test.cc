#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/avro_default.h"
#include "connectors/kafka/avro_reader.h"
#include "connectors/kafka/json_scalar.h"

namespace shaduf::kafka {
namespace {

using testing::HasSubstr;

// The bytes of a payload: numbers are longs, texts come behind their length, bytes as they are.
struct Bytes {
    std::string text;
    Bytes& n(int64_t value) {
        append_avro_long(value, text);
        return *this;
    }
    Bytes& s(std::string_view value) {
        n(static_cast<int64_t>(value.size()));
        text += value;
        return *this;
    }
    Bytes& raw(std::string_view value) {
        text += value;
        return *this;
    }
};

std::string record(const std::string& fields) { return R"({"type":"record","name":"R","fields":[)" + fields + "]}"; }
std::string field(const std::string& type) { return record(R"({"name":"f","type":)" + type + "}"); }

// The row as JSON, behind its columns; or why there is none.
std::string read(const std::string& writer, const Bytes& bytes, const std::string& reader = "") {
    auto schema = AvroSchema::parse(writer);
    if (!schema.ok()) return schema.error().message();
    AvroSchemaPtr wanted;
    if (!reader.empty()) {
        auto parsed = AvroSchema::parse(reader);
        if (!parsed.ok()) return parsed.error().message();
        wanted = parsed.release_value();
    }
    auto made = make_avro_reader(schema.release_value(), wanted);
    if (!made.ok()) return made.error().message();
    BufferBuilder padded;
    padded.append(bytes.text);
    const BufferPtr payload = padded.finish();
    RecordBatchBuilder rows(made.value()->schema());
    if (const auto why = made.value()->read(payload->view(), rows)) return *why;
    rows.end_row();
    return made.value()->schema()->to_string() + " " + rows.finish().row_as_json(0);
}

struct Case {
    std::string schema;
    Bytes bytes;
    std::string expected;
};

TEST(KafkaAvro, Types) {
    const std::string half("\0\0\0\x3f", 4);
    const std::string quarter("\0\0\0\0\0\0\xd0\x3f", 8);
    const std::vector<Case> cases = {
        {field(R"("int")"), Bytes().n(-1), R"(f: int64 {"f":-1})"},
        {field(R"("long")"), Bytes().n(INT64_MIN), R"(f: int64 {"f":-9223372036854775808})"},
        {field(R"("boolean")"), Bytes().raw("\1"), R"(f: bool {"f":true})"},
        {field(R"("float")"), Bytes().raw(half), R"(f: float64 {"f":0.5})"},
        {field(R"("double")"), Bytes().raw(quarter), R"(f: float64 {"f":0.25})"},
        {field(R"("string")"), Bytes().s("ö"), R"(f: string {"f":"ö"})"},
        {field(R"("bytes")"), Bytes().s("\xff"), R"(f: bytes {"f":"\\xff"})"},
        {field(R"({"type":"fixed","name":"F","size":2})"), Bytes().raw("ab"), R"(f: bytes {"f":"\\x6162"})"},
        {field(R"({"type":"enum","name":"E","symbols":["A","B"]})"), Bytes().n(1), R"(f: string {"f":"B"})"},
        {field(R"(["null","int"])"), Bytes().n(0), R"(f: int64 {"f":null})"},
        {field(R"(["int","null"])"), Bytes().n(0).n(7), R"(f: int64 {"f":7})"},
        {field(R"(["int"])"), Bytes().n(0).n(7), R"(f: int64 {"f":7})"},
        {field(R"(["null","int","string"])"), Bytes().n(2).s("x"), R"(f: json {"f":"x"})"},
        {field(R"(["null","int","string"])"), Bytes().n(0), R"(f: json {"f":null})"},
        {field(R"({"type":"array","items":"int"})"), Bytes().n(2).n(1).n(2).n(-1).n(1).n(3).n(0),
         R"(f: json {"f":[1,2,3]})"},
        {field(R"({"type":"map","values":["null","long"]})"), Bytes().n(1).s("a\"").n(1).n(5).n(0),
         R"(f: json {"f":{"a\"":5}})"},
        {field(R"({"type":"int","logicalType":"date"})"), Bytes().n(19'000), R"(f: date {"f":"2022-01-08"})"},
        {field(R"({"type":"int","logicalType":"time-millis"})"), Bytes().n(3'600'001),
         R"(f: time {"f":"01:00:00.001000"})"},
        {field(R"({"type":"long","logicalType":"timestamp-millis"})"), Bytes().n(1500),
         R"(f: timestamp_tz {"f":"1970-01-01T00:00:01.500000Z"})"},
        {field(R"({"type":"long","logicalType":"timestamp-nanos"})"), Bytes().n(-1),
         R"(f: timestamp_tz {"f":"1969-12-31T23:59:59.999999Z"})"},
        {field(R"({"type":"long","logicalType":"local-timestamp-micros"})"), Bytes().n(1),
         R"(f: timestamp {"f":"1970-01-01T00:00:00.000001"})"},
        {field(R"({"type":"long","connect.name":"io.debezium.time.MicroTimestamp"})"), Bytes().n(1),
         R"(f: timestamp {"f":"1970-01-01T00:00:00.000001"})"},
        {field(R"({"type":"string","connect.name":"io.debezium.time.ZonedTimestamp"})"),
         Bytes().s("2026-01-02T03:04:05+01:00"), R"(f: timestamp_tz {"f":"2026-01-02T02:04:05Z"})"},
        {field(R"({"type":"bytes","logicalType":"decimal","precision":10,"scale":2})"), Bytes().s("\xff\x7f"),
         R"(f: decimal(10,2) {"f":-1.29})"},
        {field(R"({"type":{"type":"fixed","name":"D","size":3,"logicalType":"decimal","precision":6}})"),
         Bytes().raw(std::string_view("\0\1\0", 3)), R"(f: decimal(6,0) {"f":256})"},
        {field(R"({"type":"string","logicalType":"uuid"})"), Bytes().s("0b6b4a5c-8f0e-4b53-9c1d-5d1f0e7a9b2c"),
         R"(f: uuid {"f":"0b6b4a5c-8f0e-4b53-9c1d-5d1f0e7a9b2c"})"},
        {field(R"({"type":"fixed","name":"T","size":12,"logicalType":"duration"})"),
         Bytes().raw(std::string_view("\1\0\0\0\2\0\0\0\xbc\x0b\0\0", 12)), R"(f: string {"f":"P1M2DT3.004S"})"},
        {field(R"({"type":"int","logicalType":"unheard-of"})"), Bytes().n(1), R"(f: int64 {"f":1})"},
        {R"("long")", Bytes().n(5), R"(value: int64 {"value":5})"},
        {"string", Bytes().s("x"), R"(value: string {"value":"x"})"},
    };
    for (const auto& [schema, bytes, expected] : cases) {
        SCOPED_TRACE(schema);
        EXPECT_EQ(read(schema, bytes), expected);
    }
}

TEST(KafkaAvro, RecordsWithin) {
    const std::string inner =
        R"({"type":"record","name":"In","fields":[{"name":"x","type":"int"},{"name":"Y","type":"string"}]})";
    const std::string nullable = record(R"({"name":"a","type":["null",)" + inner +
                                        R"(]},{"name":"b","type":"In"},{"name":"A__x","type":"int"})");
    EXPECT_EQ(read(nullable, Bytes().n(0).n(1).s("p").n(9)),
              "a__x: int64, a__Y: string, b__x: int64, b__Y: string, A__x_2: int64 "
              R"({"a__x":null,"a__Y":null,"b__x":1,"b__Y":"p","A__x_2":9})");
    const std::string list =
        R"({"type":"record","name":"n.L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]}]})";
    EXPECT_EQ(read(list, Bytes().n(1).n(1).n(2).n(1).n(3).n(0)),
              R"(v: int64, next: json {"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})");
    const std::string items = field(R"({"type":"array","items":{"type":"record","name":"I","fields":[{"name":"d",)"
                                    R"("type":{"type":"int","logicalType":"date"}},{"name":"n","type":{"type":"bytes",)"
                                    R"("logicalType":"decimal","precision":4,"scale":2}}]}})");
    EXPECT_EQ(read(items, Bytes().n(1).n(0).s("\5").n(0)), R"(f: json {"f":[{"d":"1970-01-01","n":0.05}]})");
}

TEST(KafkaAvro, ReaderSchema) {
    const std::string writer =
        record(R"({"name":"gone","type":{"type":"array","items":["null","string"]}},{"name":"n",)"
               R"("type":"int"},{"name":"old","type":"string"})");
    const std::string reader =
        record(R"({"name":"added","type":"string","default":"d\u00e9"},{"name":"n","type":["null","double"]},)"
               R"({"name":"new","type":"bytes","aliases":["old"]},{"name":"list","type":{"type":"array",)"
               R"("items":"int"},"default":[1,2]})");
    const Bytes bytes = Bytes().n(2).n(1).s("x").n(0).n(0).n(3).s("o");
    EXPECT_EQ(read(writer, bytes, reader),
              "added: string, n: float64, new: bytes, list: json "
              R"({"added":"dé","n":3,"new":"\\x6f","list":[1,2]})");
    EXPECT_THAT(read(writer, bytes, record(R"({"name":"x","type":"int"})")), HasSubstr("has no default"));
    EXPECT_THAT(read(field(R"("string")"), Bytes().s("x"), field(R"("int")")),
                HasSubstr("field f cannot be read: the writer's type cannot be read as the reader's int64"));
    EXPECT_EQ(read(field(R"(["int","string"])"), Bytes().n(0).n(4), field(R"("int")")), R"(f: int64 {"f":4})");
    EXPECT_THAT(read(field(R"(["int","string"])"), Bytes().n(1).s("x"), field(R"("int")")),
                HasSubstr("cannot be read as"));
    EXPECT_THAT(read(field(R"(["null","int"])"), Bytes().n(0), field(R"("int")")), HasSubstr("null has no place"));
    const std::string symbols = R"({"type":"enum","name":"E","symbols":["A"],"default":"A"})";
    EXPECT_EQ(read(field(R"({"type":"enum","name":"E","symbols":["A","B"]})"), Bytes().n(1), field(symbols)),
              R"(f: string {"f":"A"})");
    EXPECT_EQ(read(field(R"("long")"), Bytes().n(1), field(R"({"type":"long","logicalType":"timestamp-millis"})")),
              R"(f: timestamp_tz {"f":"1970-01-01T00:00:00.001000Z"})");
}

TEST(KafkaAvro, BrokenBytes) {
    const std::vector<Case> cases = {
        {field(R"("int")"), Bytes(), "field f cannot be read: the bytes end inside it"},
        {field(R"("int")"), Bytes().n(1LL << 40), "field f cannot be read: an int has more than 32 bits"},
        {field(R"("long")"), Bytes().raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
         "field f cannot be read: a number has more than 64 bits"},
        {field(R"("string")"), Bytes().n(5).raw("abc"), "field f cannot be read: the bytes end inside it"},
        {field(R"("string")"), Bytes().n(-1), "field f cannot be read: a length is negative"},
        {field(R"("string")"), Bytes().s("\xff"), "field f cannot be read: a text is not valid UTF-8"},
        {field(R"("boolean")"), Bytes().raw("\2"), "field f cannot be read: a boolean is neither 0 nor 1"},
        {field(R"("double")"), Bytes().raw("1234567"), "field f cannot be read: the bytes end inside it"},
        {field(R"(["null","int"])"), Bytes().n(2), "field f cannot be read: a union has no branch of that number"},
        {field(R"(["null","int","string"])"), Bytes().n(-1),
         "field f cannot be read: a union has no branch of that number"},
        {field(R"({"type":"array","items":"null"})"), Bytes().n(1LL << 50),
         "field f cannot be read: a block has more items than bytes"},
        {field(R"({"type":"array","items":"int"})"), Bytes().n(INT64_MIN),
         "field f cannot be read: a block has too many items"},
        {field(R"({"type":"array","items":"int"})"), Bytes().n(-1).n(-1),
         "field f cannot be read: the bytes end inside it"},
        {field(R"({"type":"enum","name":"E","symbols":["A"]})"), Bytes().n(1),
         "field f cannot be read: an enum has no symbol of that number"},
        {field(R"({"type":"bytes","logicalType":"decimal","precision":2})"), Bytes().s("\x64"),
         "field f cannot be read: a decimal has more digits than its schema says"},
        {field(R"({"type":"int","logicalType":"time-millis"})"), Bytes().n(-1),
         "field f cannot be read: a time is out of range"},
        {field(R"({"type":"long","logicalType":"timestamp-millis"})"), Bytes().n(INT64_MAX),
         "field f cannot be read: a time is out of range"},
        {field(R"({"type":"string","logicalType":"uuid"})"), Bytes().s("x"),
         "field f cannot be read: a text is no UUID"},
        {field(R"("int")"), Bytes().n(1).n(1),
         "bytes are left behind the record: 1; it was written with another schema"},
    };
    for (const auto& [schema, bytes, expected] : cases) {
        SCOPED_TRACE(schema);
        EXPECT_EQ(read(schema, bytes), expected);
    }
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += '\2';
    EXPECT_THAT(
        read(R"({"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]})", Bytes().raw(deep)),
        HasSubstr("values are nested too deep"));
}

TEST(KafkaAvro, BrokenSchemas) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "type is not known"},
        {"{", "type is not known"},
        {R"({"type":"record"})", "a named type has no name"},
        {R"({"type":"record","name":"R"})", "a record has no fields"},
        {field(R"("Nowhere")"), "type is not known: Nowhere"},
        {record(R"({"name":"a","type":"int"},{"name":"a","type":"int"})"), "a field has no name of its own: R.a"},
        {field("[]"), "a union has no branch"},
        {field(R"({"type":"record","name":"R","fields":[]})"), "a name is defined twice: R"},
        {field(R"({"type":"fixed","name":"F","size":-1})"), "a fixed type has no size"},
        {field(R"({"type":"array"})"), "a list or map has no items"},
        {field(std::string(5000, '[') + std::string(5000, ']')), "it is nested too deep"},
        {field(std::string(500, '[') + std::string(500, ']')), "types are nested too deep"},
    };
    for (const auto& [schema, expected] : cases) {
        SCOPED_TRACE(schema.substr(0, 200));
        EXPECT_THAT(read(schema, Bytes()), HasSubstr(expected));
    }
    // Each record has two of the next: no bytes at all, and as many values as one likes.
    std::string types = R"({"type":"record","name":"R0","fields":[]})";
    for (int i = 1; i < 60; ++i) {
        const std::string below = "R" + std::to_string(i - 1);
        types = R"({"type":"record","name":"R)" + std::to_string(i) + R"(","fields":[{"name":"a","type":)" + types +
                R"(},{"name":"b","type":")" + below + R"("}]})";
    }
    EXPECT_THAT(read(field(R"({"type":"array","items":)" + types + "}"), Bytes().n(1).n(0)),
                HasSubstr("more items than bytes"));
    EXPECT_THAT(read(field(types), Bytes()), HasSubstr("schema has more than 65536 fields"));
}

TEST(KafkaAvro, DecimalsAsJson) {
    const std::tuple<int64_t, int, const char*> cases[] = {{5, 2, "0.05"}, {-5, 2, "-0.05"}, {0, 0, "0"},
                                                           {0, 1, "0.0"},  {123, 0, "123"},  {-12345, 2, "-123.45"}};
    for (const auto& [unscaled, scale, expected] : cases) {
        std::string text;
        append_json_decimal(unscaled, scale, text);
        EXPECT_EQ(text, expected);
    }
}

}  // namespace
}  // namespace shaduf::kafka
