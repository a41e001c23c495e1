// Reads any bytes as CSV: cut whole and cut in small blocks must give the same rows; what is decoded as strings and
// written again must be read back as it was.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "data/builder.h"
#include "data/csv.h"
#include "data/csv_writer.h"
#include "data/row_decoder.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

std::vector<std::string> rows_in_blocks(std::string_view text, size_t block) {
    CsvOptions options;
    options.delimiter = ',';
    options.header = CsvHeader::absent;
    CsvSplitter splitter("f", options, 1 << 20);
    std::vector<std::string> rows;
    const auto append = [&](const RawRows& raw) {
        for (size_t i = 0; i < raw.rows.size(); ++i) rows.push_back(raw.position(i) + std::string(raw.row(i)));
    };
    for (size_t at = 0; at < text.size(); at += block) {
        splitter.input().append(text.substr(at, block));
        append(splitter.take());
    }
    append(splitter.finish());
    require(splitter.offset() == text.size());
    return rows;
}

RawRows read_whole(std::string_view text, CsvHeader header) {
    CsvOptions options;
    options.header = header;
    if (header == CsvHeader::present) options.delimiter = ',';
    CsvSplitter splitter("f", options);
    splitter.input().append(text);
    return splitter.finish();
}

void round_trip(const RawRows& raw) {
    Shape shape;
    for (const auto& name : raw.csv->header) shape.columns.push_back({name, TypeKind::string, {name}, true});
    if (shape.columns.size() < 2) return;  // a lone null cannot be told from an empty text
    const RecordBatch rows = RowDecoder::create(RawFormat::csv, shape)->decode(raw).rows;
    std::vector<uint32_t> all(rows.rows());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
    std::string text;
    append_csv_header(*rows.schema(), text);
    append_csv_rows(rows, all, text);
    const RawRows again = read_whole(text, CsvHeader::present);
    if (rows.rows() == 0) return;
    const Decoded decoded = RowDecoder::create(RawFormat::csv, shape)->decode(again);
    require(decoded.rejected.empty() && decoded.rows.rows() == rows.rows());
    for (size_t row = 0; row < all.size(); ++row) require(decoded.rows.row_as_json(row) == rows.row_as_json(row));
}

void run(std::string_view text) {
    const auto whole = rows_in_blocks(text, text.size() + 1);
    require(rows_in_blocks(text, 1 + text.size() % 7) == whole);
    const RawRows raw = read_whole(text, CsvHeader::detect);
    if (raw.csv == nullptr) return;
    Shape inferred;
    infer_shape(raw, 100, inferred);
    const Decoded decoded = RowDecoder::create(RawFormat::csv, inferred)->decode(raw);
    if (raw.rows.size() <= 100) require(decoded.drift.empty());
    for (size_t row = 0; row < decoded.rows.rows(); ++row) (void)decoded.rows.row_as_json(row);
    round_trip(raw);
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
