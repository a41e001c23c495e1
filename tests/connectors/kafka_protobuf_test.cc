#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/protobuf_reader.h"
#include "connectors/kafka/wire_frame.h"
#include "tests/connectors/kafka_messages.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

namespace pb = google::protobuf;
using testing::ElementsAre;
using testing::HasSubstr;

ProtobufSchemaPtr schema_of(const std::string& text) {
    RegisteredSchema schema;
    schema.language = SchemaLanguage::protobuf;
    schema.text = text;
    auto parsed = ProtobufSchema::parse(schema);
    EXPECT_TRUE(parsed.ok()) << parsed.error().to_string();
    return parsed.release_value();
}

// Protobuf's own bytes of a message in its text format.
std::string encode(const pb::Descriptor& message, const std::string& text) {
    pb::DynamicMessageFactory factory;
    const std::unique_ptr<pb::Message> made(factory.GetPrototype(&message)->New());
    pb::TextFormat::Parser parser;
    parser.AllowPartialMessage(true);
    EXPECT_TRUE(parser.ParseFromString(text, made.get())) << text;
    return made->SerializePartialAsString();
}

// The row as JSON, behind its columns; or why there is none.
std::string read_bytes(const std::string& schema, const std::string& bytes) {
    const auto file = schema_of(schema);
    auto reader = make_protobuf_reader(file, *file->message_named("M"));
    if (!reader.ok()) return reader.error().message();
    BufferBuilder padded;
    padded.append(bytes);
    const BufferPtr payload = padded.finish();
    RecordBatchBuilder rows(reader.value()->schema());
    if (const auto why = reader.value()->read(payload->view(), rows)) return *why;
    rows.end_row();
    return reader.value()->schema()->to_string() + " " + rows.finish().row_as_json(0);
}

std::string read(const std::string& schema, const std::string& text) {
    const auto file = schema_of(schema);
    return read_bytes(schema, encode(*file->message_named("M"), text));
}

std::string proto3(const std::string& fields, const std::string& more = "") {
    return "syntax = \"proto3\"; " + more + " message M { " + fields + " }";
}
std::string proto2(const std::string& fields) { return "syntax = \"proto2\"; message M { " + fields + " }"; }

struct Case {
    std::string schema;
    std::string message;
    std::string expected;
};

