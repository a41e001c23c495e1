#include "models/run/unit_test_diff.h"

#include <algorithm>
#include <map>
#include <queue>
#include <string_view>
#include <vector>

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;
using Row = Table::Row;

constexpr std::string_view kArrow = "→";
constexpr size_t kContextRows = 1;
// With more rows on a side, those that differ are shown as missing and too many.
constexpr size_t kRowsCompared = 300;

bool is_number(const Value& value) { return value.kind() == Kind::integer || value.kind() == Kind::floating; }

// None stands last; values of a column are of one type, and of others any order will do.
bool is_before(const Value& a, const Value& b) {
    if (a.is_none() || b.is_none()) return !a.is_none() && b.is_none();
    if (a.kind() == Kind::integer && b.kind() == Kind::integer) return a.integer() < b.integer();
    if (is_number(a) && is_number(b)) return a.number() < b.number();
    if (a.kind() == Kind::object) {
        if (const auto order = a.object().compare(b)) return *order < 0;
    }
    return a.text() < b.text();
}

bool is_row_before(const Row& a, const Row& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), is_before);
}

// A row as it is compared and shown; nullopt is NULL.
using Cells = std::vector<std::optional<std::string>>;

std::vector<Cells> sorted_rows(const Table& table) {
    std::vector<const Row*> rows;
    for (const Row& row : table.rows()) rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) { return is_row_before(*a, *b); });
    std::vector<Cells> all;
    for (const Row* row : rows) {
        Cells& cells = all.emplace_back();
        for (const Value& value : *row) cells.push_back(optional_text(value));
    }
    return all;
}

// Which rows of one side are which of the other: first those that are equal, then those whose equal cells no other row
// has, the most equal cells first.
class Alignment {
public:
    Alignment(std::vector<Cells> expected, std::vector<Cells> actual)
        : expected_(std::move(expected)), actual_(std::move(actual)) {
        of_expected_.resize(expected_.size());
        of_actual_.resize(actual_.size());
        match_equal();
        match_alike();
    }
    const std::vector<Cells>& expected() const { return expected_; }
    const std::vector<Cells>& actual() const { return actual_; }
    std::optional<size_t> of_actual(size_t row) const { return of_actual_[row]; }
    bool is_matched(size_t expected_row) const { return of_expected_[expected_row].has_value(); }

private:
    struct Pair {
        size_t expected, actual, cells;
    };

    static std::vector<size_t> equal_cells(const Cells& a, const Cells& b) {
        std::vector<size_t> cells;
        for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
            if (a[i] == b[i]) cells.push_back(i);
        }
        return cells;
    }
    static bool is_unique(const std::vector<Cells>& rows, const Cells& row, const std::vector<size_t>& cells) {
        const auto has_them = [&](const Cells& other) {
            return std::all_of(cells.begin(), cells.end(), [&](size_t i) { return other[i] == row[i]; });
        };
        return std::count_if(rows.begin(), rows.end(), has_them) == 1;
    }
    void match(size_t expected, size_t actual) {
        of_expected_[expected] = actual;
        of_actual_[actual] = expected;
    }
    void match_equal() {
        std::map<Cells, std::queue<size_t>> by_cells;
        for (size_t a = 0; a < actual_.size(); ++a) by_cells[actual_[a]].push(a);
        for (size_t e = 0; e < expected_.size(); ++e) {
            const auto same = by_cells.find(expected_[e]);
            if (same == by_cells.end() || same->second.empty()) continue;
            match(e, same->second.front());
            same->second.pop();
        }
    }
    void match_alike() {
        if (expected_.size() > kRowsCompared || actual_.size() > kRowsCompared) return;
        std::vector<Pair> pairs;
        for (size_t e = 0; e < expected_.size(); ++e) {
            for (size_t a = 0; a < actual_.size(); ++a) {
                if (of_expected_[e] || of_actual_[a]) continue;
                const std::vector<size_t> cells = equal_cells(expected_[e], actual_[a]);
                if (cells.empty() || !is_unique(expected_, expected_[e], cells)) continue;
                if (is_unique(actual_, actual_[a], cells)) pairs.push_back({e, a, cells.size()});
            }
        }
        std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.cells > b.cells; });
        for (const Pair& pair : pairs) {
            if (!of_expected_[pair.expected] && !of_actual_[pair.actual]) match(pair.expected, pair.actual);
        }
    }

    const std::vector<Cells> expected_, actual_;
    std::vector<std::optional<size_t>> of_expected_, of_actual_;
};

