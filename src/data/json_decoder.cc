#include "data/json_decoder.h"

#include "data/json_row_reader.h"

// JSON rows to columns in one pass over the text. The usual way, an index of the structural characters first
// (simdjson), is made for documents of many kilobytes; on rows of a few hundred bytes of a shape that is known,
// comparing the next bytes with the key expected there does less work. What is accepted is exactly RFC 8259.
namespace shaduf {
namespace {

class JsonDecoder final : public RowDecoder {
public:
    explicit JsonDecoder(const Shape& shape) : shape_(shape), plan_(shape_), schema_(shape_.schema()) {}

    Decoded decode(const RawRows& rows) const override {
        JsonRowReader reader(shape_, plan_, schema_);
        reader.reserve(rows.rows.size());
        std::vector<RejectedRow> rejected;
        std::vector<uint32_t> row_numbers;
        decode_each_row(
            rows, [&](std::string_view text, size_t row) { return reader.read(text, row); }, rejected, row_numbers);
        return {reader.finish(),        std::move(row_numbers),  std::move(rejected),
                reader.release_drift(), reader.values_ignored(), reader.release_fields_ignored()};
    }

private:
    Shape shape_;
    JsonPlan plan_;
    SchemaPtr schema_;
};

}  // namespace

std::unique_ptr<RowDecoder> make_json_decoder(const Shape& shape) { return std::make_unique<JsonDecoder>(shape); }

}  // namespace shaduf
