#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "connectors/kafka/avro_default.h"
#include "connectors/kafka/decoder.h"
#include "connectors/kafka/schema_registry.h"
#include "connectors/kafka/wire_frame.h"
#include "tests/connectors/kafka_messages.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<SchemaRegistry> registry(std::vector<std::string> urls = {"http://one:8081/"}) {
    return SchemaRegistry::create(
               {.urls = std::move(urls), .username = "u", .password = "p", .token = "", .connection = "bus"})
        .release_value();
}

std::string answer(const std::string& schema, const std::string& more = "") {
    return R"({"schema":)" + nlohmann::json(schema).dump() + more + "}";
}

constexpr const char* kMissing = R"({"error_code":40403,"message":"Schema not found"})";

TEST(KafkaRegistry, AsksOnceForWhatHasAnId) {
    World world;
    world.http.expect("GET /schemas/ids/7").reply(answer("\"int\""));
    const auto one = registry();
    ASSERT_TRUE(one->by_id(world.run, 7).ok());
    EXPECT_EQ(one->by_id(world.run, 7).value()->text, "\"int\"");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "Authorization"), "Basic dTpw");
}

TEST(KafkaRegistry, GetsReferencesOfReferences) {
    World world;
    world.http.expect("GET /schemas/ids/1")
        .reply(
            answer("a", R"(,"schemaType":"PROTOBUF","references":[{"name":"b.proto","subject":"s/b","version":2}])"));
    world.http.expect("GET /subjects/s%2Fb/versions/2")
        .reply(answer("b", R"(,"references":[{"name":"c.proto","subject":"c","version":1}])"));
    world.http.expect("GET /subjects/c/versions/1").reply(answer("c"));
    const auto schema = registry()->by_id(world.run, 1);
    ASSERT_TRUE(schema.ok()) << schema.error().to_string();
    EXPECT_EQ(schema.value()->language, SchemaLanguage::protobuf);
    EXPECT_EQ(schema.value()->references[0].schema->references[0].schema->text, "c");
}

TEST(KafkaRegistry, SchemasThatReferToThemselvesEnd) {
    World world;
    world.http.expect("GET /schemas/ids/1")
        .reply(answer("a", R"(,"references":[{"name":"b","subject":"b","version":1}])"));
    world.http.expect("GET /subjects/b/versions/1")
        .reply(answer("b", R"(,"references":[{"name":"b","subject":"b","version":1}])"))
        .repeat();
    const auto schema = registry()->by_id(world.run, 1);
    ASSERT_FALSE(schema.ok());
    EXPECT_THAT(schema.error().message(), HasSubstr("deeper than 32"));
}

TEST(KafkaRegistry, AsksTheNextUrlAndStaysThere) {
    World world;
    world.http.expect("GET http://one:8081/schemas/ids/1").reply(503, "");
    world.http.expect("GET http://two:8081/schemas/ids/1").reply(answer("\"int\""));
    world.http.expect("GET http://two:8081/schemas/ids/2").reply(answer("\"int\""));
    const auto both = registry({"http://one:8081", "http://two:8081"});
    EXPECT_TRUE(both->by_id(world.run, 1).ok());
    EXPECT_TRUE(both->by_id(world.run, 2).ok());
}

TEST(KafkaRegistry, Errors) {
    const std::tuple<int, const char*, ErrorKind, bool> cases[] = {
        {404, kMissing, ErrorKind::bad_data, false},
        {404, "no such page", ErrorKind::invalid_config, false},
        {401, R"({"error_code":401,"message":"Unauthorized"})", ErrorKind::auth, false},
        {500, R"({"error_code":50001,"message":"store"})", ErrorKind::unavailable, true},
        {200, "<html>", ErrorKind::invalid_config, false},
        {200, R"({"schema":"x","schemaType":"THRIFT"})", ErrorKind::bad_data, false},
    };
    for (const auto& [status, body, kind, may_retry] : cases) {
        SCOPED_TRACE(body);
        World world;
        world.http.expect("GET /schemas/ids/1").reply(status, body);
        const auto schema = registry()->by_id(world.run, 1);
        ASSERT_FALSE(schema.ok());
        EXPECT_EQ(schema.error().kind(), kind) << schema.error().to_string();
        EXPECT_EQ(schema.error().may_retry(), may_retry);
    }
}

