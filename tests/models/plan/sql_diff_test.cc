#include "models/plan/sql_diff.h"

#include <gtest/gtest.h>

#include <string>

namespace shaduf::models {
namespace {

std::string shown(const std::string& before, const std::string& after, size_t context = 1) {
    std::string text;
    for (const DiffLine& line : diff_lines(before, after, context)) {
        using What = DiffLine::What;
        const char sign = line.what == What::added     ? '+'
                          : line.what == What::removed ? '-'
                          : line.what == What::skipped ? '.'
                                                       : ' ';
        text += sign + std::string(line.text) + "|";
    }
    return text;
}

TEST(SqlDiffTest, ShowsWhatDiffersWithItsContext) {
    const std::vector<std::tuple<std::string, std::string, std::string>> kCases = {
        {"a\nb", "a\nb", ""},
        {"a\nb", "\n a\nb\n\n", "-a|+ a| b|"},
        {"a  \nb\r\n", "\na\nb", ""},
        {"", "a", "+a|"},
        {"a", "", "-a|"},
        {"a\nb\nc\nd\ne", "a\nb\nX\nd\ne", ".| b|-c|+X| d|.|"},
        {"a\nb\nc", "a\nb\nc\nd", ".| c|+d|"},
        {"1\n2\n3\n4\n5\n6\n7", "0\n1\n2\n3\n4\n5\n6\n7\n8", "+0| 1|.| 7|+8|"},
        {"x\ny\nz", "x\nz\ny", " x|-y| z|+y|"},
        {"a\nb\na\nb", "b\na\nb\na", "-a| b|.| b|+a|"},
    };
    for (const auto& [before, after, expected] : kCases) EXPECT_EQ(shown(before, after), expected) << before << after;
}

// Without a table of so many cells; nothing is lost.
TEST(SqlDiffTest, TellsLargeTextsWhole) {
    std::string before, after;
    for (int i = 0; i < 5000; ++i) {
        before += "a" + std::to_string(i) + "\n";
        after += "b" + std::to_string(i) + "\n";
    }
    const auto diff = diff_lines(before, after, 3);
    ASSERT_EQ(diff.size(), 10000U);
    EXPECT_EQ(diff.front().text, "a0");
    EXPECT_EQ(diff.back().text, "b4999");
}

}  // namespace
}  // namespace shaduf::models
