#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "connectors/kafka/avro_reader.h"
#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::json;

// What another implementation wrote and read (tests/golden/kafka_avro.py): we read the same.
TEST(KafkaAvroGolden, RowsAreThoseOfAnother) {
    std::ifstream file(SHADUF_TEST_FOLDER "/golden/kafka_avro.jsonl");
    std::string line;
    size_t cases = 0;
    while (std::getline(file, line)) {
        SCOPED_TRACE(line);
        const Json golden = Json::parse(line);
        const auto writer = AvroSchema::parse(golden["schema"].dump()).release_value();
        const auto reader =
            golden.contains("reader") ? AvroSchema::parse(golden["reader"].dump()).release_value() : nullptr;
        auto made = make_avro_reader(writer, reader);
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        BufferBuilder padded;
        padded.append(from_hex(golden["bytes"].get<std::string>()).release_value());
        const BufferPtr payload = padded.finish();
        RecordBatchBuilder rows(made.value()->schema());
        const auto why = made.value()->read(payload->view(), rows);
        ASSERT_FALSE(why.has_value()) << *why;
        rows.end_row();
        EXPECT_EQ(Json::parse(rows.finish().row_as_json(0)), golden["row"]);
        ++cases;
    }
    EXPECT_GE(cases, 100);
}

}  // namespace
}  // namespace shaduf::kafka
