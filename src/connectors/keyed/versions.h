#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/type.h"

// How the versions of a history (WriteMode::history) come from rows: one query in SQL that every warehouse reads, with
// the few words in which they differ. The sink puts what it gives in the place of the versions of the keys concerned.
//
// One row a version: valid_from (order_by when it is a date or a time, else when the row was loaded), valid_to (null
// for the newest), is_current. A row like the version before it makes none. With `order_by`, a late row takes its place
// between the versions, and of two with the same value the last to arrive counts, so rows may come again.
//
// When `order_by` is a date or a time, a version keeps that of the last row that was like it: a late row between its
// first and its last row parts it, and is valid until that last one. Rows alike between those two are not known any
// more (they might have ended the late row sooner), nor is the last one when the order is no time: then the late row
// ends the version for good. Both come right only by loading all rows anew.
//
// Calling it for parts of the rows one after the other gives what one call for all would give.
namespace shaduf {

// Names and types of the columns that history has besides the stream's own.
const Schema& history_columns();

struct HistoryDialect {
    // Of an identifier.
    std::function<std::string(const std::string& name)> quote;
    // One value of all columns (quoted) together, which IS DISTINCT FROM compares.
    std::function<std::string(const std::vector<std::string>& columns)> content;
};

struct HistoryQuery {
    std::string table;             // quoted
    std::string new_rows;          // quoted; with _shaduf_row, the number of the row as it arrived
    Schema schema;                 // of the rows, in the table's spelling
    std::vector<std::string> key;  // never null in the rows
    std::string order_by;          // may be empty
    std::string order_type;        // in SQL
};

// All versions of the keys in `new_rows`: the columns, then valid_from, valid_to, is_current.
std::string history_versions_sql(const HistoryQuery& query, const HistoryDialect& dialect);
// "a"."k" = "b"."k" AND ... for the columns of the key.
std::string same_key_sql(const std::vector<std::string>& key, const std::string& a, const std::string& b,
                         const HistoryDialect& dialect);

}  // namespace shaduf
