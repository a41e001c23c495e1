#include "data/held_rows.h"

#include <utility>

#include "base/assert.h"

namespace shaduf {

RawRows part_of(const RawRows& rows, size_t begin, size_t end) {
    SHADUF_ASSERT(rows.stretches.empty());
    RawRows part;
    part.format = rows.format;
    part.text = rows.text;
    part.csv = rows.csv;
    part.place = rows.place;
    const auto cut = [&](const auto& from, auto& to) {
        using Offset = typename std::remove_cvref_t<decltype(from)>::difference_type;
        if (from.empty()) return;
        to.assign(from.begin() + static_cast<Offset>(begin), from.begin() + static_cast<Offset>(end));
    };
    cut(rows.rows, part.rows);
    cut(rows.row_numbers, part.row_numbers);
    cut(rows.positions, part.positions);
    part.first_row = rows.first_row + static_cast<int64_t>(begin);
    for (const auto& broken : rows.broken) {
        if (broken.row >= begin && broken.row < end) part.broken.push_back({broken.row - begin, broken.why});
    }
    return part;
}

void HeldRows::add(RowsToPosition rows) {
    const size_t count = rows.rows.rows.size();
    size_t begin = 0;
    if (rows.position) {
        begin = rows.position->before;
        RawRows before = begin == count ? std::move(rows.rows) : part_of(rows.rows, 0, begin);
        give_held();
        ready_.push_back({std::move(before), std::move(rows.position->text)});
        ends_at_position_ = true;
    }
    if (begin == count) return;
    held_.push_back(begin == 0 ? std::move(rows.rows) : part_of(rows.rows, begin, count));
    held_bytes_ += held_.back().byte_size();
    if (held_bytes_ > bytes_max_) give_held();
}

void HeldRows::give_held() {
    if (held_.empty()) return;
    for (auto& rows : held_) ready_.push_back({std::move(rows), std::nullopt});
    held_.clear();
    held_bytes_ = 0;
    ends_at_position_ = false;
}

void HeldRows::end() { give_held(); }

std::optional<HeldRows::Piece> HeldRows::take() {
    if (ready_.empty()) return std::nullopt;
    Piece piece = std::move(ready_.front());
    ready_.pop_front();
    return piece;
}

bool HeldRows::drop() {
    held_.clear();
    held_bytes_ = 0;
    return ends_at_position_;
}

}  // namespace shaduf
