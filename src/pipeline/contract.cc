#include "pipeline/contract.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "data/decimal.h"
#include "data/system_columns.h"
#include "data/value_append.h"

namespace shaduf {
namespace {

constexpr std::string_view kFlattenSeparator = "__";

ShapeColumn* find_column(Shape& shape, std::string_view name) {
    for (auto& column : shape.columns) {
        if (equals_ignoring_case(column.name, name)) return &column;
    }
    return nullptr;
}

// Where a column of the table is found in the rows, when no row of the sample has shown it.
std::vector<std::string> path_of(const std::string& name, Nesting nesting) {
    std::vector<std::string> path;
    std::string_view rest = name;
    for (auto at = rest.find(kFlattenSeparator, 1); nesting == Nesting::flatten && at != std::string_view::npos;
         at = rest.find(kFlattenSeparator, 1)) {
        path.emplace_back(rest.substr(0, at));
        rest.remove_prefix(at + kFlattenSeparator.size());
    }
    path.emplace_back(rest);
    return path;
}

Error drift_error(const Schema& table, const Schema& wanted) {
    return Error(ErrorKind::bad_data, "the data no longer has the form of its table (contract: freeze): " +
                                          join(schema_difference(table, wanted), "; ") +
                                          "; change the source back, or set contract: evolve for one run");
}

// The columns that shaduf adds to every table anew. Rows of a table that it wrote itself bring them along.
bool is_own_column(std::string_view name) {
    return equals_ignoring_case(name, kLoadedAtColumn) || equals_ignoring_case(name, kRunIdColumn);
}

RecordBatch without_own_columns(RecordBatch rows) {
    const auto& given = rows.schema()->fields();
    if (std::none_of(given.begin(), given.end(), [](const Field& field) { return is_own_column(field.name); })) {
        return rows;
    }
    std::vector<Field> fields;
    std::vector<Column> columns;
    for (size_t i = 0; i < given.size(); ++i) {
        if (is_own_column(given[i].name)) continue;
        fields.push_back(given[i]);
        columns.push_back(rows.column(i));
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

std::vector<std::string> names_of(const Treated& treated) {
    std::vector<std::string> names;
    for (const auto& [name, path] : treated.columns) names.push_back(name);
    return names;
}

TypedBatch without_rows(const RecordBatch& rows, std::vector<RejectedRow> rejected) {
    std::vector<bool> out(rows.rows(), false);
    for (const auto& row : rejected) out[row.row] = true;
    std::vector<uint32_t> kept;
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (!out[row]) kept.push_back(static_cast<uint32_t>(row));
    }
    RecordBatch taken = rows.take(kept);
    return {std::move(taken), std::move(kept), std::move(rejected)};
}

// Without the rows that the source itself turned away.
TypedBatch without_rejected(TypedBatch typed, const std::vector<RejectedRow>& rejected) {
    std::map<size_t, Error> out;
    for (const auto& row : rejected) out.emplace(row.row, row.why);
    for (const auto& row : typed.rejected) out.emplace(row.row, row.why);
    TypedBatch left{typed.rows, {}, {}, typed.values_ignored, typed.fields_ignored};
    std::vector<uint32_t> kept;
    for (uint32_t row = 0; row < typed.rows.rows(); ++row) {
        const uint32_t origin = typed.row_numbers.empty() ? row : typed.row_numbers[row];
        if (out.contains(origin)) continue;
        kept.push_back(row);
        left.row_numbers.push_back(origin);
    }
    left.rows = typed.rows.take(kept);
    for (auto& [row, why] : out) left.rejected.push_back({row, std::move(why)});
    return left;
}

// Whether a raw column may be read as the table has it, though it looks otherwise.
bool is_read_as(const ShapeColumn& column, const DataType& table) {
    if (fits(column.type, table)) return true;
    return (column.declared || column.type.kind() == TypeKind::int64) && converts_by_value(column.type, table);
}

// Integers say nothing of how many digits there will be.
DataType type_before_drift(const DataType& inferred, const DataType& table) {
    const bool is_held = inferred.kind() == TypeKind::int64 && table.kind() == TypeKind::decimal;
    return is_held ? table : widen(inferred, table);
}

Result<Column> read_as(const Column& column, const std::string& name, const DataType& type,
                       std::vector<RejectedRow>& rejected) {
    if (fits(column.type, type)) return widen_column(column, type);
    CheckedDecimals checked = to_decimals(column, type);
    for (const uint32_t row : checked.misfits) {
        rejected.push_back({row, misfit_error(name, type, format_value(column, row))});
    }
    return std::move(checked.column);
}

// Rows with a value of a column that the table has not.
std::vector<RejectedRow> without_place(const Column& column, const Field& field) {
    std::vector<RejectedRow> rejected;
    for (size_t row = 0; row < column.length; ++row) {
        if (column.is_null(row)) continue;
        rejected.push_back({row, Error(ErrorKind::bad_data,
                                       "the table has no place for " + field.name + " " + field.type.to_string())});
    }
    return rejected;
}

}  // namespace

struct Contract::Form {
    Shape shape;
    std::unique_ptr<RowDecoder> decoder;
    RawFormat format;
    std::vector<std::string> treated;  // columns that a policy changed before; they are read as text
};

Contract::Contract(ContractSettings settings, const std::optional<Schema>& table)
    : settings_(std::move(settings)), table_(table) {
    if (!settings_.rows_of_table || !table_) return;
    for (const Field& field : table_->fields()) known_.push_back({field.name, field.type, {field.name}, true});
}

Result<TypedBatch> Contract::apply(const ReadBatch& batch) {
    static const Treated untouched;
    const Treated& treated = batch.treated == nullptr ? untouched : *batch.treated;
    if (const auto* raw = std::get_if<RawRows>(&batch.rows)) return apply_raw(*raw, treated);
    if (const auto* encoded = std::get_if<std::shared_ptr<const EncodedRows>>(&batch.rows)) {
        EncodedRows::Decoded decoded = (*encoded)->decode();
        return apply_decoded(decoded.rows, std::move(decoded.rejected));
    }
    return apply_decoded(std::get<RecordBatch>(batch.rows), batch.rejected);
}

Result<TypedBatch> Contract::apply_decoded(const RecordBatch& rows, std::vector<RejectedRow> rejected) {
    auto listed = TRY(select_listed(rows, rejected));
    auto typed = TRY(apply_typed(without_own_columns(std::move(listed))));
    return rejected.empty() ? std::move(typed) : without_rejected(std::move(typed), rejected);
}

std::shared_ptr<const Shape> Contract::shape_of(const ReadBatch& batch) const {
    const auto names = batch.treated == nullptr ? std::vector<std::string>() : names_of(*batch.treated);
    std::lock_guard lock(mutex_);
    const auto form = forms_.find(names);
    if (form == forms_.end() || form->second == nullptr) return nullptr;
    return std::shared_ptr<const Shape>(form->second, &form->second->shape);
}

Result<TypedBatch> Contract::apply_raw(const RawRows& rows, const Treated& treated) {
    auto form = TRY(form_for(rows, treated));
    for (;;) {
        Decoded decoded = form->decoder->decode(rows);
        if (decoded.drift.empty()) {
            return TypedBatch{without_own_columns(std::move(decoded.rows)), std::move(decoded.row_numbers),
                              std::move(decoded.rejected), decoded.values_ignored, std::move(decoded.fields_ignored)};
        }
        form = TRY(widen_form(*form, decoded.drift));
    }
}

Result<std::shared_ptr<const Contract::Form>> Contract::form_for(const RawRows& rows, const Treated& treated) {
    std::vector<std::string> names = names_of(treated);
    std::lock_guard lock(mutex_);
    auto& form = forms_[names];
    if (form != nullptr && form->format == rows.format) return form;
    Shape shape = listed_columns(rows);
    add_known(shape);
    if (!settings_.ignore_unlisted) infer_shape(rows, static_cast<size_t>(settings_.sample_rows), shape);
    TRY(fit_to_table(shape));
    read_as_text(treated, shape);
    if (settings_.mode == ContractMode::discard_row && table_) shape.on_drift = OnDrift::reject_row;
    if (settings_.mode == ContractMode::discard_column && table_) shape.on_drift = OnDrift::ignore;
    auto decoder = RowDecoder::create(rows.format, shape);
    form = std::make_shared<const Form>(Form{std::move(shape), std::move(decoder), rows.format, std::move(names)});
    return form;
}

// A policy leaves text, whatever the type was.
void Contract::read_as_text(const Treated& treated, Shape& shape) const {
    for (const auto& [name, path] : treated.columns) {
        ShapeColumn* column = find_column(shape, name);
        if (column == nullptr) continue;
        column->type = TypeKind::string;
        column->declared = true;
    }
}

// The columns that the user lists; those without a type get the one that the sample shows.
Shape Contract::listed_columns(const RawRows& rows) const {
    Shape found;
    const bool any_untyped = std::any_of(settings_.columns.begin(), settings_.columns.end(),
                                         [](const ColumnConfig& column) { return !column.type; });
    if (any_untyped) infer_shape(rows, static_cast<size_t>(settings_.sample_rows), found);
    Shape shape;
    shape.nesting = settings_.nesting;
    shape.ignore_unlisted = settings_.ignore_unlisted;
    for (const auto& column : settings_.columns) {
        DataType type = column.type.value_or(TypeKind::string);
        for (const auto& inferred : found.columns) {
            if (!column.type && inferred.path == column.path) type = inferred.type;
        }
        shape.columns.push_back({column.name, type, column.path, column.type.has_value()});
    }
    return shape;
}

// Where the table says what is allowed, it says so alone; how a declared column is read there still holds. What rows
// show may widen the others, as any.
void Contract::add_known(Shape& shape) const {
    if (settings_.ignore_unlisted) return;
    for (const auto& column : known_) {
        if (compares_with_table() && (!column.declared || !table_->index_of(column.name))) continue;
        const bool is_nested = column.path.size() > 1 && settings_.nesting != Nesting::flatten;
        const bool is_list = column.type.kind() == TypeKind::json && settings_.nesting == Nesting::structure;
        const auto is_same = [&](const ShapeColumn& other) {
            return other.path == column.path || equals_ignoring_case(other.name, column.name);
        };
        if (is_nested || is_list || std::any_of(shape.columns.begin(), shape.columns.end(), is_same)) continue;
        shape.columns.push_back(column);
    }
}

Result<std::shared_ptr<const Contract::Form>> Contract::widen_form(const Form& from,
                                                                   const std::vector<DriftColumn>& drift) {
    std::lock_guard lock(mutex_);
    auto& form = forms_[from.treated];
    if (form.get() != &from) return form;  // another worker was first: try its form
    Shape shape = from.shape;
    apply_drift(drift, shape);
    TRY(fit_to_table(shape));
    auto decoder = RowDecoder::create(from.format, shape);
    form = std::make_shared<const Form>(Form{std::move(shape), std::move(decoder), from.format, from.treated});
    return form;
}

// A column that the table has is read with a type that holds what the table holds. When the contract does not let the
// table change, it is read with the table's type, and what the table lacks is not read.
Result<void> Contract::fit_to_table(Shape& shape) const {
    if (shape.columns.size() > kColumnsMax) {
        return Error(ErrorKind::bad_data, "the rows have more than " + std::to_string(kColumnsMax) +
                                              " different fields; set nested: json, or list the columns you want");
    }
    if (!table_) return {};
    if (settings_.mode == ContractMode::freeze) {
        for (const auto& column : shape.columns) {
            const auto index = table_->index_of(column.name);
            const bool retyped = settings_.retyped.contains(column.name);
            if (is_own_column(column.name) || retyped || (index && is_read_as(column, (*table_)[*index].type)))
                continue;
            return drift_error(*table_, *shape.schema());
        }
    }
    if (compares_with_table()) {
        std::erase_if(shape.columns, [&](const ShapeColumn& column) {
            return !column.declared && !table_->index_of(column.name) && !settings_.retyped.contains(column.name);
        });
        // Read like any column, so that they are not taken for unknown ones, and left out of the batch.
        for (const auto name : {kLoadedAtColumn, kRunIdColumn}) {
            if (!settings_.ignore_unlisted) {
                shape.columns.push_back({std::string(name), TypeKind::json, {std::string(name)}, false});
            }
        }
    }
    for (const auto& field : table_->fields()) {
        if (settings_.retyped.contains(field.name)) continue;
        ShapeColumn* column = find_column(shape, field.name);
        if (column != nullptr) {
            if (settings_.mode == ContractMode::evolve) {
                if (!column->declared) column->type = type_before_drift(column->type, field.type);
                continue;
            }
            if (column->declared && !is_read_as(*column, field.type)) return drift_error(*table_, *shape.schema());
            if (!column->declared || !fits(column->type, field.type)) column->type = field.type;
        } else if (!settings_.ignore_unlisted) {
            shape.columns.push_back({field.name, field.type, path_of(field.name, settings_.nesting), false});
        }
    }
    return {};
}

Result<RecordBatch> Contract::select_listed(const RecordBatch& rows, std::vector<RejectedRow>& rejected) const {
    if (settings_.columns.empty()) return rows;
    std::vector<Field> fields;
    std::vector<Column> columns;
    std::set<size_t> used;
    for (const auto& wanted : settings_.columns) {
        const auto index = rows.schema()->index_of(wanted.path.empty() ? wanted.name : wanted.path.front());
        if (!index || wanted.path.size() > 1) {
            const auto names = rows.schema()->names();
            return Error(ErrorKind::invalid_config, "column is not in the source: " + join(wanted.path, ".") +
                                                        did_you_mean(join(wanted.path, "."), names));
        }
        const Column& column = rows.column(*index);
        const DataType type = wanted.type.value_or(column.type);
        if (!fits(column.type, type) && !converts_by_value(column.type, type)) {
            return Error(ErrorKind::invalid_config, "column cannot be read as " + type.to_string() + ": " +
                                                        wanted.name + " is " + column.type.to_string() +
                                                        " in the source")
                .at(wanted.place);
        }
        columns.push_back(TRY(read_as(column, wanted.name, type, rejected)));
        fields.push_back({wanted.name, type});
        used.insert(*index);
    }
    for (size_t i = 0; i < rows.columns().size() && !settings_.ignore_unlisted; ++i) {
        if (used.contains(i)) continue;
        fields.push_back((*rows.schema())[i]);
        columns.push_back(rows.column(i));
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

Result<TypedBatch> Contract::apply_typed(const RecordBatch& rows) {
    if (!compares_with_table()) return TypedBatch{rows, {}, {}};
    std::vector<Field> fields;
    std::vector<Column> columns;
    std::vector<RejectedRow> rejected;
    size_t ignored = 0;
    std::vector<std::string> names_ignored;
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        const auto index = table_->index_of(field.name);
        if (settings_.retyped.contains(field.name) || (index && fits(field.type, (*table_)[*index].type))) {
            fields.push_back(field);
            columns.push_back(rows.column(i));
            continue;
        }
        std::vector<RejectedRow> misfits;
        const bool is_decimal = index && converts_by_value(field.type, (*table_)[*index].type);
        if (is_decimal) {
            fields.push_back({field.name, (*table_)[*index].type, field.nullable});
            columns.push_back(TRY(read_as(rows.column(i), field.name, fields.back().type, misfits)));
        } else if (settings_.mode != ContractMode::freeze) {
            misfits = without_place(rows.column(i), field);
        }
        if (settings_.mode == ContractMode::freeze && (!is_decimal || !misfits.empty())) {
            return drift_error(*table_, *rows.schema());
        }
        if (settings_.mode == ContractMode::discard_column) {
            ignored += misfits.size();
            if (!misfits.empty() && !index) names_ignored.push_back(field.name);
        } else {
            std::move(misfits.begin(), misfits.end(), std::back_inserter(rejected));
        }
    }
    const auto by_row = [](const auto& a, const auto& b) { return a.row < b.row; };
    const auto is_same = [](const auto& a, const auto& b) { return a.row == b.row; };
    std::stable_sort(rejected.begin(), rejected.end(), by_row);
    rejected.erase(std::unique(rejected.begin(), rejected.end(), is_same), rejected.end());
    RecordBatch kept(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
    if (rejected.empty()) return TypedBatch{std::move(kept), {}, {}, ignored, std::move(names_ignored)};
    return without_rows(kept, std::move(rejected));
}

std::vector<std::string> schema_difference(const Schema& table, const Schema& wanted) {
    std::vector<std::string> lines;
    for (const auto& field : wanted.fields()) {
        const auto index = table.index_of(field.name);
        if (is_own_column(field.name)) continue;
        if (!index) {
            lines.push_back("+ " + field.name + " " + field.type.to_string());
        } else if (!fits(field.type, table[*index].type)) {
            lines.push_back("~ " + field.name + " " + table[*index].type.to_string() + " -> " +
                            widen(field.type, table[*index].type).to_string());
        }
    }
    return lines;
}

}  // namespace shaduf
