#include "connectors/keyed/key_columns.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/keyed/versions.h"

namespace shaduf {

Result<void> check_key(const TableTarget& target) {
    if (!has_key(target) || !target.key.empty()) return {};
    return Error(ErrorKind::invalid_config, "merge and history need a key; set `key`");
}

Result<void> check_key_columns(const TableTarget& target, const Schema& schema) {
    std::vector<std::string> wanted = has_key(target) ? target.key : std::vector<std::string>();
    if (has_key(target) && !target.order_by.empty()) wanted.push_back(target.order_by);
    const auto names = schema.names();
    for (const auto& name : wanted) {
        if (schema.index_of(name)) continue;
        return Error(ErrorKind::invalid_config,
                     "column of the key or the order is not in the stream: " + name + did_you_mean(name, names));
    }
    if (target.mode != WriteMode::history) return {};
    for (const auto& field : history_columns().fields()) {
        if (!schema.index_of(field.name)) continue;
        return Error(ErrorKind::invalid_config,
                     "column has a name that history needs: " + field.name + "; rename it, or write with another mode");
    }
    return {};
}

std::optional<std::vector<uint32_t>> rows_with_key(const TableTarget& target, const RecordBatch& rows,
                                                   std::vector<RejectedRow>& rejected) {
    if (!has_key(target)) return std::nullopt;
    std::vector<size_t> key;
    for (const auto& name : target.key) key.push_back(*rows.schema()->index_of(name));
    if (std::all_of(key.begin(), key.end(), [&](size_t i) { return rows.column(i).null_count == 0; })) {
        return std::nullopt;
    }
    std::vector<uint32_t> kept;
    for (size_t row = 0; row < rows.rows(); ++row) {
        const auto null = std::find_if(key.begin(), key.end(), [&](size_t i) { return rows.column(i).is_null(row); });
        if (null == key.end()) {
            kept.push_back(static_cast<uint32_t>(row));
        } else {
            rejected.push_back({row, Error(ErrorKind::bad_data, "key is null: " + (*rows.schema())[*null].name)});
        }
    }
    return kept;
}

Schema without_history_columns(const Schema& schema) {
    std::vector<Field> fields;
    for (const auto& field : schema.fields()) {
        if (!history_columns().index_of(field.name)) fields.push_back(field);
    }
    return Schema(std::move(fields));
}

}  // namespace shaduf
