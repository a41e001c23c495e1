#include "data/ndjson.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

// "position text" of each row, "!" before the text of a broken one.
void append_rows(const RawRows& raw, std::string& out) {
    size_t broken = 0;
    for (size_t row = 0; row < raw.rows.size(); ++row) {
        const bool is_broken = broken < raw.broken.size() && raw.broken[broken].row == row;
        broken += is_broken ? 1 : 0;
        out += raw.position(row) + (is_broken ? " !" : " ") + std::string(raw.row(row)) + "\n";
    }
}

std::string split_in_blocks(std::string_view text, size_t block_bytes, size_t row_bytes_max) {
    NdjsonSplitter splitter("f", row_bytes_max);
    std::string out;
    for (size_t at = 0; at < text.size(); at += block_bytes) {
        splitter.input().append(text.substr(at, block_bytes));
        append_rows(splitter.take(), out);
    }
    append_rows(splitter.finish(), out);
    EXPECT_EQ(splitter.offset(), text.size());
    return out;
}

TEST(NdjsonSplitter, CutsLinesWhateverTheBlocks) {
    const std::pair<std::string, const char*> cases[] = {
        {"", ""},
        {"{}", "f:1 {}\n"},
        {"{}\n{1}\n", "f:1 {}\nf:2 {1}\n"},
        {"a\r\nb\r\n", "f:1 a\nf:2 b\n"},
        {"\n\na\n \t\r\nb\n\n\nc", "f:3 a\nf:5 b\nf:8 c\n"},
        {"\xEF\xBB\xBF{}\n\xEF\xBB\xBFx", "f:1 {}\nf:2 \xEF\xBB\xBFx\n"},
        {"a\n\r\n", "f:1 a\n"},
        {"0123456789\n01234567890123456789\nx\n", "f:1 0123456789\nf:2 !01234567890123456789\nf:3 x\n"},
    };
    for (const auto& [text, rows] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(split_in_blocks(text, 1000, 10), rows);
    }
    for (const auto& [text, rows] : cases) {
        for (const size_t block : {5U, 7U, 8U}) {
            SCOPED_TRACE(text + " by " + std::to_string(block));
            if (text.size() > 30) continue;  // how much of a long line is kept depends on the blocks; all else does not
            EXPECT_EQ(split_in_blocks(text, block, 10), rows);
        }
    }
}

TEST(NdjsonSplitter, HoldsNoMoreOfALineThanItsLimit) {
    NdjsonSplitter splitter("f", 1000);
    size_t rows = 0;
    size_t broken = 0;
    for (int i = 0; i < 1000; ++i) {
        splitter.input().append(std::string(100, 'x'));
        const RawRows raw = splitter.take();
        rows += raw.rows.size();
        broken += raw.broken.size();
        EXPECT_LE(splitter.input().size(), 1100U);
    }
    EXPECT_EQ(splitter.offset(), 0U);  // to resume is to read the line again, and to reject it once
    splitter.input().append("\nnext");
    const RawRows raw = splitter.take();
    rows += raw.rows.size();
    broken += raw.broken.size();
    EXPECT_EQ(splitter.line(), 2);
    EXPECT_EQ(splitter.offset(), 100'001U);
    const RawRows last = splitter.finish();
    EXPECT_EQ(rows, 1U);
    EXPECT_EQ(broken, 1U);
    ASSERT_EQ(last.rows.size(), 1U);
    EXPECT_EQ(last.position(0), "f:2");
    EXPECT_EQ(last.row(0), "next");
}

TEST(NdjsonSplitter, ResumesWhereItStood) {
    const std::string text = "a\n\nb\nc\nd";
    NdjsonSplitter first("f");
    first.input().append(std::string_view(text).substr(0, 6));
    EXPECT_EQ(first.take().rows.size(), 2U);
    NdjsonSplitter second("f");
    second.resume_at(first.line(), first.offset());
    second.input().append(std::string_view(text).substr(first.offset()));
    std::string out;
    append_rows(second.take(), out);
    append_rows(second.finish(), out);
    EXPECT_EQ(out, "f:4 c\nf:5 d\n");
}

}  // namespace
}  // namespace shaduf
