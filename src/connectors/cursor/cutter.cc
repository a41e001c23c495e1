#include "connectors/cursor/cutter.h"

#include <utility>

namespace shaduf {
namespace {

std::vector<Column> empty_columns(const Schema& schema) {
    std::vector<Column> columns;
    for (const auto& field : schema.fields()) columns.push_back(make_null_column(field.type, 0));
    return columns;
}

}  // namespace

CursorRows CursorRows::take(std::span<const uint32_t> numbers) const {
    CursorRows taken{rows.take(numbers)};
    size_t next = 0;
    for (size_t row = 0; row < numbers.size(); ++row) {
        while (next < rejected.size() && rejected[next].row < numbers[row]) ++next;
        if (next < rejected.size() && rejected[next].row == numbers[row]) {
            taken.rejected.push_back({row, rejected[next].why});
        }
    }
    return taken;
}

CursorCutter::CursorCutter(size_t cursor_column, SchemaPtr schema, std::string place, Canonical canonical)
    : cursor_column_(cursor_column), schema_(std::move(schema)), place_(std::move(place)), canonical_(canonical) {}

void CursorCutter::begin(const std::optional<Checkpoint>& resume_from) {
    given_is_confirmed_ = true;
    given_.reset();
    if (resume_from) given_ = CursorTies::parse(*resume_from);
    go_on_from(given_);
}

bool CursorCutter::restart() {
    if (given_ && !given_is_confirmed_ && !given_->is_known_for(*schema_)) return false;
    go_on_from(given_);
    return true;
}

void CursorCutter::go_on_from(const std::optional<CursorTies>& last) {
    held_back_.reset();
    current_.reset();
    read_before_.reset();
    value_.reset();
    has_unconfirmed_ = !given_is_confirmed_;
    if (!last) return;
    value_ = last->value();
    if (last->is_known_for(*schema_)) current_ = read_before_ = last;
}

std::string CursorCutter::text_at(const RecordBatch& rows, size_t row) const {
    std::string text = format_value(rows.column(cursor_column_), row);
    return canonical_ == nullptr ? text : canonical_(std::move(text));
}

std::optional<ReadBatch> CursorCutter::take_held_back() {
    if (!held_back_) return std::nullopt;
    return give(std::exchange(held_back_, std::nullopt).value(), nullptr);
}

ReadBatch CursorCutter::give(CursorRows rows, const CursorTies* checkpoint) {
    given_is_confirmed_ = checkpoint != nullptr;
    given_ = checkpoint == nullptr ? *current_ : *checkpoint;
    ReadBatch batch{std::move(rows.rows), std::nullopt, place_};
    batch.rejected = std::move(rows.rejected);
    if (checkpoint != nullptr) batch.next = checkpoint->to_checkpoint();
    return batch;
}

// They come first, since the order is that of the cursor.
CursorRows CursorCutter::without_rows_read_before(CursorRows rows) {
    if (!read_before_) return rows;
    std::vector<uint32_t> unread;
    for (size_t row = 0; row < rows.rows.rows(); ++row) {
        const bool is_tie = read_before_ && text_at(rows.rows, row) == read_before_->value();
        if (!is_tie) read_before_.reset();
        if (!is_tie || !read_before_->take_one(rows.rows, row)) unread.push_back(static_cast<uint32_t>(row));
    }
    return unread.size() == rows.rows.rows() ? std::move(rows) : rows.take(unread);
}

// Rows of the last value wait for the next batch, which may have more of them.
std::optional<ReadBatch> CursorCutter::cut(CursorRows all) {
    CursorRows rows = without_rows_read_before(std::move(all));
    const size_t count = rows.rows.rows();
    if (count == 0) return std::nullopt;
    const auto begin_of = [&](size_t end) {
        const std::string value = text_at(rows.rows, end - 1);
        while (end > 0 && text_at(rows.rows, end - 1) == value) --end;
        return end;
    };
    const size_t at = begin_of(count);
    const bool had_rows = std::exchange(has_unconfirmed_, true);
    if (at == 0) {
        const auto before = take_up(rows.rows, 0, count);
        // All of one value: what came before it is whole when that was another one.
        if (!before || !had_rows) return give(std::move(rows), nullptr);
        held_back_ = std::move(rows);
        return give(held_back_->take({}), &*before);
    }
    take_up(rows.rows, begin_of(at), at);
    const CursorTies whole = *take_up(rows.rows, at, count);
    std::vector<uint32_t> head;
    std::vector<uint32_t> tail;
    for (size_t row = 0; row < count; ++row) (row < at ? head : tail).push_back(static_cast<uint32_t>(row));
    held_back_ = rows.take(tail);
    return give(rows.take(head), &whole);
}

std::optional<CursorTies> CursorCutter::take_up(const RecordBatch& rows, size_t begin, size_t end) {
    std::optional<CursorTies> before;
    const std::string value = text_at(rows, begin);
    if (!current_ || current_->value() != value) before = std::exchange(current_, CursorTies(value));
    current_->add(rows, begin, end);
    return before;
}

// At the end, the last value is whole as well.
std::optional<ReadBatch> CursorCutter::finish() {
    if (!std::exchange(has_unconfirmed_, false)) return std::nullopt;
    const CursorTies last = *current_;
    return give({RecordBatch(schema_, empty_columns(*schema_), 0)}, &last);
}

}  // namespace shaduf