TEST(KafkaProtobuf, Types) {
    const std::string stamp = "import \"google/protobuf/timestamp.proto\";";
    const std::string length = "import \"google/protobuf/duration.proto\";";
    const std::string wrappers = "import \"google/protobuf/wrappers.proto\";";
    const std::string any = "import \"google/protobuf/struct.proto\";";
    const std::vector<Case> cases = {
        {proto3("int32 f = 1;"), "f: -5", R"(f: int64 {"f":-5})"},
        {proto3("int64 f = 1;"), "f: -9223372036854775808", R"(f: int64 {"f":-9223372036854775808})"},
        {proto3("uint32 f = 1;"), "f: 4294967295", R"(f: int64 {"f":4294967295})"},
        {proto3("uint64 f = 1;"), "f: 18446744073709551615", R"(f: decimal(20,0) {"f":18446744073709551615})"},
        {proto3("sint32 f = 1;"), "f: -2147483648", R"(f: int64 {"f":-2147483648})"},
        {proto3("sint64 f = 1;"), "f: -7", R"(f: int64 {"f":-7})"},
        {proto3("fixed32 f = 1;"), "f: 4294967295", R"(f: int64 {"f":4294967295})"},
        {proto3("sfixed32 f = 1;"), "f: -1", R"(f: int64 {"f":-1})"},
        {proto3("fixed64 f = 1;"), "f: 5", R"(f: decimal(20,0) {"f":5})"},
        {proto3("sfixed64 f = 1;"), "f: -1", R"(f: int64 {"f":-1})"},
        {proto3("float f = 1;"), "f: 0.5", R"(f: float64 {"f":0.5})"},
        {proto3("double f = 1;"), "f: 0.1", R"(f: float64 {"f":0.1})"},
        {proto3("bool f = 1;"), "f: true", R"(f: bool {"f":true})"},
        {proto3("string f = 1;"), "f: '\\xc3\\xb6'", R"(f: string {"f":"ö"})"},
        {proto3("bytes f = 1;"), "f: '\\xff'", R"(f: bytes {"f":"\\xff"})"},
        {proto3("E f = 1;", "enum E { A = 0; B = 1; }"), "f: B", R"(f: string {"f":"B"})"},
        {proto3("E f = 1;", "enum E { A = 0; B = 1; }"), "f: 7", R"(f: string {"f":"7"})"},
        {proto3("repeated int32 f = 1;"), "f: [1, 2]", R"(f: json {"f":[1,2]})"},
        {proto3("repeated int32 f = 1 [packed = false];"), "f: [1, 2]", R"(f: json {"f":[1,2]})"},
        {proto3("repeated string f = 1;"), "f: ['a', 'b\"']", R"(f: json {"f":["a","b\""]})"},
        {proto3("repeated uint64 f = 1;"), "f: 18446744073709551615", R"(f: json {"f":[18446744073709551615]})"},
        {proto3("map<string, int32> f = 1;"), "f { key: 'k' value: 3 }", R"(f: json {"f":{"k":3}})"},
        {proto3("map<int32, N> f = 1;", "message N { int32 x = 1; }"), "f { key: 1 value { x: 2 } }",
         R"(f: json {"f":{"1":{"x":2}}})"},
        {proto3("google.protobuf.Timestamp f = 1;", stamp), "f { seconds: -1 nanos: 500000000 }",
         R"(f: timestamp_tz {"f":"1969-12-31T23:59:59.500000Z"})"},
        {proto3("google.protobuf.Duration f = 1;", length), "f { seconds: -3 nanos: -4000000 }",
         R"(f: string {"f":"-3.004s"})"},
        {proto3("google.protobuf.Int64Value f = 1;", wrappers), "f { }", R"(f: int64 {"f":0})"},
        {proto3("google.protobuf.StringValue f = 1;", wrappers), "", R"(f: string {"f":null})"},
        {proto3("google.protobuf.FloatValue f = 1;", wrappers), "f { value: 0.5 }", R"(f: float64 {"f":0.5})"},
        {proto3("google.protobuf.UInt64Value f = 1;", wrappers), "f { value: 6 }", R"(f: decimal(20,0) {"f":6})"},
        {proto3("google.type.Date f = 1;", "import \"google/type/date.proto\";"), "f { year: 2026 month: 1 day: 2 }",
         R"(f: date {"f":"2026-01-02"})"},
        {proto3("google.protobuf.Struct f = 1;", any),
         "f { fields { key: 'a' value { list_value { values { number_value: 1 } values { null_value: NULL_VALUE } } } "
         "} }",
         R"(f: json {"f":{"a":[1,null]}})"},
        {proto3("confluent.type.Decimal f = 1;", "import \"confluent/type/decimal.proto\";"),
         "f { value: '\\x05' scale: 2 }", R"(f: string {"f":"0.05"})"},
        {proto3("confluent.type.Decimal f = 1 [(confluent.field_meta) = { params: [ { key: 'precision', value: '9' },"
                "{ key: 'scale', value: '3' } ] }];",
                "import \"confluent/type/decimal.proto\"; import \"confluent/meta.proto\";"),
         "f { value: '\\x05' scale: 2 }", R"(f: decimal(9,3) {"f":0.050})"},
    };
    for (const auto& [schema, message, expected] : cases) {
        SCOPED_TRACE(schema + " " + message);
        EXPECT_EQ(read(schema, message), expected);
    }
}

