#include "connectors/command/message_lines.h"

#include <utility>

namespace shaduf {

MessageLines::MessageLines(RawRows lines)
    : lines_(std::move(lines)), rows_(RawFormat::json, lines_.place, lines_.first_row) {}

bool MessageLines::next() {
    if (line_ == lines_.rows.size()) return false;
    number_ = lines_.row_numbers.empty() ? lines_.first_row + static_cast<int64_t>(line_) : lines_.row_numbers[line_];
    const bool is_broken = broken_ < lines_.broken.size() && lines_.broken[broken_].row == line_;
    fault_ = is_broken ? lines_.broken[broken_++].why : "";
    text_ = is_broken ? std::string_view() : lines_.row(line_);
    ++line_;
    return true;
}

void MessageLines::add_row(std::string_view row) {
    const char* const text = reinterpret_cast<const char*>(lines_.text->data());
    rows_.add(static_cast<size_t>(row.data() - text), row.size(), number_);
    ++count_;
}

void MessageLines::add_broken(std::string why) {
    const auto [offset, length] = lines_.rows[line_ - 1];
    rows_.add_broken(offset, length, number_, std::move(why));
    ++count_;
}

void MessageLines::set_position(std::string position) {
    out_.position = RowsToPosition::Position{count_, std::move(position)};
}

RowsToPosition MessageLines::finish() {
    out_.rows = rows_.finish(std::move(lines_.text));
    return std::move(out_);
}

}  // namespace shaduf
