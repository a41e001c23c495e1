#include "connectors/kafka/told_types.h"

#include <algorithm>
#include <set>

#include "connectors/kafka/registry_encoder.h"
#include "data/json_nested.h"
#include "data/value_append.h"

namespace shaduf::kafka {
namespace {

bool is_json(std::string_view text) {
    JsonCursor cursor(text);
    cursor.skip_space();
    return cursor.skip_value() && cursor.finish();
}

// `text` is readable for 16 bytes behind its end.
bool append_parsed(ColumnBuilder& to, const TargetColumn& column, std::string_view text) {
    if (column.kind == TypeKind::json) {
        std::string quoted;
        if (!is_json(text)) append_json_string(text, quoted);  // of when the column was one of texts
        to.append_text(quoted.empty() ? text : quoted);
        return true;
    }
    if (column.type.is_nested()) {
        JsonCursor cursor(text);
        cursor.skip_space();
        NestedReader nested(cursor, true);
        return nested.read(to) && nested.misfits() == 0 && cursor.finish();
    }
    TimestampOnce timestamp(text);
    return append_string_value(to, column, text, timestamp);
}

class Retyping {
public:
    Retyping(const RecordBatch& rows, std::vector<RejectedRow>& rejected) : rows_(rows), rejected_(rejected) {}

    RecordBatch run(const Schema& told) {
        std::vector<Field> fields;
        std::vector<Column> columns;
        for (const Field& field : told.fields()) {
            columns.push_back(column_of(identifier_of(field.name), field.type));
            fields.push_back({field.name, columns.back().type});
        }
        for (size_t i = 0; i < rows_.columns().size(); ++i) {
            if (used_.contains(i)) continue;
            columns.push_back(rows_.column(i));
            fields.push_back((*rows_.schema())[i]);
        }
        return {std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows_.rows()};
    }

private:
    Column column_of(const std::string& name, const DataType& type) {
        const auto index = rows_.schema()->index_of(name);
        if (!index && type.kind() == TypeKind::structure) return structure_of(name, type);
        if (!index) return make_null_column(type, rows_.rows());
        used_.insert(*index);
        const Column& given = rows_.column(*index);
        const TypeKind kind = given.type.kind();
        const bool is_text = (kind == TypeKind::string && type.kind() != TypeKind::string) ||
                             (kind == TypeKind::json && type.is_nested());
        if (is_text) return parsed(given, name, type);
        if (!fits(given.type, type)) return given;
        auto wide = widen_column(given, type);
        return wide.ok() ? wide.release_value() : given;
    }

    Column parsed(const Column& given, const std::string& name, const DataType& type) {
        const TargetColumn target{0, name, type, type.kind(), true};
        ColumnBuilder to(type);
        for (size_t row = 0; row < given.length; ++row) {
            if (given.is_null(row)) {
                to.append_null();
            } else if (!append_parsed(to, target, given.text_at(row))) {
                to.truncate(row);
                to.append_null();
                rejected_.push_back({row, misfit_error(name, type, given.text_at(row))});
            }
        }
        return to.finish();
    }

    Column structure_of(const std::string& name, const DataType& type) {
        std::vector<Field> fields;
        Column column;
        for (const Field& field : type.children()) {
            column.children.push_back(column_of(name + "__" + identifier_of(field.name), field.type));
            fields.push_back({field.name, column.children.back().type});
        }
        ColumnBuilder there(TypeKind::boolean);
        for (size_t row = 0; row < rows_.rows(); ++row) {
            const bool is_null = std::all_of(column.children.begin(), column.children.end(),
                                             [row](const Column& child) { return child.is_null(row); });
            is_null ? there.append_null() : there.append_boolean(true);
        }
        const Column marks = there.finish();
        column.type = DataType::structure(std::move(fields));
        column.length = rows_.rows();
        column.null_count = marks.null_count;
        column.validity = marks.validity;
        return column;
    }

    const RecordBatch& rows_;
    std::vector<RejectedRow>& rejected_;
    std::set<size_t> used_;
};

}  // namespace

RecordBatch with_told_types(const RecordBatch& rows, const Schema& told, std::vector<RejectedRow>& rejected) {
    return Retyping(rows, rejected).run(told);
}

}  // namespace shaduf::kafka