TEST(KafkaProtobuf, WhatIsNotThere) {
    const std::vector<Case> cases = {
        {proto3("int32 a = 1; optional int32 b = 2; string c = 3; oneof o { int32 d = 4; string e = 5; }"), "",
         R"(a: int64, b: int64, c: string, d: int64, e: string {"a":0,"b":null,"c":"","d":null,"e":null})"},
        {proto3("optional int32 b = 2; oneof o { int32 d = 4; string e = 5; }"), "b: 0 e: ''",
         R"(b: int64, d: int64, e: string {"b":0,"d":null,"e":""})"},
        {proto3("N n = 1;", "message N { int32 x = 1; N2 m = 2; } message N2 { string y = 1; }"), "",
         R"(n__x: int64, n__m__y: string {"n__x":null,"n__m__y":null})"},
        {proto3("N n = 1;", "message N { int32 x = 1; N2 m = 2; } message N2 { string y = 1; }"), "n { }",
         R"(n__x: int64, n__m__y: string {"n__x":0,"n__m__y":null})"},
        {proto3("repeated int32 l = 1; map<int32, int32> m = 2;"), "", R"(l: json, m: json {"l":[],"m":{}})"},
        {proto2("optional int32 a = 1; optional sint32 b = 2 [default = -3]; optional double c = 3 [default = 0.5];"
                "optional E d = 4 [default = Y]; enum E { X = 0; Y = 1; } optional string e = 5 [default = 'q'];"),
         "", R"(a: int64, b: int64, c: float64, d: string, e: string {"a":null,"b":-3,"c":0.5,"d":"Y","e":"q"})"},
        {proto2("required int32 a = 1;"), "", "field a cannot be read: it is required, and is not there"},
        {proto2("optional group G = 1 { optional int32 x = 1; } repeated group H = 2 { optional int32 y = 1; }"),
         "G { x: 5 } H { y: 1 } H { y: 2 }", R"(g__x: int64, h: json {"g__x":5,"h":[{"y":1},{"y":2}]})"},
        {proto3("int32 v = 1; M next = 2;"), "v: 1 next { v: 2 next { v: 3 } }",
         R"(v: int64, next: json {"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
    };
    for (const auto& [schema, message, expected] : cases) {
        SCOPED_TRACE(schema + " " + message);
        EXPECT_EQ(read(schema, message), expected);
    }
}

TEST(KafkaProtobuf, FieldsThatComeTwice) {
    const std::string nested = proto3("N n = 1; int32 a = 2;", "message N { int32 x = 1; int32 y = 2; }");
    EXPECT_EQ(read_bytes(nested, "\x0a\x02\x08\x05\x10\x01\x0a\x02\x10\x06\x10\x02"),
              R"(n__x: int64, n__y: int64, a: int64 {"n__x":5,"n__y":6,"a":2})");
    const std::string oneof = proto3("oneof o { N n = 1; int32 a = 2; }", "message N { int32 x = 1; int32 y = 2; }");
    EXPECT_EQ(read_bytes(oneof, "\x0a\x02\x08\x05\x10\x01\x0a\x02\x10\x06"),
              R"(n__x: int64, n__y: int64, a: int64 {"n__x":0,"n__y":6,"a":null})");
    const std::string stamp = proto3("google.protobuf.Timestamp f = 1;", "import \"google/protobuf/timestamp.proto\";");
    EXPECT_EQ(read_bytes(stamp, std::string("\x0a\x02\x08\x05\x0a\x05\x10\x80\xca\xb5\xee\x01", 12).substr(0, 4) +
                                    std::string("\x0a\x03\x10\xe8\x07", 5)),
              R"(f: timestamp_tz {"f":"1970-01-01T00:00:05.000001Z"})");
}

TEST(KafkaProtobuf, HalvesOfAMessageAreNotOne) {
    const std::string halves("\x0a\x02\x09\xe7\x0a\x07\x0a\x01kb\x03\x0a\x01", 13);
    EXPECT_EQ(
        read_bytes(proto3("google.protobuf.Timestamp f = 1;", "import \"google/protobuf/timestamp.proto\";"), halves),
        "field f cannot be read: the bytes end inside it");
    EXPECT_EQ(read_bytes(proto3("M f = 1; int64 x = 2;"), halves), "field f cannot be read: the bytes end inside it");
}

TEST(KafkaProtobuf, BrokenBytes) {
    const std::string one = proto3("int32 f = 1;");
    const std::vector<Case> cases = {
        {one, "\x08", "field f cannot be read: the bytes end inside it"},
        {one, "\x0a\x01x", "field f cannot be read: it stands in the bytes in another form than its type has"},
        {one, std::string("\x00", 1), "field M cannot be read: a field has a number or form that cannot be"},
        {one, "\x0f", "field M cannot be read: a field has a number or form that cannot be"},
        {one, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "field f cannot be read: a number has more than 64 bits"},
        {one, "\x14", "field M cannot be read: a group ends that did not begin"},
        {one, "\x13\x1c", "field M cannot be read: a group ends that did not begin"},
        {one, "\x13\x08\x01", "field M cannot be read: the bytes end inside it"},
        {one, std::string(1000, '\x13'), "field M cannot be read: groups are nested too deep"},
        {one, "\x13\x08\x01\x14\x08\x07", R"(f: int64 {"f":7})"},
        {proto3("string f = 1;"), "\x0a\x05x", "field f cannot be read: the bytes end inside it"},
        {proto3("string f = 1;"), "\x0a\x01\xff", "field f cannot be read: a text is not valid UTF-8"},
        {proto3("repeated fixed32 f = 1;"), "\x0a\x03xyz", "field f cannot be read: a packed list is broken"},
        {proto3("repeated string f = 1;"), "\x0a\x01\xff", "field f cannot be read: a text is not valid UTF-8"},
        {proto3("repeated M f = 1;"), "\x0a\x01\x08", "field f cannot be read: the bytes end inside it"},
        {proto3("google.protobuf.Timestamp f = 1;", "import \"google/protobuf/timestamp.proto\";"),
         "\x0a\x02\x10\xff\xff\xff\xff\x0f", "field M cannot be read: "},
    };
    for (const auto& [schema, bytes, expected] : cases) {
        SCOPED_TRACE(schema);
        EXPECT_THAT(read_bytes(schema, bytes), HasSubstr(expected.substr(0, 60)));
    }
    std::string deep;
    for (int i = 0; i < 200; ++i) {
        std::string size;
        for (size_t left = deep.size(); true; left >>= 7) {
            size += static_cast<char>((left & 0x7F) | (left >= 0x80 ? 0x80 : 0));
            if (left < 0x80) break;
        }
        deep = "\x0a" + size + deep;
    }
    EXPECT_THAT(read_bytes(proto3("M f = 1;"), deep), HasSubstr("messages are nested too deep"));
}

TEST(KafkaProtobuf, BrokenSchemas) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "it has no message"},
        {"message {", "line 1"},
        {proto3("Nowhere f = 1;"), "Nowhere"},
        {proto3("int32 f = 1;", "import \"a.proto\";"), "a.proto: it is imported, and the registry has no reference"},
        {std::string(1000, '{'), "it is nested too deep"},
    };
    for (const auto& [text, expected] : cases) {
        RegisteredSchema schema;
        schema.text = text;
        const auto parsed = ProtobufSchema::parse(schema);
        ASSERT_FALSE(parsed.ok()) << text;
        EXPECT_THAT(parsed.error().message(), HasSubstr(expected));
    }
}

