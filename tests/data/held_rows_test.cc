#include "data/held_rows.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

// Rows of one letter each; a dash is a broken one.
RawRows rows_of(const std::string& letters) {
    BufferBuilder text;
    text.append(letters);
    RawRows rows;
    rows.text = text.finish();
    for (uint32_t i = 0; i < letters.size(); ++i) {
        rows.rows.push_back({i, 1});
        if (letters[i] == '-') rows.broken.push_back({i, "broken"});
    }
    rows.first_row = 5;
    return rows;
}

// "ab@1" and so on: the rows of each piece, and the position behind them.
std::string take_all(HeldRows& held) {
    std::string all;
    while (auto piece = held.take()) {
        all += all.empty() ? "" : " ";
        for (size_t i = 0; i < piece->rows.rows.size(); ++i) all += piece->rows.row(i);
        if (piece->position) all += "@" + *piece->position;
    }
    return all;
}

TEST(HeldRowsTest, PartsRowsAtPositions) {
    HeldRows held(1000);
    held.add({rows_of("abc"), RowsToPosition::Position{2, "1"}});
    EXPECT_EQ(take_all(held), "ab@1");
    held.add({rows_of("de"), std::nullopt});
    EXPECT_EQ(take_all(held), "");
    held.add({rows_of("fg"), RowsToPosition::Position{1, "2"}});
    EXPECT_EQ(take_all(held), "c de f@2");
    EXPECT_TRUE(held.drop());
    held.add({rows_of("h"), std::nullopt});
    held.end();
    EXPECT_EQ(take_all(held), "h");
    EXPECT_FALSE(held.drop());
}

TEST(HeldRowsTest, GivesWhatIsTooMuchToHold) {
    HeldRows held(0);
    held.add({rows_of("ab"), std::nullopt});
    EXPECT_EQ(take_all(held), "ab");
    EXPECT_FALSE(held.drop());
    held.add({RawRows{}, RowsToPosition::Position{0, "1"}});
    EXPECT_EQ(take_all(held), "@1");
    EXPECT_TRUE(held.drop());
}

TEST(HeldRowsTest, PartsKeepNumbersAndWhatIsBroken) {
    const RawRows part = part_of(rows_of("a-b-"), 1, 3);
    EXPECT_EQ(part.position(1), ":7");
    ASSERT_EQ(part.broken.size(), 1U);
    EXPECT_EQ(part.broken[0].row, 0U);
    EXPECT_EQ(part.row(1), "b");
}

}  // namespace
}  // namespace shaduf
