#include "cli/frame/rows.h"

#include "base/text.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

bool is_numeric(TypeKind kind) {
    return kind == TypeKind::int64 || kind == TypeKind::float64 || kind == TypeKind::decimal;
}

void print_table(const std::vector<RecordBatch>& batches, std::ostream& out) {
    std::vector<Table::Column> columns;
    for (const Field& field : batches[0].schema()->fields()) {
        columns.push_back({field.name, is_numeric(field.type.kind()) ? Align::right : Align::left});
    }
    Table table(std::move(columns));
    for (const RecordBatch& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            std::vector<std::string> cells;
            for (const Column& column : batch.columns()) cells.push_back(format_value(column, row));
            table.add_row(std::move(cells));
        }
    }
    table.print(out);
    out << "\n" << format_count(static_cast<int64_t>(table.rows())) << (table.rows() == 1 ? " row\n" : " rows\n");
}

void print_json(const std::vector<RecordBatch>& batches, std::ostream& out) {
    const char* separator = "[";
    for (const RecordBatch& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            out << separator << batch.row_as_json(row);
            separator = ",\n ";
        }
    }
    out << (*separator == '[' ? "[]\n" : "]\n");
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos && !text.empty()) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + "\"";
}

void print_csv(const std::vector<RecordBatch>& batches, std::ostream& out) {
    const char* separator = "";
    for (const Field& field : batches[0].schema()->fields()) {
        out << separator << csv_cell(field.name);
        separator = ",";
    }
    out << "\n";
    for (const RecordBatch& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            for (size_t i = 0; i < batch.columns().size(); ++i) {
                const Column& column = batch.column(i);
                out << (i == 0 ? "" : ",") << (column.is_null(row) ? "" : csv_cell(format_value(column, row)));
            }
            out << "\n";
        }
    }
}

}  // namespace

void print_rows(const std::vector<RecordBatch>& batches, RowFormat format, std::ostream& out) {
    if (format == RowFormat::json) return print_json(batches, out);
    if (batches.empty()) {
        if (format == RowFormat::table) out << "no rows\n";
        return;
    }
    format == RowFormat::csv ? print_csv(batches, out) : print_table(batches, out);
}

}  // namespace shaduf
