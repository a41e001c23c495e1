#include "data/ndjson_writer.h"

#include <algorithm>
#include <vector>

namespace shaduf {

void append_ndjson_rows(const RecordBatch& batch, std::span<const uint32_t> rows, std::string& out) {
    std::vector<std::string> keys;  // with what stands before and behind them
    for (const auto& field : batch.schema()->fields()) {
        keys.emplace_back(keys.empty() ? "{" : ",");
        append_json_string(field.name, keys.back());
        keys.back() += ':';
    }
    for (const uint32_t row : rows) {
        const size_t begin = out.size();
        if (keys.empty()) out += '{';
        for (size_t i = 0; i < keys.size(); ++i) {
            out += keys[i];
            append_json(batch.column(i), row, out);
        }
        // Strings have theirs escaped; others can only stand between the tokens of json values.
        std::replace_if(
            out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; },
            ' ');
        out += "}\n";
    }
}

}  // namespace shaduf
