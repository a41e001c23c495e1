#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "connectors/store.h"
#include "data/batch.h"
#include "data/encoded_rows.h"
#include "data/raw_rows.h"
#include "data/row_decoder.h"

// What a source gives the runner.
namespace shaduf {

// What the stream's policies did to rows before they came to lie in quarantine. Names of columns in lower case.
struct Treated {
    std::map<std::string, std::vector<std::string>> columns;  // changed already, with the path to the value in the row
    std::set<std::string> withheld;                           // taken out, since the policy could not be applied
};

// A part of a table that is replaced as a whole: the rows whose columns have these values.
struct TableSlice {
    std::vector<std::pair<std::string, std::string>> equal;  // column (of text) and its value
    std::string day_column;                                  // of type date; "": no days
    int32_t first_day = 0;                                   // since 1970-01-01; both ends belong to it
    int32_t last_day = 0;

    bool operator==(const TableSlice&) const = default;
};

struct ReadBatch {
    // May have no row, to carry a checkpoint alone, or (a RecordBatch) to tell the columns of a stream that has no
    // rows.
    std::variant<RawRows, RecordBatch, std::shared_ptr<const EncodedRows>> rows;
    // The position behind these rows. nullopt: the stream cannot be resumed here, nothing is committed up to here
    // alone.
    std::optional<Checkpoint> next;
    // Where the rows of a RecordBatch came from, for quarantine and errors (RawRows say it themselves).
    std::string place;
    // Of rows that come back from quarantine: all rows of the batch alike. nullptr for all others.
    std::shared_ptr<const Treated> treated = nullptr;
    // Rows of a RecordBatch, ascending, that hold something which its types do not; they go to quarantine. They stand
    // in `rows` with null in that place.
    std::vector<RejectedRow> rejected = {};
    // What these rows are a part of. All batches of a slice have the same pointer and come one behind the other; the
    // last one, which may have no row, has `next`. nullptr: the stream has no slices.
    std::shared_ptr<const TableSlice> slice = nullptr;
    // Of a SharedSource, in a batch without rows: the runner commits all that came before, and calls `resume_at` with
    // what the sink then holds before it reads on.
    bool settles = false;

    size_t row_count() const;
    size_t byte_size() const;
    std::string position(size_t row) const;  // as the quarantine names it
};

inline size_t ReadBatch::row_count() const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->rows.size();
    if (const auto* typed = std::get_if<RecordBatch>(&rows)) return typed->rows();
    return std::get<std::shared_ptr<const EncodedRows>>(rows)->rows();
}

inline size_t ReadBatch::byte_size() const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->byte_size();
    if (const auto* typed = std::get_if<RecordBatch>(&rows)) return typed->byte_size();
    return std::get<std::shared_ptr<const EncodedRows>>(rows)->byte_size();
}

inline std::string ReadBatch::position(size_t row) const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->position(row);
    const auto* encoded = std::get_if<std::shared_ptr<const EncodedRows>>(&rows);
    return encoded != nullptr ? (*encoded)->position(row) : place;
}

}  // namespace shaduf
