#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/cursor/ties.h"

namespace shaduf {

// Rows with the numbers of those that the source could not read whole (see ReadBatch::rejected).
struct CursorRows {
    RecordBatch rows;
    std::vector<RejectedRow> rejected = {};

    CursorRows take(std::span<const uint32_t> numbers) const;
};

// What an incremental read does with rows that come in the order of a cursor: those that the run before had are left
// out, and batches are cut such that a checkpoint stands only behind all rows of a value. So rows that share a value
// are never torn apart.
//
// The source reads WHERE cursor >= value (> when `includes_value` does not hold) ORDER BY cursor, without those whose
// cursor is null, and hands all on. When that breaks off, `restart` and reading from `value` on gives the rest. Not
// thread-safe.
class CursorCutter {
public:
    // Of texts that mean one value, the same one.
    using Canonical = std::string (*)(std::string text);

    // `place` is that of the batches; `canonical` may be null, when each value has one text.
    CursorCutter(size_t cursor_column, SchemaPtr schema, std::string place, Canonical canonical);

    // Before the first row.
    void begin(const std::optional<Checkpoint>& resume_from);
    // Back to behind the last batch given. false: too many rows share its value for that.
    bool restart();
    const std::optional<std::string>& value() const { return value_; }
    bool includes_value() const { return read_before_.has_value(); }

    // What waits from the time before. To be asked first.
    std::optional<ReadBatch> take_held_back();
    // nullopt: all were read before.
    std::optional<ReadBatch> cut(CursorRows rows);
    // Behind the last row: the checkpoint behind all, when it was not given yet.
    std::optional<ReadBatch> finish();

private:
    CursorRows without_rows_read_before(CursorRows rows);
    // Adds rows of one value to `current_`. When they begin another value, gives the one that is whole by this.
    std::optional<CursorTies> take_up(const RecordBatch& rows, size_t begin, size_t end);
    ReadBatch give(CursorRows rows, const CursorTies* checkpoint);
    void go_on_from(const std::optional<CursorTies>& last);
    std::string text_at(const RecordBatch& rows, size_t row) const;

    const size_t cursor_column_;
    const SchemaPtr schema_;
    const std::string place_;
    const Canonical canonical_;
    std::optional<std::string> value_;
    std::optional<CursorRows> held_back_;
    std::optional<CursorTies> read_before_;  // what is left to skip of the value that the read begins at
    std::optional<CursorTies> current_;      // the value read last, which may go on
    bool has_unconfirmed_ = false;           // rows of it were read that no checkpoint stands behind
    std::optional<CursorTies> given_;        // where the rows given end
    bool given_is_confirmed_ = true;         // by a checkpoint
};

}  // namespace shaduf
