#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/registry_encoder.h"
#include "data/builder.h"
#include "tests/connectors/kafka_messages.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

using testing::HasSubstr;

constexpr const char* kMissing = R"({"error_code":40401,"message":"Subject not found"})";

// A column of each type, a row of values and a row of nulls.
RecordBatch rows_of_all_types() {
    const std::vector<Field> fields{{"b-ool", TypeKind::boolean},
                                    {"i", TypeKind::int64},
                                    {"d", TypeKind::float64},
                                    {"n", DataType::decimal(20, 2)},
                                    {"s", TypeKind::string},
                                    {"y", TypeKind::bytes},
                                    {"day", TypeKind::date},
                                    {"t", TypeKind::time},
                                    {"w", TypeKind::timestamp},
                                    {"z", TypeKind::timestamp_tz},
                                    {"u", TypeKind::uuid},
                                    {"j", TypeKind::json},
                                    {"l", DataType::list(TypeKind::int64)},
                                    {"r", DataType::structure({{"x", TypeKind::int64}, {"q", TypeKind::string}})}};
    RecordBatchBuilder rows(std::make_shared<const Schema>(fields));
    rows.column(0).append_boolean(true);
    rows.column(1).append_int64(-300);
    rows.column(2).append_float64(0.5);
    rows.column(3).append_decimal(-12'345);
    rows.column(4).append_text("ö\"");
    rows.column(5).append_text("\xff");
    rows.column(6).append_date(19'000);
    rows.column(7).append_int64(1'000'000);
    rows.column(8).append_int64(-1'500'000);
    rows.column(9).append_int64(-1'500'000);
    rows.column(10).append_uuid(std::string(16, '\x11'));
    rows.column(11).append_text(R"({"a":1})");
    rows.column(12).child(0).append_int64(1);
    rows.column(12).child(0).append_null();
    rows.column(12).append_list();
    rows.column(13).child(0).append_int64(7);
    rows.column(13).child(1).append_null();
    rows.column(13).append_structure();
    rows.end_row();
    for (size_t i = 0; i < fields.size(); ++i) rows.column(i).append_null();
    rows.end_row();
    return rows.finish();
}

// The rows as our own decoder reads them, by the schema that the encoder registered.
RecordBatch round_trip(World& world, Encoder& encoder, Format format, const std::shared_ptr<SchemaRegistry>& registry,
                       const RecordBatch& rows) {
    world.http.expect("POST /subjects/sales-orders-value/versions").reply(R"({"id":5})");
    const auto prepared = encoder.prepare(world.run, rows.schema());
    EXPECT_TRUE(prepared.ok()) << prepared.error().to_string();
    world.http.expect("GET /schemas/ids/5").reply(world.http.requests().back().body);
    MessagesOf messages;
    for (size_t row = 0; row < rows.rows(); ++row) {
        std::string value;
        EXPECT_TRUE(encoder.encode(rows, row, value).ok());
        messages.add(value);
    }
    auto decoder = make_decoder({.value = format, .registry = registry}).release_value();
    auto made = decoder->to_rows(world.run, messages.done());
    EXPECT_TRUE(made.ok()) << made.error().to_string();
    auto decoded = std::get<std::shared_ptr<const EncodedRows>>(made.value())->decode();
    for (const auto& rejected : decoded.rejected) ADD_FAILURE() << rejected.why.to_string();
    return decoded.rows;
}

TEST(KafkaEncoder, AvroComesBackAsItWas) {
    World world;
    const auto registry = SchemaRegistry::create({.urls = {"http://one"}}).release_value();
    const auto encoder = make_avro_encoder({.registry = registry, .topic = "sales-orders"});
    const RecordBatch rows = rows_of_all_types();
    const RecordBatch back = round_trip(world, *encoder, Format::avro, registry, rows);
    EXPECT_EQ(back.schema()->to_string(),
              "b_ool: bool, i: int64, d: float64, n: decimal(20,2), s: string, y: bytes, day: date, t: time, "
              "w: timestamp, z: timestamp_tz, u: uuid, j: string, l: json, r__x: int64, r__q: string");
    EXPECT_EQ(back.row_as_json(0),
              R"({"b_ool":true,"i":-300,"d":0.5,"n":-123.45,"s":"ö\"","y":"\\xff","day":"2022-01-08","t":"00:00:01",)"
              R"("w":"1969-12-31T23:59:58.500000","z":"1969-12-31T23:59:58.500000Z",)"
              R"("u":"11111111-1111-1111-1111-111111111111","j":"{\"a\":1}","l":[1,null],"r__x":7,"r__q":null})");
    for (const Column& column : back.columns()) EXPECT_TRUE(column.is_null(1));
}

TEST(KafkaEncoder, ProtobufComesBackAsItWas) {
    World world;
    const auto registry = SchemaRegistry::create({.urls = {"http://one"}}).release_value();
    const auto encoder =
        make_protobuf_encoder({.registry = registry, .topic = "sales-orders", .record = "sales.v1.Order"});
    world.http.expect("GET /subjects/sales-orders-value/versions/latest").reply(404, kMissing);
    const RecordBatch rows = rows_of_all_types();
    const RecordBatch back = round_trip(world, *encoder, Format::protobuf, registry, rows);
    EXPECT_EQ(back.row_as_json(0),
              R"({"b_ool":true,"i":-300,"d":0.5,"n":"-123.45","s":"ö\"","y":"\\xff","day":"2022-01-08",)"
              R"("t":"00:00:01","w":"1969-12-31T23:59:58.500000","z":"1969-12-31T23:59:58.500000Z",)"
              R"("u":"11111111-1111-1111-1111-111111111111","j":"{\"a\":1}","l":"[1,null]","r__x":7,"r__q":null})");
    for (const Column& column : back.columns()) EXPECT_TRUE(column.is_null(1));
}