TEST(KafkaProtobuf, MessagesOfTheRegistry) {
    World world;
    const std::string text =
        "syntax = \"proto3\"; import \"common.proto\"; message A { c.C c = 1; } message B { message D { string s = 1; "
        "} "
        "D d = 1; }";
    const std::string common = "syntax = \"proto3\"; package c; message C { int32 x = 1; }";
    world.http.expect("GET /schemas/ids/9")
        .reply(R"({"schemaType":"PROTOBUF","schema":)" + nlohmann::json(text).dump() +
               R"(,"references":[{"name":"common.proto","subject":"common","version":1}]})");
    world.http.expect("GET /subjects/common/versions/1")
        .reply(R"({"schemaType":"PROTOBUF","schema":)" + nlohmann::json(common).dump() + "}");
    const auto registry = SchemaRegistry::create({.urls = {"http://one"}}).release_value();
    const std::string frame = frame_of_id(9);
    const auto messages = MessagesOf()
                              .add(frame + std::string("\0", 1) + "\x0a\x02\x08\x05")
                              .add(frame + std::string("\2\0", 2) + "\x0a\x02\x08\x06")
                              .add(frame + std::string("\4\2\0", 3) + "\x0a\x01z")
                              .add(frame + std::string("\2\x08", 2))
                              .add(frame + "\xff")
                              .add(frame + std::string("\0", 1) + "\x0a")
                              .done();
    auto decoder = make_decoder({.value = Format::protobuf, .registry = registry}).release_value();
    const auto rows = decoder->to_rows(world.run, messages);
    ASSERT_TRUE(rows.ok()) << rows.error().to_string();
    const auto& encoded = *std::get<std::shared_ptr<const EncodedRows>>(rows.value());
    const auto decoded = encoded.decode();
    EXPECT_EQ(decoded.rows.row_as_json(0), R"({"c__x":5,"s":null})");
    EXPECT_EQ(decoded.rows.row_as_json(1), R"({"c__x":6,"s":null})");
    EXPECT_EQ(decoded.rows.row_as_json(2), R"({"c__x":null,"s":"z"})");
    std::vector<std::string> why;
    for (const auto& rejected : decoded.rejected) {
        why.push_back(encoded.position(rejected.row) + " " + rejected.why.message());
    }
    EXPECT_THAT(why, ElementsAre(HasSubstr("orders/3:43 schema has no message of that number: 4"),
                                 HasSubstr("orders/3:44 the numbers of the message's type"),
                                 HasSubstr("orders/3:45 field c cannot be read")));
}

}  // namespace
}  // namespace shaduf::kafka