TEST(KafkaRegistry, RegistersAndChecks) {
    World world;
    world.http.expect("POST /subjects/orders-value/versions").reply(R"({"id":12})");
    world.http.expect("POST /subjects/other-value/versions").reply(409, R"({"error_code":409,"message":"no"})");
    world.http.expect("POST /compatibility/subjects/orders-value/versions/latest")
        .reply(R"({"is_compatible":false})")
        .reply(404, R"({"error_code":40401,"message":"Subject not found"})");
    const auto one = registry();
    RegisteredSchema schema;
    schema.text = "\"int\"";
    EXPECT_EQ(one->register_schema(world.run, "orders-value", schema).value(), 12);
    EXPECT_EQ(one->register_schema(world.run, "orders-value", schema).value(), 12);
    EXPECT_EQ(world.http.requests().size(), 1);
    EXPECT_EQ(world.http.requests()[0].body, R"({"schema":"\"int\""})");
    EXPECT_EQ(one->register_schema(world.run, "other-value", schema).error().kind(), ErrorKind::conflict);
    EXPECT_FALSE(one->is_compatible(world.run, "orders-value", schema).value());
    EXPECT_TRUE(one->is_compatible(world.run, "orders-value", schema).value());
}

TEST(KafkaRegistry, SubjectNames) {
    EXPECT_EQ(subject_name(SubjectStrategy::topic, SubjectPart::value, "t", "n.R"), "t-value");
    EXPECT_EQ(subject_name(SubjectStrategy::topic, SubjectPart::key, "t", "n.R"), "t-key");
    EXPECT_EQ(subject_name(SubjectStrategy::record, SubjectPart::key, "t", "n.R"), "n.R");
    EXPECT_EQ(subject_name(SubjectStrategy::topic_record, SubjectPart::value, "t", "n.R"), "t-n.R");
}

// ---------------------------------------------------------------------------------------------------------------------
// messages

std::string number(int64_t value) {
    std::string bytes;
    append_avro_long(value, bytes);
    return bytes;
}
std::string text(std::string_view value) { return number(static_cast<int64_t>(value.size())) + std::string(value); }

std::string record(const std::string& fields) { return R"({"type":"record","name":"R","fields":[)" + fields + "]}"; }

DecoderSettings avro_settings(std::shared_ptr<SchemaRegistry> registry) {
    DecoderSettings settings;
    settings.value = Format::avro;
    settings.registry = std::move(registry);
    return settings;
}

std::vector<std::string> read(World& world, DecoderSettings settings, MessagesPtr messages) {
    auto decoder = make_decoder(std::move(settings));
    if (!decoder.ok()) return {decoder.error().to_string()};
    const auto rows = decoder.value()->to_rows(world.run, std::move(messages));
    if (!rows.ok()) return {rows.error().to_string()};
    const auto& encoded = *std::get<std::shared_ptr<const EncodedRows>>(rows.value());
    const auto decoded = encoded.decode();
    std::vector<std::string> lines{decoded.rows.schema()->to_string()};
    size_t next = 0;
    for (size_t row = 0; row < decoded.rows.rows(); ++row) {
        const bool is_bad = next < decoded.rejected.size() && decoded.rejected[next].row == row;
        lines.push_back(is_bad ? encoded.position(row) + " " + decoded.rejected[next++].why.message()
                               : decoded.rows.row_as_json(row));
    }
    return lines;
}

