#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "data/type.h"

// How slices of a table are replaced (WriteMode::slices), in SQL that every warehouse reads: the new rows of the slices
// stand in a stage. Rows of the table that the stage has as well, column by column and as often, stay as they are, with
// the time when they were first learned; the others move to the restatements, and what the stage has more comes in. So
// a load of what has not changed changes nothing.
namespace shaduf {

// The statement that forgets restatements older than `kept`.
std::string forget_restatements_sql(const std::string& restatements, std::chrono::milliseconds kept);

// A condition on column `id` (quoted) of the quarantine: the rows that these come in place of, since the days they are
// of were loaded again.
std::string same_rejected(std::span<const RecordBatch> quarantined, const std::string& id);

// What the restatements have besides the columns of the table: those say what was believed, and since when.
inline constexpr std::string_view kRestatedAtColumn =
    "_shaduf_restated_at";  // timestamp_tz: when it was found otherwise
inline constexpr std::string_view kRestatedByColumn = "_shaduf_restated_by";  // string: by which run
// string: "changed" (a row of the same key came in its place) or "removed". Without a key: "replaced".
inline constexpr std::string_view kRestatementColumn = "_shaduf_restatement";
const Schema& restatement_columns();
// "<table>__restatements"
std::string restatements_table(const std::string& table);

struct SliceDialect {
    std::function<std::string(const std::string& name)> quote;    // an identifier
    std::function<std::string(const std::string& text)> literal;  // a text
    // A value of all columns (quoted), by which rows are sorted into groups of equal ones; equal rows have equal ones.
    std::function<std::string(const std::vector<std::string>& columns)> digest;
    // Whether equal digests mean equal rows; else the columns are compared as well.
    bool digest_is_exact = false;
    std::string row_id;  // "rowid", "ctid"
};

struct SliceTables {
    std::string table;         // quoted
    std::string stage;         // quoted; the rows of all slices, with the columns of the table
    std::string restatements;  // quoted; nothing is kept when it is empty
    std::string gone;          // names of temporary tables, quoted
    std::string come;
    Schema schema;  // of the table's own columns and the two that shaduf adds
    std::vector<std::string> key;
    std::string run_id;
};

// A condition on the columns of `t` that holds for rows of the slices. REQUIRES: at least one, all of one stream
std::string slices_condition(std::span<const TableSlice> slices, const std::string& t, const SliceDialect& dialect);

// The statements that bring the slices in, in their order.
std::vector<std::string> replace_slices_sql(const SliceTables& tables, std::span<const TableSlice> slices,
                                            const SliceDialect& dialect);

// The slices of a commit. A plain value.
class SliceSet {
public:
    // Whether one of them may have rows in common with `slice`.
    bool meets(const TableSlice& slice) const;
    void add(const TableSlice& slice);
    const std::vector<TableSlice>& slices() const { return slices_; }

private:
    std::vector<TableSlice> slices_;
    std::map<std::vector<std::pair<std::string, std::string>>, std::vector<size_t>> by_values_;
};

}  // namespace shaduf
