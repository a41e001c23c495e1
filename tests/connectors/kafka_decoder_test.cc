#include "connectors/kafka/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/connectors/kafka_messages.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Rows rows_of(DecoderSettings settings, MessagesPtr messages) {
    World world;
    auto decoder = make_decoder(std::move(settings));
    EXPECT_TRUE(decoder.ok()) << decoder.error().to_string();
    auto rows = decoder.value()->to_rows(world.run, std::move(messages));
    EXPECT_TRUE(rows.ok()) << rows.error().to_string();
    return rows.release_value();
}

// The rows as the contract makes them: "json of the row", and "<position> why" for what it rejects.
std::vector<std::string> read(const DecoderSettings& settings, MessagesPtr messages) {
    std::vector<std::string> lines;
    const Rows rows = rows_of(settings, std::move(messages));
    if (const auto* encoded = std::get_if<std::shared_ptr<const EncodedRows>>(&rows)) {
        const auto decoded = (*encoded)->decode();
        size_t next = 0;
        for (size_t row = 0; row < decoded.rows.rows(); ++row) {
            const bool is_bad = next < decoded.rejected.size() && decoded.rejected[next].row == row;
            lines.push_back(is_bad ? (*encoded)->position(row) + " " + decoded.rejected[next++].why.message()
                                   : decoded.rows.row_as_json(row));
        }
        return lines;
    }
    const auto& raw = std::get<RawRows>(rows);
    Shape shape;
    shape.columns = make_decoder(settings).value()->known_columns();
    infer_shape(raw, 100, shape);
    const Decoded decoded = RowDecoder::create(raw.format, shape)->decode(raw);
    for (size_t row = 0; row < decoded.rows.rows(); ++row) lines.push_back(decoded.rows.row_as_json(row));
    for (const auto& [row, why] : decoded.rejected) lines.push_back(raw.position(row) + " " + why.message());
    return lines;
}

DecoderSettings with_metadata(Format value, Format key = Format::text) {
    DecoderSettings settings{.value = value, .key = key};
    settings.metadata = {.key = true,
                         .headers = true,
                         .timestamp = true,
                         .topic = true,
                         .partition = true,
                         .offset = true,
                         .tombstone = true};
    return settings;
}

TEST(KafkaDecoder, JsonWithoutMetadataCopiesNothing) {
    const auto messages = MessagesOf().add(R"({"a":1})").in("orders", 4).add(R"({"a":2})").done();
    const Rows rows = rows_of({}, messages);
    const auto& raw = std::get<RawRows>(rows);
    EXPECT_EQ(raw.text, messages->bytes);
    EXPECT_EQ(raw.row(1), R"({"a":2})");
    EXPECT_EQ(raw.position(0), "orders/3:40");
    EXPECT_EQ(raw.position(1), "orders/4:40");
}

TEST(KafkaDecoder, JsonRows) {
    const auto messages = MessagesOf()
                              .add(R"({"a":1})")
                              .add(std::string_view("\0\0\0\0\7{\"a\":2}", 12))
                              .add(R"([1])")
                              .add(R"({"a")")
                              .add(std::nullopt)
                              .done();
    EXPECT_THAT(read({}, messages), ElementsAre(R"({"a":1})", R"({"a":2})", HasSubstr("orders/3:42 "),
                                                HasSubstr("orders/3:43 invalid JSON"),
                                                HasSubstr("orders/3:44 the message has no value (a tombstone)")));
    EXPECT_EQ(read({.tombstones = Tombstones::skip}, messages).size(), 4);
}

