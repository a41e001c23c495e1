#include "models/plan/sql_diff.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::models {
namespace {

using What = DiffLine::What;
using Lines = std::vector<std::string_view>;

constexpr size_t kCellsMax = 16U << 20U;  // of the table of subsequences

Lines lines_of(std::string_view text) {
    Lines lines = split(text, '\n');
    for (std::string_view& line : lines) {
        while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t'))
            line.remove_suffix(1);
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    const auto first = std::find_if(lines.begin(), lines.end(), [](const auto line) { return !line.empty(); });
    lines.erase(lines.begin(), first);
    return lines;
}

// Of lines that differ at both ends.
void add_middle(const Lines& before, const Lines& after, std::vector<DiffLine>& diff) {
    const size_t rows = before.size(), columns = after.size();
    const bool is_small = (rows + 1) * (columns + 1) <= kCellsMax;
    std::vector<uint32_t> common(is_small ? (rows + 1) * (columns + 1) : 0);  // of what follows both places
    const auto at = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
    if (is_small) {
        for (size_t i = rows; i-- > 0;) {
            for (size_t j = columns; j-- > 0;)
                at(i, j) = before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
        }
    }
    size_t i = 0, j = 0;
    while (i < rows || j < columns) {
        const bool is_same = is_small && i < rows && j < columns && before[i] == after[j];
        const bool is_removed = i < rows && (j == columns || !is_small || at(i + 1, j) >= at(i, j + 1));
        if (is_same) {
            diff.push_back({What::same, before[i++]});
            ++j;
        } else if (is_removed) {
            diff.push_back({What::removed, before[i++]});
        } else {
            diff.push_back({What::added, after[j++]});
        }
    }
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after, size_t context) {
    Lines old_lines = lines_of(before), new_lines = lines_of(after);
    const size_t most = std::min(old_lines.size(), new_lines.size());
    size_t front = 0, back = 0;
    while (front < most && old_lines[front] == new_lines[front]) ++front;
    while (back < most - front && old_lines[old_lines.size() - 1 - back] == new_lines[new_lines.size() - 1 - back])
        ++back;
    std::vector<DiffLine> all;
    for (size_t i = 0; i < front; ++i) all.push_back({What::same, new_lines[i]});
    const auto middle = [&](const Lines& lines) {
        return Lines(lines.begin() + static_cast<ptrdiff_t>(front), lines.end() - static_cast<ptrdiff_t>(back));
    };
    add_middle(middle(old_lines), middle(new_lines), all);
    for (size_t i = new_lines.size() - back; i < new_lines.size(); ++i) all.push_back({What::same, new_lines[i]});

    std::vector<bool> is_near(all.size());
    bool differs = false;
    for (size_t i = 0; i < all.size(); ++i) {
        if (all[i].what == What::same) continue;
        differs = true;
        const size_t end = std::min(all.size(), i + context + 1);
        for (size_t k = i < context ? 0 : i - context; k < end; ++k) is_near[k] = true;
    }
    std::vector<DiffLine> diff;
    for (size_t i = 0; differs && i < all.size(); ++i) {
        if (is_near[i])
            diff.push_back(all[i]);
        else if (diff.empty() || diff.back().what != What::skipped)
            diff.push_back({What::skipped, ""});
    }
    return diff;
}

}  // namespace shaduf::models
