#include "data/csv_writer.h"

namespace shaduf {
namespace {

void append_field(std::string_view text, std::string& out) {
    const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
                       text.front() != ' ' && text.back() != ' ';
    if (plain) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

// What spreadsheets take for a formula.
bool is_formula(std::string_view text) {
    constexpr std::string_view kBegins = "=+-@\t\r\n";
    return !text.empty() && kBegins.find(text.front()) != std::string_view::npos;
}

void append_text(std::string_view text, CsvTexts texts, std::string& out) {
    if (texts == CsvTexts::exact || !is_formula(text)) return append_field(text, out);
    append_field("'" + std::string(text), out);
}

void append_value(const Column& column, size_t row, CsvTexts texts, std::string& out) {
    if (column.is_null(row)) return;
    const TypeKind kind = column.type.kind();
    if (kind == TypeKind::string || kind == TypeKind::json) {
        append_text(column.text_at(row), texts, out);
    } else if (column.type.is_nested()) {
        append_field(format_value(column, row), out);
    } else {
        out += format_value(column, row);  // has no character that needs quotes
    }
}

}  // namespace

void append_csv_header(const Schema& schema, std::string& out, CsvTexts texts) {
    for (size_t i = 0; i < schema.size(); ++i) {
        if (i > 0) out += ',';
        append_text(schema[i].name, texts, out);
    }
    out += '\n';
}

void append_csv_rows(const RecordBatch& batch, std::span<const uint32_t> rows, std::string& out, CsvTexts texts) {
    for (const uint32_t row : rows) {
        const size_t begin = out.size();
        for (size_t i = 0; i < batch.columns().size(); ++i) {
            if (i > 0) out += ',';
            append_value(batch.column(i), row, texts, out);
        }
        if (out.size() == begin) out += "\"\"";  // a lone null would be a blank line, which is no row
        out += '\n';
    }
}

}  // namespace shaduf