TEST(KafkaDecoder, MetadataStandsInTheTextOfJson) {
    const auto messages = MessagesOf()
                              .add(R"({"a":1})", "k\"1", R"({"h":"x"})")
                              .add(" { } \n")
                              .in("refunds", 0)
                              .add(R"({"_kafka_offset":"mine","a":2})", "2026-01-01")
                              .done();
    EXPECT_THAT(
        read(with_metadata(Format::json), messages),
        ElementsAre(R"({"_kafka_topic":"orders","_kafka_partition":3,"_kafka_offset":40,)"
                    R"("_kafka_timestamp":"2026-01-02T03:04:05Z",)"
                    R"("_kafka_key":"k\"1","_kafka_headers":{"h":"x"},"_kafka_tombstone":false,"a":1})",
                    R"({"_kafka_topic":"orders","_kafka_partition":3,"_kafka_offset":41,)"
                    R"("_kafka_timestamp":"2026-01-02T03:04:06.500000Z","_kafka_key":null,"_kafka_headers":null,)"
                    R"("_kafka_tombstone":false,"a":null})",
                    R"({"_kafka_topic":"refunds","_kafka_partition":0,"_kafka_offset":40,)"
                    R"("_kafka_timestamp":"2026-01-02T03:04:08Z","_kafka_key":"2026-01-01","_kafka_headers":null,)"
                    R"("_kafka_tombstone":false,"a":2})"));
}

TEST(KafkaDecoder, WhatIsNoObjectStaysAsItCame) {
    DecoderSettings settings;
    settings.metadata.offset = true;
    const auto messages =
        MessagesOf().add("[1]").add("{").add(R"({"a":"x})").add("}").add("").add(R"({"a":1}{})").done();
    const Rows rows = rows_of(settings, messages);
    const auto& raw = std::get<RawRows>(rows);
    EXPECT_EQ(raw.row(0), "[1]");
    EXPECT_EQ(raw.row(1), "{");
    EXPECT_EQ(raw.row(3), "}");
    EXPECT_EQ(read(settings, messages).size(), 6);
    for (const auto& line : read(settings, messages)) EXPECT_THAT(line, HasSubstr("orders/3:4"));
}

