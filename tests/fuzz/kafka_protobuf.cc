// Reads any bytes as Protobuf: the first byte picks a schema, or says that the rest is one. What is read is JSON in
// each column that is, and what Protobuf itself takes for broken is refused.

#include <google/protobuf/dynamic_message.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "connectors/kafka/protobuf_reader.h"

namespace shaduf::kafka {
namespace {

constexpr std::string_view kSchemas[] = {
    R"(syntax = "proto3"; enum E { A = 0; B = 1; } message M { int32 a = 1; sint64 b = 2; fixed32 c = 3; double d = 4;
       string s = 5; bytes y = 6; E e = 7; optional uint64 u = 8; oneof o { int32 p = 9; M q = 10; } N n = 11; }
       message N { bool x = 1; repeated int32 l = 2; map<string, N> m = 3; })",
    R"(syntax = "proto2"; message M { required int32 a = 1; optional group G = 2 { optional string s = 1;
        repeated M m = 2; }
       repeated sint32 l = 3 [packed = true]; optional float f = 2000 [default = 0.5]; })",
    R"(syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
       import "google/protobuf/wrappers.proto"; import "google/protobuf/duration.proto";
        import "confluent/type/decimal.proto";
       import "google/type/date.proto"; message M { google.protobuf.Timestamp t = 1; google.protobuf.Struct s = 2;
       google.protobuf.StringValue w = 3; google.protobuf.Duration d = 4; confluent.type.Decimal n = 5;
       google.type.Date y = 6; repeated google.protobuf.Value v = 7; })",
};

void require(bool condition) {
    if (!condition) std::abort();
}

Result<ProtobufSchemaPtr> parse(std::string_view text) {
    RegisteredSchema schema;
    schema.language = SchemaLanguage::protobuf;
    schema.text = text;
    return ProtobufSchema::parse(schema);
}

void read(const ProtobufSchemaPtr& file, std::string_view bytes) {
    const auto* message = file->message_of("").value();
    auto made = make_protobuf_reader(file, *message);
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
    const RecordBatch batch = rows.finish();
    if (is_refused) return;
    require(nlohmann::json::accept(batch.row_as_json(0)));
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<google::protobuf::Message> peer(factory.GetPrototype(message)->New());
    require(peer->ParsePartialFromArray(payload->data(), static_cast<int>(payload->size())));
}

void run(std::string_view text) {
    if (text.empty()) return;
    const auto pick = static_cast<uint8_t>(text[0]);
    text.remove_prefix(1);
    if (pick >= 240) {
        const auto file = parse(text);
        if (file.ok()) read(file.value(), "\x08\x01\x12\x01x");
        return;
    }
    static const ProtobufSchemaPtr files[] = {parse(kSchemas[0]).release_value(), parse(kSchemas[1]).release_value(),
                                              parse(kSchemas[2]).release_value()};
    read(files[pick % 3], text);
}

}  // namespace
}  // namespace shaduf::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::kafka::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
