#include "base/text_diff.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace shaduf {
namespace {

TEST(TextDiff, TellsLinesWithTheirContext) {
    EXPECT_EQ(unified_diff("a\n", "a\n", "f"), "");
    EXPECT_EQ(unified_diff("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n", "f"),
              "--- a/f\n+++ b/f\n@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+X\n e\n f\n g\n");
    EXPECT_EQ(unified_diff("", "a\n", "f"), "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n");
    EXPECT_EQ(unified_diff("a", "a\n", "f"), "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n", "f", 1),
              "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n+0\n 1\n@@ -8,2 +9 @@\n 8\n-9\n");
}

// What `patch` would make of it.
std::string patched(const std::string& before, const std::string& diff) {
    std::vector<std::string> lines, out;
    const auto split_lines = [](const std::string& text) {
        std::vector<std::string> found;
        for (size_t at = 0; at < text.size();) {
            const size_t end = std::min(text.find('\n', at), text.size() - 1);
            found.push_back(text.substr(at, end + 1 - at));
            at = end + 1;
        }
        return found;
    };
    lines = split_lines(before);
    size_t at = 0;
    for (const std::string& line : split_lines(diff)) {
        if (line.starts_with("---") || line.starts_with("+++")) continue;
        if (line.starts_with("@@")) {
            const size_t comma = line.find_first_of(", ", 4);
            const size_t first = std::stoul(line.substr(4, comma - 4));
            const bool is_empty = line.substr(comma, 3) == ",0 ";
            while (at + 1 < first + (is_empty ? 1 : 0)) out.push_back(lines[at++]);
        } else if (line[0] == '+') {
            out.push_back(line.substr(1));
        } else if (line[0] != '\\') {
            EXPECT_EQ(lines.at(at), line.substr(1));
            if (line[0] == ' ') out.push_back(lines[at]);
            ++at;
        }
    }
    while (at < lines.size()) out.push_back(lines[at++]);
    std::string text;
    for (const std::string& line : out) text += line;
    return text;
}

TEST(TextDiff, MakesTheOtherTextOfTheOne) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string before, after;
        for (size_t i = random() % 20; i > 0; --i)
            before += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
        for (size_t i = random() % 20; i > 0; --i)
            after += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
        const std::string diff = unified_diff(before, after, "f", random() % 4);
        ASSERT_EQ(patched(before, diff), after) << "before:\n" << before << "diff:\n" << diff;
    }
}

TEST(TextDiff, GivesUpOnWhatHasLittleInCommon) {
    std::string before, after;
    for (int i = 0; i < 5000; ++i) before += "b" + std::to_string(i) + "\n";
    for (int i = 0; i < 5000; ++i) after += "a" + std::to_string(i) + "\n";
    EXPECT_EQ(patched(before, unified_diff(before, after, "f")), after);
}

}  // namespace
}  // namespace shaduf