TEST(KafkaDecoder, TombstonesAsRows) {
    const auto messages = MessagesOf().add(R"({"a":1})", "k").add(std::nullopt, "k").done();
    DecoderSettings settings{.tombstones = Tombstones::row};
    settings.metadata.key = true;
    EXPECT_THAT(read(settings, messages), ElementsAre(R"({"_kafka_key":"k","a":1})", R"({"_kafka_key":"k","a":null})"));
    settings.value = Format::text;
    EXPECT_THAT(read(settings, messages),
                ElementsAre(R"({"_kafka_key":"k","value":"{\"a\":1}"})", R"({"_kafka_key":"k","value":null})"));
}

TEST(KafkaDecoder, Keys) {
    const auto messages = MessagesOf().add("{}", R"({"id":1})").add("{}", "\xff").add("{}").done();
    DecoderSettings settings;
    settings.metadata.key = true;
    settings.key = Format::json;
    const auto as_json = read(settings, messages);
    EXPECT_THAT(as_json, ElementsAre(R"({"_kafka_key":{"id":1}})", R"({"_kafka_key":null})",
                                     HasSubstr("orders/3:41 the key is invalid JSON")));
    settings.key = Format::text;
    EXPECT_THAT(read(settings, messages).back(), HasSubstr("orders/3:41 the key is not valid UTF-8"));
    settings.key = Format::raw;
    EXPECT_THAT(read(settings, messages), ElementsAre(R"({"_kafka_key":"\\x7b226964223a317d"})",
                                                      R"({"_kafka_key":"\\xff"})", R"({"_kafka_key":null})"));
    settings.value = Format::raw;
    settings.key = Format::json;
    EXPECT_THAT(read(settings, messages), ElementsAre(R"({"_kafka_key":{"id":1},"value":"\\x7b7d"})",
                                                      HasSubstr("orders/3:41 the key cannot be read: invalid JSON"),
                                                      R"({"_kafka_key":null,"value":"\\x7b7d"})"));
}

TEST(KafkaDecoder, Text) {
    const auto messages = MessagesOf().add("2026-01-01").add("\xff").add("").add(std::nullopt).done();
    DecoderSettings settings{.value = Format::text};
    EXPECT_THAT(read(settings, messages),
                ElementsAre(R"({"value":"2026-01-01"})", HasSubstr("orders/3:41 not valid UTF-8 at byte 0"),
                            R"({"value":""})", HasSubstr("orders/3:43 the message has no value")));
    const Rows rows = rows_of(settings, messages);
    const auto& encoded = *std::get<std::shared_ptr<const EncodedRows>>(rows);
    EXPECT_EQ(encoded.text(0), R"({"value":"2026-01-01"})");
    EXPECT_EQ(encoded.text(1), R"({"$bytes":"/w=="})");
    settings.tombstones = Tombstones::skip;
    EXPECT_EQ(read(settings, messages).size(), 3);
}

TEST(KafkaDecoder, TypedRowsHaveTheMetadataToo) {
    const auto messages =
        MessagesOf().add("x", "k", R"({"h":"x"})").in("refunds", 0).add(std::nullopt, std::nullopt).done();
    DecoderSettings settings = with_metadata(Format::text);
    settings.tombstones = Tombstones::row;
    EXPECT_THAT(read(settings, messages),
                ElementsAre(R"({"_kafka_topic":"orders","_kafka_partition":3,"_kafka_offset":40,)"
                            R"("_kafka_timestamp":"2026-01-02T03:04:05Z","_kafka_key":"k","_kafka_headers":{"h":"x"},)"
                            R"("_kafka_tombstone":false,"value":"x"})",
                            R"({"_kafka_topic":"refunds","_kafka_partition":0,"_kafka_offset":40,)"
                            R"("_kafka_timestamp":"2026-01-02T03:04:06.500000Z","_kafka_key":null,)"
                            R"("_kafka_headers":null,"_kafka_tombstone":true,"value":null})"));
}

DecoderSettings csv() {
    CsvDialect dialect;
    dialect.header = {"id", "name"};
    return {.value = Format::csv, .csv = std::make_shared<const CsvDialect>(dialect)};
}

TEST(KafkaDecoder, CsvRecords) {
    const auto messages = MessagesOf().add("1,ann\r\n").add("2,\"b,\"\"o\"\"b\"").add("3,x,y").done();
    EXPECT_THAT(read(csv(), messages),
                ElementsAre(R"({"id":1,"name":"ann"})", R"({"id":2,"name":"b,\"o\"b"})", HasSubstr("orders/3:42 ")));
}

TEST(KafkaDecoder, MetadataStandsInFrontOfCsv) {
    const auto messages = MessagesOf().add("1,ann", "k,\"1", R"({"h":"x"})").add(std::nullopt, "k").done();
    DecoderSettings settings = csv();
    settings.metadata = with_metadata(Format::csv).metadata;
    settings.tombstones = Tombstones::row;
    EXPECT_THAT(read(settings, messages),
                ElementsAre(R"({"_kafka_topic":"orders","_kafka_partition":3,"_kafka_offset":40,)"
                            R"("_kafka_timestamp":"2026-01-02T03:04:05Z","_kafka_key":"k,\"1",)"
                            R"("_kafka_headers":{"h":"x"},"_kafka_tombstone":false,"id":1,"name":"ann"})",
                            R"({"_kafka_topic":"orders","_kafka_partition":3,"_kafka_offset":41,)"
                            R"("_kafka_timestamp":"2026-01-02T03:04:06.500000Z","_kafka_key":"k",)"
                            R"("_kafka_headers":null,"_kafka_tombstone":true,"id":null,"name":null})"));
}

TEST(KafkaDecoder, SettingsThatDoNotGoTogether) {
    const auto message = [](DecoderSettings settings) {
        const auto decoder = make_decoder(std::move(settings));
        return decoder.ok() ? "" : decoder.error().message();
    };
    EXPECT_THAT(message({.value = Format::avro}), HasSubstr("needs a schema registry: avro"));
    EXPECT_THAT(message({.key = Format::protobuf}), HasSubstr("needs a schema registry: protobuf"));
    EXPECT_THAT(message({.key = Format::csv}), HasSubstr("keys cannot be csv"));
    EXPECT_THAT(message({.value = Format::csv}), HasSubstr("set csv_columns"));
    EXPECT_THAT(message({.tombstones = Tombstones::row}), HasSubstr("add key or tombstone to metadata"));
    DecoderSettings clash = csv();
    clash.metadata.offset = true;
    clash.metadata.prefix = "NA";
    EXPECT_THAT(message(clash), HasSubstr("prefix of the metadata: name"));
}

}  // namespace
}  // namespace shaduf::kafka