TEST(KafkaEncoder, ProtobufFieldsKeepTheirNumbers) {
    World world;
    const auto registry = SchemaRegistry::create({.urls = {"http://one"}}).release_value();
    const auto encoder = make_protobuf_encoder({.registry = registry, .topic = "t", .record = "R"});
    world.http.expect("GET /subjects/t-value/versions/latest")
        .reply(
            R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message R { int64 b = 7; string gone = 9; }"})");
    world.http.expect("POST /subjects/t-value/versions").reply(R"({"id":1})");
    const Schema schema({{"a", TypeKind::string}, {"b", TypeKind::int64}});
    ASSERT_TRUE(encoder->prepare(world.run, std::make_shared<const Schema>(schema)).ok());
    const std::string text = nlohmann::json::parse(world.http.requests().back().body)["schema"];
    EXPECT_THAT(text, HasSubstr("optional string a = 10;"));
    EXPECT_THAT(text, HasSubstr("optional int64 b = 7;"));
}

TEST(KafkaEncoder, Decimals) {
    World world;
    const auto registry = SchemaRegistry::create({.urls = {"http://one"}}).release_value();
    const auto encoder = make_avro_encoder({.registry = registry, .topic = "sales-orders"});
    RecordBatchBuilder rows(std::make_shared<const Schema>(std::vector<Field>{{"n", DataType::decimal(38, 0)}}));
    std::vector<int128> values{0, 1, -1, 127, 128, -128, -129, 255, 256, int128{1} << 100, -(int128{1} << 100)};
    for (const int128 value : values) {
        rows.column(0).append_decimal(value);
        rows.end_row();
    }
    const RecordBatch back = round_trip(world, *encoder, Format::avro, registry, rows.finish());
    for (size_t row = 0; row < values.size(); ++row) EXPECT_TRUE(back.column(0).decimal_at(row) == values[row]);
}

TEST(KafkaEncoder, Names) {
    EXPECT_EQ(identifier_of("a-b c"), "a_b_c");
    EXPECT_EQ(identifier_of("1x"), "_1x");
    EXPECT_EQ(identifier_of(""), "_");
    EXPECT_EQ(record_name_of({.topic = "web.events-1"}), "web_events_1");
    EXPECT_EQ(record_name_of({.topic = "t", .record = "a.b-c.D"}), "a.b_c.D");
}

}  // namespace
}  // namespace shaduf::kafka
