#include "connectors/cursor/ties.h"

#include <nlohmann/json.hpp>

#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr size_t kHashDigits = 32;

std::string hash(const std::string& text) { return to_hex(sha256(text)).substr(0, kHashDigits); }

std::string hash_columns(const Schema& schema) {
    std::string text;
    for (const auto& field : schema.fields()) text += field.name + '\n' + field.type.to_string() + '\n';
    return hash(text);
}

}  // namespace

CursorTies CursorTies::parse(const Checkpoint& checkpoint) {
    CursorTies plain(checkpoint.value());
    plain.is_known_ = false;
    if (!checkpoint.value().starts_with("{\"cursor\":")) return plain;
    try {
        const auto json = nlohmann::json::parse(checkpoint.value());
        CursorTies ties(json.at("cursor").get<std::string>());
        ties.is_known_ = json.contains("rows");
        if (!ties.is_known_) return ties;
        json.at("columns").get_to(ties.columns_);
        json.at("rows").get_to(ties.rows_);
        for (const auto& [row, times] : ties.rows_) ties.count_ += times;
        return ties;
    } catch (const std::exception&) {
        return plain;
    }
}

Checkpoint CursorTies::to_checkpoint() const {
    nlohmann::ordered_json json;
    json["cursor"] = value_;
    if (is_known_) {
        json["columns"] = columns_;
        json["rows"] = rows_;
    }
    return Checkpoint(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

bool CursorTies::is_known_for(const Schema& schema) const { return is_known_ && columns_ == hash_columns(schema); }

void CursorTies::add(const RecordBatch& rows, size_t begin, size_t end) {
    count_ += end - begin;
    if (count_ > kRowsMax) is_known_ = false;
    if (!is_known_) return rows_.clear();
    columns_ = hash_columns(*rows.schema());
    for (size_t row = begin; row < end; ++row) ++rows_[hash(rows.row_as_json(row))];
}

bool CursorTies::take_one(const RecordBatch& rows, size_t row) {
    const auto found = rows_.find(hash(rows.row_as_json(row)));
    if (found == rows_.end() || found->second == 0) return false;
    --found->second;
    return true;
}

}  // namespace shaduf
