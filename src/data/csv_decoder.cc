#include "data/csv_decoder.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/json_nested.h"
#include "data/row_judge.h"
#include "data/utf8.h"

namespace shaduf {
namespace {

// What to do with the fields of one place in the records.
struct FieldPlan {
    std::vector<std::string> path;  // the header's name
    std::vector<TargetColumn> columns;
};

std::vector<FieldPlan> make_plan(const Shape& shape, const CsvDialect& dialect) {
    std::vector<FieldPlan> plan;
    for (const auto& name : dialect.header) plan.push_back({{name}, {}});
    for (size_t i = 0; i < shape.columns.size(); ++i) {
        for (auto& field : plan) {
            if (field.path == shape.columns[i].path) field.columns.push_back(make_target(shape, i));
        }
    }
    return plan;
}

// Reads the rows of one batch: what `decode` keeps while it works. One thread.
class CsvRowReader {
public:
    CsvRowReader(const Shape& shape, const CsvDialect& dialect, const SchemaPtr& schema)
        : shape_(shape), dialect_(dialect), plan_(make_plan(shape, dialect)), rows_(schema), judge_(shape) {}

    std::optional<Error> read(std::string_view text, size_t row) {
        judge_.start_row(row);
        if (!read_record(text) || !judge_.keep_row()) {
            rows_.undo_row();
            return judge_.drop_row();
        }
        for (size_t i = 0; i < shape_.columns.size(); ++i) {
            if (rows_.column(i).length() == rows_.rows()) rows_.column(i).append_null();
        }
        rows_.end_row();
        return std::nullopt;
    }

    RecordBatch finish() { return rows_.finish(); }
    RowJudge& judge() { return judge_; }

private:
    bool read_record(std::string_view text);
    bool read_field(const FieldPlan& plan, const CsvField& field);
    bool append(const TargetColumn& column, const CsvField& field, TimestampOnce& timestamp);
    bool append_inferred(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                         TimestampOnce& timestamp);
    bool append_json_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text);
    bool reject(std::string why) { return judge_.reject(Error(ErrorKind::bad_data, std::move(why))); }

    const Shape& shape_;
    const CsvDialect& dialect_;
    const std::vector<FieldPlan> plan_;
    RecordBatchBuilder rows_;
    RowJudge judge_;
    std::vector<CsvField> fields_;
    std::vector<char> unquoted_;
};

bool CsvRowReader::read_record(std::string_view text) {
    if (const auto invalid = find_invalid_utf8(text)) {
        return reject("invalid UTF-8 at byte offset " + std::to_string(*invalid));
    }
    if (!split_csv_record(text, dialect_.delimiter, dialect_.quote, fields_, unquoted_)) {
        return reject("quoted field has no end, or text behind its closing quote");
    }
    if (fields_.size() != plan_.size()) {
        return reject("row has " + std::to_string(fields_.size()) + " fields, the header has " +
                      std::to_string(plan_.size()));
    }
    for (size_t i = 0; i < fields_.size(); ++i) {
        const CsvField& field = fields_[i];
        if (!field.quoted && (field.text.empty() || field.text == dialect_.null_text)) continue;
        if (!read_field(plan_[i], field)) return false;
    }
    return true;
}

bool CsvRowReader::read_field(const FieldPlan& plan, const CsvField& field) {
    TimestampOnce timestamp(field.text);
    for (const auto& column : plan.columns) {
        if (append(column, field, timestamp)) continue;
        rows_.column(column.index).truncate(rows_.rows());
        if (!judge_.misfit(column, plan.path, natural_text_type(field.text), field.text)) return false;
    }
    if (!plan.columns.empty()) return true;
    bool rejected = false;
    if (judge_.reports_new(plan.path, rejected)) judge_.report_new(plan.path, natural_text_type(field.text));
    return !rejected;
}

bool CsvRowReader::append(const TargetColumn& column, const CsvField& field, TimestampOnce& timestamp) {
    ColumnBuilder& to = rows_.column(column.index);
    if (column.kind == TypeKind::json || column.type.is_nested()) return append_json_value(to, column, field.text);
    if (column.declared) return append_string_value(to, column, field.text, timestamp);
    return append_inferred(to, column, field.text, timestamp);
}

// Into a column of the type that its texts looked like.
bool CsvRowReader::append_inferred(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                                   TimestampOnce& timestamp) {
    switch (column.kind) {
        case TypeKind::boolean: {
            const bool is_true = equals_ignoring_case(text, "true");
            if (!is_true && !equals_ignoring_case(text, "false")) return false;
            to.append_boolean(is_true);
            return true;
        }
        case TypeKind::int64:
        case TypeKind::float64:
        case TypeKind::decimal: {
            JsonCursor cursor(text);
            JsonNumber number;
            if (text.empty() || !cursor.read_number(number) || number.text.size() != text.size()) return false;
            const auto integer = number.is_int64 ? std::optional(number.value) : std::nullopt;
            return append_number_value(to, column, text, integer);
        }
        default: return append_string_value(to, column, text, timestamp);
    }
}

// Nested values stand in CSV as their JSON. Into an inferred json column goes any other text as a JSON string.
bool CsvRowReader::append_json_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text) {
    JsonCursor cursor(text);
    cursor.skip_space();
    if (column.kind != TypeKind::json) {
        NestedReader nested(cursor, column.declared);
        return !cursor.at_end() && nested.read(to) && cursor.finish() && nested.misfits() == 0;
    }
    if (!cursor.at_end() && cursor.skip_value() && cursor.finish()) {
        to.append_text(text);
        return true;
    }
    if (column.declared) return false;
    std::string quoted;
    append_json_string(text, quoted);
    to.append_text(quoted);
    return true;
}

class CsvDecoder final : public RowDecoder {
public:
    explicit CsvDecoder(const Shape& shape) : shape_(shape), schema_(shape_.schema()) {}

    Decoded decode(const RawRows& rows) const override {
        SHADUF_ASSERT(rows.csv != nullptr || rows.rows.empty());
        const CsvDialect none;
        CsvRowReader reader(shape_, rows.csv ? *rows.csv : none, schema_);
        std::vector<RejectedRow> rejected;
        std::vector<uint32_t> row_numbers;
        decode_each_row(
            rows, [&](std::string_view text, size_t row) { return reader.read(text, row); }, rejected, row_numbers);
        return {reader.finish(), std::move(row_numbers), std::move(rejected), reader.judge().release_drift(),
                reader.judge().values_ignored()};
    }

private:
    Shape shape_;
    SchemaPtr schema_;
};

}  // namespace

std::unique_ptr<RowDecoder> make_csv_decoder(const Shape& shape) { return std::make_unique<CsvDecoder>(shape); }

}  // namespace shaduf
