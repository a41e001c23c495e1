#include "base/text_diff.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace shaduf {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t kEditsMax = 4000;  // the search holds the square of it

// Each with its line's end, which the last may lack.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const size_t end = text.find('\n');
        const size_t size = end == std::string_view::npos ? text.size() : end + 1;
        lines.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return lines;
}

using Lines = std::vector<std::string_view>;

struct Step {
    char sign;  // ' ', '-', '+'
    std::string_view line;
};

// Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): how far each diagonal reaches after d edits.
class Search {
public:
    Search(const Lines& a, const Lines& b) : a_(a), b_(b), n_(std::ssize(a)), m_(std::ssize(b)) {}

    std::vector<Step> steps() {
        const ptrdiff_t most = std::min(n_ + m_, kEditsMax);
        std::vector<ptrdiff_t> reach(static_cast<size_t>(2 * most + 3), 0);
        const auto at = [&](ptrdiff_t k) -> ptrdiff_t& { return reach[static_cast<size_t>(k + most + 1)]; };
        for (ptrdiff_t d = 0; d <= most; ++d) {
            traces_.emplace_back(reach.begin() + (most + 1 - d - 1), reach.begin() + (most + 1 + d + 2));
            for (ptrdiff_t k = -d; k <= d; k += 2) {
                ptrdiff_t x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
                while (x < n_ && x - k < m_ && same(x, x - k)) ++x;
                at(k) = x;
                if (x >= n_ && x - k >= m_) return walk_back(d);
            }
        }
        std::vector<Step> all;
        for (const auto line : a_) all.push_back({'-', line});
        for (const auto line : b_) all.push_back({'+', line});
        return all;
    }

private:
    bool same(ptrdiff_t x, ptrdiff_t y) const { return a_[static_cast<size_t>(x)] == b_[static_cast<size_t>(y)]; }

    std::vector<Step> walk_back(ptrdiff_t edits) const {
        std::vector<Step> steps;
        ptrdiff_t x = n_, y = m_;
        for (ptrdiff_t d = edits; d >= 0; --d) {
            const auto& trace = traces_[static_cast<size_t>(d)];
            const auto at = [&](ptrdiff_t k) { return trace[static_cast<size_t>(k + d + 1)]; };
            const ptrdiff_t k = x - y;
            const ptrdiff_t from = k == -d || (k != d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
            const ptrdiff_t from_x = d == 0 ? 0 : at(from);
            const ptrdiff_t from_y = d == 0 ? 0 : from_x - from;
            while (x > from_x && y > from_y) {
                steps.push_back({' ', a_[static_cast<size_t>(--x)]});
                --y;
            }
            if (d == 0) break;
            if (x == from_x) {
                steps.push_back({'+', b_[static_cast<size_t>(--y)]});
            } else {
                steps.push_back({'-', a_[static_cast<size_t>(--x)]});
            }
        }
        std::reverse(steps.begin(), steps.end());
        return steps;
    }

    const Lines& a_;
    const Lines& b_;
    const ptrdiff_t n_, m_;
    std::vector<std::vector<ptrdiff_t>> traces_;
};

std::vector<Step> steps_between(Lines a, Lines b) {
    std::vector<Step> steps, ending;
    size_t same = 0;
    while (same < a.size() && same < b.size() && a[same] == b[same]) steps.push_back({' ', a[same++]});
    while (a.size() > same && b.size() > same && a.back() == b.back()) {
        ending.push_back({' ', a.back()});
        a.pop_back();
        b.pop_back();
    }
    a.erase(a.begin(), a.begin() + static_cast<ptrdiff_t>(same));
    b.erase(b.begin(), b.begin() + static_cast<ptrdiff_t>(same));
    for (const Step& step : Search(a, b).steps()) steps.push_back(step);
    steps.insert(steps.end(), ending.rbegin(), ending.rend());
    return steps;
}

void append_line(const Step& step, std::string& out) {
    out += step.sign;
    out += step.line;
    if (!step.line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

std::string range(size_t first, size_t count) {
    // A part of no lines is told by the line before it.
    const std::string begin = std::to_string(count == 0 ? first : first + 1);
    return count == 1 ? begin : begin + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, const std::string& name, size_t context) {
    if (before == after) return "";
    const auto steps = steps_between(lines_of(before), lines_of(after));
    std::string out = (before.empty() ? "--- /dev/null\n" : "--- a/" + name + "\n") + "+++ b/" + name + "\n";
    size_t old_line = 0, new_line = 0;  // before steps[i]
    for (size_t i = 0; i < steps.size();) {
        // The next change, with what stands before it; it ends where as much as two contexts is the same.
        size_t change = i;
        while (change < steps.size() && steps[change].sign == ' ') ++change;
        if (change == steps.size()) break;
        const size_t begin = std::max(i, change - std::min(change, context));
        old_line += begin - i;
        new_line += begin - i;
        size_t end = change, last = change;
        while (end < steps.size() && end - last <= 2 * context) {
            if (steps[end].sign != ' ') last = end;
            ++end;
        }
        end = std::min(steps.size(), last + 1 + context);
        std::string body;
        size_t removed = 0, added = 0;
        for (size_t at = begin; at < end; ++at) {
            append_line(steps[at], body);
            removed += steps[at].sign != '+' ? 1 : 0;
            added += steps[at].sign != '-' ? 1 : 0;
        }
        out += "@@ -" + range(old_line, removed) + " +" + range(new_line, added) + " @@\n" + body;
        old_line += removed;
        new_line += added;
        i = end;
    }
    return out;
}

}  // namespace shaduf
