#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "data/raw_rows.h"

namespace shaduf {

// Rows as they came, and the position that was told last among them: it stands behind the first `before` of the rows.
struct RowsToPosition {
    struct Position {
        size_t before = 0;
        std::string text;
    };
    RawRows rows;
    std::optional<Position> position;
};

// Some of the rows, without a copy of their text.
RawRows part_of(const RawRows& rows, size_t begin, size_t end);

// Parts rows where a position stands, and holds back those behind the last one, up to a limit of bytes: what was not
// given can be read again from that position, without harm. Not thread-safe.
class HeldRows {
public:
    struct Piece {
        RawRows rows;
        std::optional<std::string> position;  // behind the rows; nullopt: none is known there
    };
    explicit HeldRows(size_t bytes_max) : bytes_max_(bytes_max) {}

    void add(RowsToPosition rows);
    // No position will come any more: all that is held may be given.
    void end();
    // What may be given by now.
    std::optional<Piece> take();
    // Forgets what may not be given yet; true when the pieces taken, and those that may still be, end at a position.
    bool drop();

private:
    void give_held();

    const size_t bytes_max_;
    std::vector<RawRows> held_;
    size_t held_bytes_ = 0;
    std::deque<Piece> ready_;
    bool ends_at_position_ = true;
};

}  // namespace shaduf