TEST(KafkaAvroMessages, SchemasOfABatchAreUnited) {
    World world;
    world.http.expect("GET /schemas/ids/1")
        .reply(answer(record(R"({"name":"id","type":"int"},{"name":"n","type":"int"})")));
    world.http.expect("GET /schemas/ids/2")
        .reply(
            answer(record(R"({"name":"N","type":"double"},{"name":"id","type":"int"},{"name":"s","type":"string"})")));
    world.http.expect("GET /schemas/ids/3").reply(404, kMissing);
    const std::string half("\0\0\0\0\0\0\xe0\x3f", 8);
    const auto messages = MessagesOf()
                              .add(frame_of_id(1) + number(1) + number(5))
                              .add(frame_of_id(2) + half + number(2) + text("x"))
                              .add(frame_of_id(3) + number(1))
                              .add("{}")
                              .add(frame_of_id(1) + number(3))
                              .add(frame_of_id(1) + number(4) + number(6))
                              .add(std::nullopt)
                              .done();
    const DecoderSettings settings = avro_settings(registry());
    EXPECT_THAT(
        read(world, settings, messages),
        ElementsAre("id: int64, n: float64, s: string", R"({"id":1,"n":5,"s":null})", R"({"id":2,"n":0.5,"s":"x"})",
                    HasSubstr("orders/3:42 schema registry does not have"),
                    HasSubstr("orders/3:43 there is no schema id in front of the message: it begins with 0x7b7d"),
                    HasSubstr("orders/3:44 field n cannot be read: the bytes end"), R"({"id":4,"n":6,"s":null})",
                    HasSubstr("orders/3:46 the message has no value")));
    EXPECT_TRUE(world.http.unused().empty());
}

TEST(KafkaAvroMessages, AMissingSchemaIsAskedForAgainLater) {
    World world;
    world.http.expect("GET /schemas/ids/1").reply(404, kMissing).reply(answer("\"int\""));
    auto decoder = make_decoder(avro_settings(registry())).release_value();
    const auto rejected = [&] {
        const auto messages = MessagesOf().add(frame_of_id(1) + number(1)).done();
        const auto rows = decoder->to_rows(world.run, messages).release_value();
        return std::get<std::shared_ptr<const EncodedRows>>(rows)->decode().rejected.size();
    };
    EXPECT_EQ(rejected(), 1);
    EXPECT_EQ(rejected(), 1);
    EXPECT_EQ(world.http.requests().size(), 1);
    world.clock.advance(std::chrono::seconds(31));
    EXPECT_EQ(rejected(), 0);
}

TEST(KafkaAvroMessages, ARegistryThatIsAwayStopsNothingForGood) {
    World world;
    world.http.expect("GET /schemas/ids/1").reply(503, "").reply(answer("\"int\""));
    auto decoder = make_decoder(avro_settings(registry())).release_value();
    const auto messages = MessagesOf().add(frame_of_id(1) + number(1)).done();
    const auto first = decoder->to_rows(world.run, messages);
    ASSERT_FALSE(first.ok());
    EXPECT_TRUE(first.error().may_retry());
    EXPECT_TRUE(decoder->to_rows(world.run, messages).ok());
}

TEST(KafkaAvroMessages, GuidsInFrontAndInHeaders) {
    World world;
    const std::string guid = "\1" + std::string("\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2", 16);
    world.http.expect("GET /schemas/guids/89791762-2336-4186-9674-299b90a802e2").reply(answer("\"int\""));
    const auto messages = MessagesOf().add(guid + number(1)).add(number(2), std::nullopt, std::nullopt, guid).done();
    EXPECT_THAT(read(world, avro_settings(registry()), messages),
                ElementsAre("value: int64", R"({"value":1})", R"({"value":2})"));
}

