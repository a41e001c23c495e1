#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shaduf::models {

struct DiffLine {
    enum class What : uint8_t { same, removed, added, skipped };  // skipped: lines that are the same, left out
    What what;
    std::string_view text;
};

// How one text becomes the other, line by line, with `context` lines around what differs. Blank lines at both ends and
// spaces at the ends of lines do not count. Points into both. (Longest common subsequence after common ends are taken
// off; texts that differ in more than some thousand lines are told as removed and added whole.)
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after, size_t context);

}  // namespace shaduf::models
