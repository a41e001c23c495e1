#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_decoder.h"

// Decoding as text in and text out, for the tables of the decoder tests.
namespace shaduf::testing {

inline RawRows raw_rows(const std::vector<std::string>& rows, RawFormat format = RawFormat::json) {
    RawRows raw;
    raw.format = format;
    raw.place = "file";
    BufferBuilder text;
    for (const auto& row : rows) {
        raw.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(row.size())});
        text.append(row);
        text.append("\n");
    }
    raw.text = text.finish();
    return raw;
}

// "a: int64, b.c: string" as columns a and b__c of these paths; a "!" behind the type: declared.
inline Shape shape_of(std::string_view columns) {
    Shape shape;
    const auto add = [&](std::string_view column) {
        const auto colon = column.find(": ");
        auto type = column.substr(colon + 2);
        const bool declared = type.back() == '!';
        if (declared) type.remove_suffix(1);
        ShapeColumn result{"", *DataType::parse(type), {}, declared};
        for (auto path = column.substr(0, colon);;) {
            const auto dot = path.find('.');
            result.path.emplace_back(path.substr(0, dot));
            result.name += (result.name.empty() ? "" : "__") + result.path.back();
            if (dot == std::string_view::npos) break;
            path.remove_prefix(dot + 1);
        }
        shape.columns.push_back(std::move(result));
    };
    int depth = 0;
    size_t begin = 0;
    for (size_t at = 0; at <= columns.size(); ++at) {
        const char c = at < columns.size() ? columns[at] : ',';
        if (c == '<' || c == '(') ++depth;
        if (c == '>' || c == ')') --depth;
        if (c != ',' || depth > 0) continue;
        if (at > begin) add(columns.substr(begin, at - begin));
        begin = at + 2;
    }
    return shape;
}

// One line a row that was decoded, then "row 1: why" for each that was rejected, "drift a.b: type" for each column
// asked for ("+" before the type of a new one).
inline std::string describe(const Decoded& decoded) {
    std::string text;
    for (size_t row = 0; row < decoded.rows.rows(); ++row) text += decoded.rows.row_as_json(row) + "\n";
    for (const auto& rejected : decoded.rejected) {
        text += "row " + std::to_string(rejected.row) + ": " + rejected.why.message() + "\n";
    }
    for (const auto& drift : decoded.drift) {
        text += "drift";
        for (const auto& key : drift.path) text += (&key == drift.path.data() ? " " : ".") + key;
        text += std::string(": ") + (drift.is_new ? "+" : "") + drift.type.to_string() + "\n";
    }
    if (decoded.values_ignored > 0) text += "ignored " + std::to_string(decoded.values_ignored) + "\n";
    return text;
}

}  // namespace shaduf::testing