TEST(KafkaAvroMessages, Keys) {
    World world;
    world.http.expect("GET /schemas/ids/1").reply(answer(record(R"({"name":"id","type":"int"})")));
    world.http.expect("GET /schemas/ids/2").reply(answer("\"long\""));
    DecoderSettings settings = avro_settings(registry());
    settings.value = Format::text;
    settings.key = Format::avro;
    settings.metadata.key = true;
    const auto single = MessagesOf().add("a", frame_of_id(2) + number(5)).add("b").done();
    EXPECT_THAT(read(world, settings, single),
                ElementsAre("_kafka_key: int64, value: string", R"({"_kafka_key":5,"value":"a"})",
                            R"({"_kafka_key":null,"value":"b"})"));
    const auto mixed =
        MessagesOf().add("a", frame_of_id(1) + number(3)).add("b", "x").add("c", frame_of_id(1) + number(4)).done();
    EXPECT_THAT(read(world, settings, mixed),
                ElementsAre("_kafka_key: json, value: string", R"({"_kafka_key":{"id":3},"value":"a"})",
                            HasSubstr("orders/3:41 the key cannot be read: there is no schema id"),
                            R"({"_kafka_key":{"id":4},"value":"c"})"));
    settings.value = Format::json;
    world.http.expect("GET /schemas/ids/1").reply(answer(record(R"({"name":"id","type":"int"})")));
    auto decoder = make_decoder(settings).release_value();
    const auto rows = decoder->to_rows(world.run, MessagesOf().add("{}", frame_of_id(1) + number(3)).done());
    ASSERT_TRUE(rows.ok()) << rows.error().to_string();
    EXPECT_EQ(std::get<RawRows>(rows.value()).row(0), R"({"_kafka_key":{"id":3}})");
}

TEST(KafkaAvroMessages, ReaderSchema) {
    World world;
    world.http.expect("GET /schemas/ids/1").reply(answer(record(R"({"name":"id","type":"int"})")));
    world.http.expect("GET /subjects/orders-value/versions/latest")
        .reply(answer(record(R"({"name":"id","type":"double"},{"name":"s","type":"string","default":"d"})")));
    const auto messages = MessagesOf().add(frame_of_id(1) + number(3)).done();
    DecoderSettings settings = avro_settings(registry());
    settings.stream = "orders";
    settings.reader_schema = "latest";
    settings.reader_subject = "orders-value";
    EXPECT_THAT(read(world, settings, messages), ElementsAre("id: float64, s: string", R"({"id":3,"s":"d"})"));
    settings.reader_schema = "/nowhere/order.avsc";
    EXPECT_THAT(read(world, settings, messages), ElementsAre(HasSubstr("reader_schema cannot be used: /nowhere")));
}

// With a schema that was not met before the latest is asked for again, and holds for messages of older ones as well.
TEST(KafkaAvroMessages, LatestReaderSchemaIsFollowed) {
    World world;
    const std::string first = record(R"({"name":"id","type":"int"})");
    const std::string second = record(R"({"name":"id","type":"int"},{"name":"s","type":"string","default":"d"})");
    world.http.expect("GET /schemas/ids/1").reply(answer(first));
    world.http.expect("GET /subjects/sales.Order/versions/latest").reply(answer(first));
    world.http.expect("GET /schemas/ids/2").reply(answer(second));
    world.http.expect("GET /subjects/sales.Order/versions/latest").reply(answer(second));
    DecoderSettings settings = avro_settings(registry());
    settings.stream = "orders";
    settings.reader_schema = "latest";
    settings.reader_subject = "sales.Order";
    const std::string old = frame_of_id(1) + number(3);
    const std::string fresh = frame_of_id(2) + number(4) + "\x02x";
    auto decoder = make_decoder(settings).release_value();
    const auto before = decoder->to_rows(world.run, MessagesOf().add(old).done());
    ASSERT_TRUE(before.ok()) << before.error().to_string();
    const auto columns_of = [](const Rows& rows) {
        return std::get<std::shared_ptr<const EncodedRows>>(rows)->decode().rows.schema()->fields().size();
    };
    EXPECT_EQ(columns_of(before.value()), 1u);
    static_cast<void>(decoder->to_rows(world.run, MessagesOf().add(fresh).done()));
    const auto behind = decoder->to_rows(world.run, MessagesOf().add(old).done());
    ASSERT_TRUE(behind.ok()) << behind.error().to_string();
    EXPECT_EQ(columns_of(behind.value()), 2u);
}

}  // namespace
}  // namespace shaduf::kafka
