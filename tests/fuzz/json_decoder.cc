// Decodes any bytes as JSON rows, along shapes of all kinds, and holds the result against nlohmann-json: both accept
// the same rows as objects, and each text that got into a string column is the one nlohmann found there.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "data/builder.h"
#include "data/ndjson.h"
#include "data/row_decoder.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

Shape shape_of_all_types() {
    Shape shape;
    for (const char* type : {"bool", "int64", "float64", "decimal(38,3)", "string", "bytes", "date", "time",
                             "timestamp", "timestamp_tz", "json", "list<int64>", "struct<a: int64, b: list<string>>"}) {
        shape.columns.push_back({std::string(1, static_cast<char>('a' + shape.columns.size())),
                                 *DataType::parse(type),
                                 {std::string(1, static_cast<char>('a' + shape.columns.size()))},
                                 false});
    }
    shape.columns.push_back({"o__a", TypeKind::string, {"o", "a"}, false});
    return shape;
}

enum class Peer : uint8_t { accepts, refuses, gives_up };

// What nlohmann says of a row; it gives up at a number that no double holds, where we go on.
Peer ask_peer(std::string_view text) {
    try {
        (void)nlohmann::json::parse(text);
        return Peer::accepts;
    } catch (const nlohmann::json::out_of_range&) {
        return Peer::gives_up;
    } catch (const nlohmann::json::exception&) {
        return Peer::refuses;
    }
}

// nlohmann passes over a byte order mark and takes a zero byte for the end; neither is JSON.
bool peer_is_lenient(std::string_view text) {
    return text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF");
}

void compare(const RawRows& raw, const Decoded& decoded, bool strings_only) {
    size_t next_rejected = 0;
    size_t kept = 0;
    for (size_t row = 0; row < raw.rows.size(); ++row) {
        const std::string_view text = raw.row(row);
        const bool rejected = next_rejected < decoded.rejected.size() && decoded.rejected[next_rejected].row == row;
        const Peer peer = ask_peer(text);
        if (rejected) {
            const auto& why = decoded.rejected[next_rejected++].why.message();
            const bool is_syntax = why.starts_with("invalid JSON") && why.find("nested deeper") == std::string::npos;
            if (is_syntax && !peer_is_lenient(text)) require(peer != Peer::accepts);
            continue;
        }
        const size_t index = kept++;
        require(peer != Peer::refuses);
        if (!strings_only) continue;
        const auto value = nlohmann::json::parse(text, nullptr, false);
        if (value.is_discarded()) continue;
        const auto field = value.find("e");
        if (field == value.end() || !field->is_string()) continue;
        const Column& column = decoded.rows.column(4);
        require(!column.is_null(index) && column.text_at(index) == field->get<std::string>());
    }
    require(kept == decoded.rows.rows());
}

void run(std::string_view text) {
    NdjsonSplitter splitter("f", 4096);
    splitter.input().append(text);
    const RawRows raw = splitter.finish();
    Shape shape = shape_of_all_types();
    const auto nesting = static_cast<Nesting>(text.size() % 3);
    shape.nesting = nesting;
    for (const OnDrift policy : {OnDrift::ignore, OnDrift::report, OnDrift::reject_row}) {
        shape.on_drift = policy;
        compare(raw, RowDecoder::create(RawFormat::json, shape)->decode(raw), true);
    }
    for (auto& column : shape.columns) column.declared = true;
    compare(raw, RowDecoder::create(RawFormat::json, shape)->decode(raw), false);
    Shape inferred;
    inferred.nesting = nesting;
    infer_shape(raw, 100, inferred);
    const Decoded decoded = RowDecoder::create(RawFormat::json, inferred)->decode(raw);
    for (size_t row = 0; row < decoded.rows.rows(); ++row) (void)decoded.rows.row_as_json(row);
    if (raw.rows.size() <= 100) require(decoded.drift.empty());
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
