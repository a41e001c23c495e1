#include "config/via.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;

constexpr FieldSpec kBoxStream[] = {{"files", FieldType::text, "Which."}};
constexpr FieldSpec kBoxTable[] = {{"partition_by", FieldType::text_list, "By."}};
constexpr FieldSpec kBusConnection[] = {{"brokers", FieldType::text_list, "Where.", true}};
constexpr FieldSpec kBusStream[] = {{"topics", FieldType::text_list, "Which."},
                                    {"format", FieldType::text, "How."},
                                    {"columns_of", FieldType::text, "Whose."},
                                    {"group", FieldType::text, "Who."}};
constexpr FieldSpec kBusTable[] = {{"value_format", FieldType::text, "How."},
                                   {"tell_columns", FieldType::boolean, "Whether."},
                                   {"message_key", FieldType::text_list, "Which."},
                                   {"partitions", FieldType::integer, "How many."}};

// A project with a box to read and write, and a bus.
class ViaTest : public testing::Test {
protected:
    std::vector<std::string> load(const std::string& pipeline) {
        std::filesystem::create_directories(folder_.path() / "pipelines");
        std::ofstream(folder_.path() / "shaduf.yml")
            << "name: t\npolicy_key: k\nconnections: {box: {type: box}, bus: {type: kafka, brokers: b}}\n";
        std::ofstream(folder_.path() / "pipelines/p.yml") << pipeline;
        ProjectWorld world;
        world.connector_types = {"box", "kafka"};
        world.variable = [](const std::string&) { return std::optional<std::string>(); };
        world.connector = [](std::string_view type) -> std::optional<ConnectorFields> {
            if (type == "box") return ConnectorFields{{}, kBoxStream, kBoxTable, nullptr, true, true};
            if (type == "kafka") return ConnectorFields{kBusConnection, kBusStream, kBusTable, nullptr, true, true};
            return std::nullopt;
        };
        std::vector<std::string> texts;
        for (const Error& error : load_project({.folder = folder_.path().string()}, world, project_)) {
            texts.push_back(error.to_string());
        }
        return texts;
    }

    TempFolder folder_;
    Project project_;
};

TEST_F(ViaTest, MakesTwoPipelinesOfOne) {
    ASSERT_THAT(load(R"(source: box
via: {connection: bus, topic: "raw.{stream}", partitions: 3, group: readers}
sink: box
schema: s
streams_parallel: 2
streams:
  a:
    files: "*.csv"
    table: {name: aa, partition_by: day}
    mode: incremental
    write: merge
    key: [id, day]
    order_by: at
    contract: freeze
    columns: {id: x.id, day: y, at: z}
    unlisted: keep
    policies: {z: hash}
    expect: [{not_null: id}, {unique: id}, "z > 0", {relationships: {day: days.day}}]
  b: {files: b, mode: incremental}
)"),
                ElementsAre());
    ASSERT_EQ(project_.pipelines.size(), 2U);
    EXPECT_THAT(project_.pipeline_names, ElementsAre("p"));
    const PipelineConfig& producer = project_.pipelines[0];
    const PipelineConfig& consumer = project_.pipelines[1];
    EXPECT_EQ(project_.pipeline("p"), &consumer);
    EXPECT_EQ(project_.pipeline("p@producer"), &producer);
    EXPECT_THAT(project_.pipelines_of("p"), ElementsAre(&producer, &consumer));

    EXPECT_EQ(producer.half, PipelineHalf::producer);
    EXPECT_EQ(producer.title, "p");
    EXPECT_EQ(producer.source, "box");
    EXPECT_EQ(producer.sink, "bus");
    EXPECT_EQ(producer.schema, "");
    const StreamConfig& into = producer.streams.at(0);
    EXPECT_EQ(into.table, "raw.a");
    EXPECT_EQ(into.mode, ReadMode::incremental);
    EXPECT_EQ(into.write, WriteMode::append);
    EXPECT_EQ(into.columns.size(), 3U);
    EXPECT_EQ(into.policies.size(), 1U);
    EXPECT_EQ(into.expect.size(), 2U);
    EXPECT_EQ(into.source_options.text("files"), "*.csv");
    EXPECT_THAT(into.table_options.text_list("message_key"), ElementsAre("id", "day"));
    EXPECT_EQ(into.table_options.integer("partitions"), 3);
    EXPECT_TRUE(into.table_options.boolean("tell_columns"));
    EXPECT_FALSE(producer.streams.at(1).table_options.has("message_key"));

    EXPECT_EQ(consumer.half, PipelineHalf::consumer);
    EXPECT_EQ(consumer.title, "p");
    EXPECT_EQ(consumer.source, "bus");
    EXPECT_EQ(consumer.sink, "box");
    EXPECT_EQ(consumer.schema, "s");
    const StreamConfig& out = consumer.streams.at(0);
    EXPECT_EQ(out.table, "aa");
    EXPECT_EQ(out.mode, ReadMode::incremental);
    EXPECT_EQ(out.write, WriteMode::merge);
    EXPECT_THAT(out.key, ElementsAre("id", "day"));
    EXPECT_EQ(out.order_by, "at");
    EXPECT_EQ(out.contract, ContractMode::freeze);
    EXPECT_TRUE(out.columns.empty());
    EXPECT_TRUE(out.policies.empty());
    EXPECT_EQ(out.expect.size(), 2U);
    EXPECT_THAT(out.source_options.text_list("topics"), ElementsAre("raw.a"));
    EXPECT_EQ(out.source_options.text("columns_of"), "p@producer/a");
    EXPECT_EQ(out.source_options.text("group"), "readers");
    EXPECT_THAT(out.table_options.text_list("partition_by"), ElementsAre("day"));
}