struct Line {
    std::string mark;  // "": the row is the same
    std::vector<std::string> cells;
};

std::string cell_text(const std::optional<std::string>& cell) { return cell.value_or("NULL"); }

Line line_of(std::string mark, const Cells& row) {
    Line line{.mark = std::move(mark), .cells = {}};
    for (const auto& cell : row) line.cells.push_back(cell_text(cell));
    return line;
}

Line changed_line(const Cells& expected, const Cells& actual) {
    Line line;
    for (size_t i = 0; i < expected.size(); ++i) {
        const bool same = expected[i] == actual[i];
        if (!same) line.mark = kArrow;
        const std::string text = cell_text(expected[i]);
        line.cells.push_back(same ? text : text + std::string(kArrow) + cell_text(actual[i]));
    }
    return line;
}

// In the order of the actual rows; what is missing stands where it would have been.
std::vector<Line> lines_of(const Alignment& alignment) {
    std::vector<Line> lines;
    std::vector<bool> is_shown(alignment.expected().size());
    const auto add_missing = [&](size_t before) {
        for (size_t e = 0; e < before; ++e) {
            if (alignment.is_matched(e) || is_shown[e]) continue;
            lines.push_back(line_of("---", alignment.expected()[e]));
            is_shown[e] = true;
        }
    };
    for (size_t a = 0; a < alignment.actual().size(); ++a) {
        const Cells& actual = alignment.actual()[a];
        if (const auto e = alignment.of_actual(a)) {
            add_missing(*e);
            lines.push_back(changed_line(alignment.expected()[*e], actual));
        } else {
            lines.push_back(line_of("+++", actual));
        }
    }
    add_missing(alignment.expected().size());
    return lines;
}

// Rows that are the same and far from any that differ become one line of dots.
std::vector<Line> shortened(const std::vector<Line>& lines, size_t columns) {
    std::vector<Line> kept;
    bool is_left_out = false;
    for (size_t i = 0; i < lines.size(); ++i) {
        const size_t from = i < kContextRows ? 0 : i - kContextRows;
        const size_t to = std::min(lines.size(), i + kContextRows + 1);
        bool is_near = false;
        for (size_t at = from; at < to; ++at) is_near = is_near || !lines[at].mark.empty();
        if (is_near)
            kept.push_back(lines[i]);
        else if (!is_left_out)
            kept.push_back({"...", std::vector<std::string>(columns, "...")});
        is_left_out = !is_near;
    }
    return kept;
}

size_t width_of(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                             [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string quoted_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

std::string print_lines(const std::vector<Line>& lines) {
    std::vector<std::vector<std::string>> table;
    std::vector<size_t> widths;
    for (const Line& line : lines) {
        auto& cells = table.emplace_back(1, line.mark);
        for (const std::string& cell : line.cells) cells.push_back(quoted_cell(cell));
        widths.resize(std::max(widths.size(), cells.size()));
        for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width_of(cells[i]));
    }
    std::string text;
    for (const auto& cells : table) {
        for (size_t i = 0; i < cells.size(); ++i) {
            text += cells[i];
            if (i + 1 < cells.size()) text += std::string(widths[i] - width_of(cells[i]), ' ') + ",";
        }
        text += "\r\n";
    }
    return text;
}

}  // namespace

std::optional<std::string> table_difference(const Table& expected, const Table& actual) {
    const std::vector<Line> lines = lines_of(Alignment(sorted_rows(expected), sorted_rows(actual)));
    const bool differs = std::any_of(lines.begin(), lines.end(), [](const Line& line) { return !line.mark.empty(); });
    if (!differs) return std::nullopt;
    std::vector<Line> shown = shortened(lines, expected.names().size());
    shown.insert(shown.begin(), Line{.mark = "@@", .cells = expected.names()});
    return print_lines(shown);
}

}  // namespace shaduf::models
