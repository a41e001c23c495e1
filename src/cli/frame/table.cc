#include "cli/frame/table.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace shaduf {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

size_t width_of(const std::string& text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut(const std::string& text, size_t width_max) {
    if (width_of(text) <= width_max) return text;
    size_t characters = 0;
    size_t at = 0;
    while (at < text.size()) {
        if (starts_character(text[at]) && ++characters == width_max) break;
        ++at;
    }
    return text.substr(0, at) + "\u2026";
}

void print_cell(std::ostream& out, const std::string& text, size_t width, Align align, bool is_last) {
    const std::string padding(width - std::min(width, width_of(text)), ' ');
    if (align == Align::right) out << padding << text;
    if (align == Align::left) out << text << (is_last ? "" : padding);
    out << (is_last ? "\n" : "  ");
}

}  // namespace

void Table::add_row(std::vector<std::string> cells) {
    SHADUF_ASSERT(cells.size() == columns_.size());
    for (std::string& cell : cells) {
        if (!is_valid_utf8(cell)) cell = make_valid_utf8(cell);
        for (char& c : cell) {
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
        }
    }
    rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out, size_t cell_width_max) const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns_.size(); ++i) {
        size_t width = width_of(columns_[i].name);
        for (const auto& row : rows_) width = std::max(width, std::min(cell_width_max, width_of(row[i])));
        widths.push_back(width);
    }
    const auto is_last = [&](size_t i) { return i + 1 == columns_.size(); };
    for (size_t i = 0; i < columns_.size(); ++i) {
        print_cell(out, columns_[i].name, widths[i], columns_[i].align, is_last(i));
    }
    for (size_t i = 0; i < columns_.size(); ++i) out << std::string(widths[i], '-') << (is_last(i) ? "\n" : "  ");
    for (const auto& row : rows_) {
        for (size_t i = 0; i < columns_.size(); ++i) {
            print_cell(out, cut(row[i], cell_width_max), widths[i], columns_[i].align, is_last(i));
        }
    }
}

}  // namespace shaduf
