// Reads any bytes as a binary COPY of two columns, of kinds that the first byte chooses: nothing but whole columns or
// an error comes of it.

#include <cstdlib>
#include <string>
#include <string_view>

#include "connectors/postgres/copy_decoder.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

struct Kind {
    DataType type;
    CopyColumn wire;
};

CopyDecoder make_decoder(size_t first) {
    static const std::vector<Kind> kinds{
        {TypeKind::boolean, {WireType::boolean}},
        {TypeKind::int64, {WireType::int16}},
        {TypeKind::int64, {WireType::int32}},
        {TypeKind::int64, {WireType::int64}},
        {TypeKind::int64, {WireType::oid}},
        {TypeKind::float64, {WireType::float32}},
        {TypeKind::float64, {WireType::float64}},
        {DataType::decimal(4), {WireType::numeric}},
        {TypeKind::string, {WireType::numeric}},
        {TypeKind::string, {WireType::unsure_text}},
        {TypeKind::bytes, {WireType::bytes}},
        {TypeKind::bytes, {WireType::jsonb}},
        {TypeKind::date, {WireType::date}},
        {TypeKind::time, {WireType::time}},
        {TypeKind::timestamp, {WireType::timestamp}},
        {TypeKind::uuid, {WireType::uuid}},
        {DataType::list(TypeKind::int64), {WireType::int32, 1}},
        {DataType::list(DataType::list(TypeKind::bytes)), {WireType::bytes, 2}},
        {DataType::list(DataType::decimal(2)), {WireType::numeric, 1}},
    };
    std::vector<Field> fields;
    std::vector<CopyColumn> wire;
    // Few columns, so that small inputs reach each of them.
    for (size_t i = 0; i < 2; ++i) {
        const Kind& kind = kinds[(first + i) % kinds.size()];
        fields.push_back({"c" + std::to_string(i), kind.type});
        wire.push_back(kind.wire);
    }
    return {std::make_shared<const Schema>(std::move(fields)), std::move(wire)};
}

void run(std::string_view bytes) {
    if (bytes.empty()) return;
    CopyDecoder decoder = make_decoder(static_cast<unsigned char>(bytes.front()));
    const bool is_whole = decoder.decode(bytes.substr(1)).ok();
    const auto rejected = decoder.take_rejected();
    if (!is_whole) return;
    const RecordBatch rows = decoder.finish();
    size_t last = 0;
    for (const auto& row : rejected) {
        require(row.row < rows.rows() && (row.row > last || &row == &rejected.front()));
        require(row.why.kind() == ErrorKind::bad_data);
        last = row.row;
    }
    for (const auto& column : rows.columns()) {
        require(column.length == rows.rows());
        for (size_t row = 0; row < rows.rows(); ++row) (void)format_value(column, row);
    }
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
