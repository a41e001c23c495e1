#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf {

// Where an incremental read stands: at a value of the cursor, having read certain rows of it. Rows may come later whose
// cursor has the same value (two in one second), so the next read takes the value's rows up again and skips, by their
// hashes, those that it had: equal rows are counted. A row that changed since is a row it did not have.
//
// Past kRowsMax rows of one value, or when the columns are others than at the time, nothing is remembered: the next
// read goes on above the value, and what came late to it is not seen.
//
// As a checkpoint it is JSON; a checkpoint of another form is a plain value, which a user may have set: rows above it.
// Not thread-safe.
class CursorTies {
public:
    static constexpr size_t kRowsMax = 10'000;

    explicit CursorTies(std::string value) : value_(std::move(value)) {}
    static CursorTies parse(const Checkpoint& checkpoint);
    Checkpoint to_checkpoint() const;

    const std::string& value() const { return value_; }
    // Whether rows of `schema` that were read can be told from others.
    bool is_known_for(const Schema& schema) const;
    // Rows `begin` to `end`, all of this value, have been read.
    void add(const RecordBatch& rows, size_t begin, size_t end);
    // Whether the row is one of those added; each counts once. Call on a copy.
    bool take_one(const RecordBatch& rows, size_t row);

private:
    std::string value_;
    bool is_known_ = true;
    std::string columns_;  // of the rows, as a hash; "" when there are none
    std::map<std::string, size_t> rows_;
    size_t count_ = 0;
};

}  // namespace shaduf
