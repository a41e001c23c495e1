#include "connectors/kafka/encoder.h"

namespace shaduf::kafka {
namespace {

class JsonEncoder final : public Encoder {
public:
    Result<void> prepare(RunContext&, const SchemaPtr& schema) override {
        keys_.clear();
        for (const auto& field : schema->fields()) {
            keys_.emplace_back(keys_.empty() ? "{" : ",");
            append_json_string(field.name, keys_.back());
            keys_.back() += ':';
        }
        return {};
    }
    Result<void> encode(const RecordBatch& rows, size_t row, std::string& out) override {
        if (keys_.empty()) out += '{';
        for (size_t i = 0; i < keys_.size(); ++i) {
            out += keys_[i];
            append_json(rows.column(i), row, out);
        }
        out += '}';
        return {};
    }

private:
    std::vector<std::string> keys_;  // with what stands before and behind them
};

}  // namespace

std::unique_ptr<Encoder> make_json_encoder() { return std::make_unique<JsonEncoder>(); }

Result<void> KeyText::prepare(const Schema& schema, std::string_view option) {
    columns_.clear();
    for (const auto& name : names_) {
        const auto index = schema.index_of(name);
        if (!index) {
            return Error(ErrorKind::invalid_config,
                         "stream has no such column: " + name + "; check " + std::string(option) + " of the table");
        }
        columns_.push_back(*index);
    }
    return {};
}

std::optional<std::string_view> KeyText::of(const RecordBatch& rows, size_t row) {
    text_.clear();
    if (columns_.size() == 1) {
        const Column& column = rows.column(columns_.front());
        if (column.is_null(row)) return std::nullopt;
        const auto kind = column.type.kind();
        if (kind == TypeKind::string || kind == TypeKind::bytes || kind == TypeKind::json) return column.text_at(row);
        text_ = format_value(column, row);
        return text_;
    }
    for (const size_t column : columns_) {
        text_ += text_.empty() ? '{' : ',';
        append_json_string((*rows.schema())[column].name, text_);
        text_ += ':';
        append_json(rows.column(column), row, text_);
    }
    text_ += '}';
    return text_;
}

}  // namespace shaduf::kafka