TEST_F(ViaTest, TheConsumerMayNeverEnd) {
    ASSERT_THAT(
        load("source: box\nvia: {connection: {type: kafka, brokers: c}, mode: stream, format: avro}\nsink: box\n"
             "mode: incremental\n"),
        ElementsAre());
    ASSERT_EQ(project_.pipelines.size(), 2U);
    EXPECT_EQ(project_.pipelines[0].sink, "p.via");
    EXPECT_EQ(project_.pipelines[0].streams.at(0).mode, ReadMode::incremental);
    EXPECT_EQ(project_.pipelines[0].streams.at(0).table, "p.p");
    EXPECT_EQ(project_.pipelines[0].streams.at(0).table_options.text("value_format"), "avro");
    EXPECT_EQ(project_.pipelines[1].streams.at(0).mode, ReadMode::stream);
    EXPECT_EQ(project_.pipelines[1].streams.at(0).table, "p");
}

TEST_F(ViaTest, SaysWhatIsWrong) {
    struct Case {
        const char* via;
        const char* stream;
        const char* expected;
    };
    const Case cases[] = {
        {"{connection: box}", "",
         "pipelines/p.yml:2: via goes by topics of Kafka: box is of type box; name a connection of "
         "type kafka"},
        {"[bus]", "", "pipelines/p.yml:2: via: expected a map such as {connection: bus}"},
        {"{connection: [bus]}", "", "pipelines/p.yml:2: connection: expected a connection's name or a map with a type"},
        {"{connection: bus, topc: x}", "", "pipelines/p.yml:2: unknown key: topc; did you mean topic?"},
        {"{connection: bus}", "write: replace",
         "pipelines/p.yml:4: stream a: a topic does not tell that a table is replaced "
         "as a whole (write: replace); set write: merge with a key, or mode: "
         "incremental"},
        {"{connection: bus, message_key: x}", "write: merge, key: id",
         "pipelines/p.yml:2: message_key: rows of one key have to stay in one partition (write: merge of stream a); "
         "leave out message_key"},
    };
    for (const auto& [via, stream, expected] : cases) {
        SCOPED_TRACE(via);
        EXPECT_THAT(load(std::string("source: box\nvia: ") + via + "\nsink: box\nstreams: {a: {mode: incremental" +
                         (*stream == '\0' ? "" : ", ") + stream + "}}\n"),
                    ElementsAre(expected));
    }
}

}  // namespace
}  // namespace shaduf
