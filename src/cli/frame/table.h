#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace shaduf {

enum class Align { left, right };

// Columns of text, as people read them on a terminal: a head, a rule, rows; two spaces between.
class Table {
public:
    struct Column {
        std::string name;
        Align align = Align::left;
    };
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // REQUIRES: as many cells as columns. Line ends and control characters are shown as spaces.
    void add_row(std::vector<std::string> cells);
    size_t rows() const { return rows_.size(); }
    // A cell wider than `cell_width_max` characters is cut, with an ellipsis.
    void print(std::ostream& out, size_t cell_width_max = 60) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace shaduf
