#include "connectors/kafka/connect_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/decoder.h"
#include "tests/connectors/kafka_messages.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> read(const std::vector<std::string>& values) {
    World world;
    MessagesOf messages;
    for (const auto& value : values) messages.add(value);
    auto decoder = make_decoder({.value = Format::json_schema}).release_value();
    const auto rows = decoder->to_rows(world.run, messages.done()).release_value();
    const auto& encoded = *std::get<std::shared_ptr<const EncodedRows>>(rows);
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

std::string envelope(const std::string& schema, const std::string& payload) {
    return R"({"schema":)" + schema + R"(,"payload":)" + payload + "}";
}
std::string structure(const std::string& fields) { return R"({"type":"struct","fields":[)" + fields + "]}"; }

TEST(KafkaConnectJson, Types) {
    const std::string named = R"(,"name":"org.apache.kafka.connect.data.)";
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {R"("type":"int8")", "5", R"(f: int64 {"f":5})"},
        {R"("type":"int64","optional":true)", "null", R"(f: int64 {"f":null})"},
        {R"("type":"boolean")", "false", R"(f: bool {"f":false})"},
        {R"("type":"double")", "1e2", R"(f: float64 {"f":100})"},
        {R"("type":"float")", R"("NaN")", R"(f: float64 {"f":"nan"})"},
        {R"("type":"string")", R"("2026-01-01")", R"(f: string {"f":"2026-01-01"})"},
        {R"("type":"bytes")", R"("/w==")", R"(f: bytes {"f":"\\xff"})"},
        {R"("type":"bytes")" + named + R"(Decimal","parameters":{"scale":"2","connect.decimal.precision":"9"})",
         R"("/38=")", R"(f: decimal(9,2) {"f":-1.29})"},
        {R"("type":"bytes")" + named + R"(Decimal","parameters":{"scale":"2"})", "3.5",
         R"(f: decimal(38,2) {"f":3.50})"},
        {R"("type":"int32")" + named + R"(Date")", "19000", R"(f: date {"f":"2022-01-08"})"},
        {R"("type":"int32")" + named + R"(Time")", "1000", R"(f: time {"f":"00:00:01"})"},
        {R"("type":"int64")" + named + R"(Timestamp")", "1500",
         R"(f: timestamp_tz {"f":"1970-01-01T00:00:01.500000Z"})"},
        {R"("type":"int64","name":"io.debezium.time.MicroTimestamp")", "1",
         R"(f: timestamp {"f":"1970-01-01T00:00:00.000001"})"},
        {R"("type":"string","name":"io.debezium.data.Json")", R"("{\"a\": 1}")", R"(f: json {"f":{"a": 1}})"},
        {R"("type":"array","items":{"type":"int32"})", "[1, 2]", R"(f: json {"f":[1, 2]})"},
        {R"("type":"map","keys":{"type":"string"},"values":{"type":"int32"})", R"({"k":1})",
         R"(f: json {"f":{"k":1}})"},
        {R"("type":"struct","fields":[{"field":"x","type":"int32"},{"field":"y","type":"string"}])", R"({"y":"v"})",
         R"(f__x: int64, f__y: string {"f__x":null,"f__y":"v"})"},
    };
    for (const auto& [type, value, expected] : cases) {
        SCOPED_TRACE(type);
        const auto lines = read({envelope(structure(R"({"field":"f",)" + type + "}"), R"({"f":)" + value + "}")});
        EXPECT_EQ(lines[0] + " " + lines[1], expected);
    }
}

TEST(KafkaConnectJson, ManyMessagesOfFewSchemas) {
    const std::string one = structure(R"({"field":"a","type":"int32"})");
    const std::string two = structure(R"({"field":"b","type":"string"},{"field":"a","type":"double"})");
    EXPECT_THAT(
        read({envelope(one, R"({"a":1,"a":2,"unknown":[]})"), envelope(one, R"({"a":3})") + " \n",
              envelope(two, R"({"b":"x","a":0.5})"), R"({"payload":{"a":9},"schema":)" + one + "}",
              envelope(one, "null"), envelope(one, R"({"a":"text"})"), envelope(one, R"({"a":)"), "{}", "[]",
              envelope(one, R"({"a":7}})"), envelope(R"({"type":"odd"})", "1"), envelope(one, R"({"a":8})")}),
        ElementsAre("a: float64, b: string", R"({"a":2,"b":null})", R"({"a":3,"b":null})", R"({"a":0.5,"b":"x"})",
                    R"({"a":9,"b":null})", R"({"a":null,"b":null})",
                    HasSubstr("orders/3:45 field a is not of its schema's type, int64"),
                    HasSubstr("orders/3:46 field a is not of its"), HasSubstr("orders/3:47 the message has no schema"),
                    HasSubstr("orders/3:48 the message is no JSON object"), HasSubstr("orders/3:49 invalid JSON"),
                    HasSubstr("type is not known: odd"), R"({"a":8,"b":null})"));
}

TEST(KafkaConnectJson, SingleValues) {
    EXPECT_THAT(read({envelope(R"({"type":"int64"})", "5")}), ElementsAre("value: int64", R"({"value":5})"));
    EXPECT_THAT(read({envelope("null", R"({"a":[1]})")}), ElementsAre("value: json", R"({"value":{"a":[1]}})"));
}

}  // namespace
}  // namespace shaduf::kafka
