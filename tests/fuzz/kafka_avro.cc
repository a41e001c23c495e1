// Reads any bytes as Avro: the first byte picks a schema, or says that the rest is one. A record that is read has a
// value in each column, and its JSON is JSON; one that is refused leaves nothing behind.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "connectors/kafka/avro_reader.h"

namespace shaduf::kafka {
namespace {

constexpr std::string_view kSchemas[] = {
    R"({"type":"record","name":"R","fields":[{"name":"i","type":"int"},{"name":"l","type":["null","long"]},
        {"name":"s","type":"string"},{"name":"d","type":"double"},{"name":"f","type":"float"},{"name":"b",
        "type":"boolean"},
        {"name":"y","type":"bytes"},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"x","type":{"type":"fixed","name":"F","size":3}}]})",
    R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":["null","string","R"]}},
        {"name":"m","type":{"type":"map","values":{"type":"array","items":"null"}}},{"name":"u","type":["int",
        "R","bytes"]}]})",
    R"({"type":"record","name":"R","fields":[{"name":"n","type":["null",{"type":"record","name":"N","fields":[
        {"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":5}},
        {"name":"day","type":{"type":"int","logicalType":"date"}},{"name":"id","type":{"type":"string",
        "logicalType":"uuid"}},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"t","type":{"type":"int","logicalType":"time-millis"}}]}]},{"name":"list",
        "type":{"type":"array","items":"N"}}]})",
};

void require(bool condition) {
    if (!condition) std::abort();
}

void read(const AvroSchemaPtr& writer, const AvroSchemaPtr& reader, std::string_view bytes) {
    auto made = make_avro_reader(writer, reader);
    if (!made.ok()) return;
    BufferBuilder padded;
    padded.append(bytes);
    const BufferPtr payload = padded.finish();
    RecordBatchBuilder rows(made.value()->schema());
    const bool is_refused = made.value()->read(payload->view(), rows).has_value();
    if (is_refused) {
        rows.undo_row();
    } else {
        rows.end_row();
    }
    const RecordBatch batch = rows.finish();  // checks that the columns are as long as the batch
    if (!is_refused) require(nlohmann::json::accept(batch.row_as_json(0)));
}

void run(std::string_view text) {
    if (text.empty()) return;
    const auto pick = static_cast<uint8_t>(text[0]);
    text.remove_prefix(1);
    if (pick >= 128) {
        const auto schema = AvroSchema::parse(text);
        if (schema.ok()) read(schema.value(), nullptr, "\2\4\6\x08");
        return;
    }
    const auto writer = AvroSchema::parse(kSchemas[pick % 3]).release_value();
    read(writer, nullptr, text);
    read(writer, AvroSchema::parse(kSchemas[pick / 3 % 3]).release_value(), text);
}

}  // namespace
}  // namespace shaduf::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::kafka::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
