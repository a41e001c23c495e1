#pragma once

#include <memory>

#include "connectors/postgres/table.h"

namespace shaduf {

// Reads by binary COPY.
//
// full_refresh: one snapshot. Where the table has a primary key of plain columns, a large one is cut into ranges of the
// key that several sessions read at once, each in the order of the key, and each batch's checkpoint says what is left
// of the ranges: what breaks off goes on there, in a new snapshot (a row whose key does not change is read exactly
// once; what was read before the break is as it was before the break). Otherwise there are no checkpoints, and what
// breaks off begins anew with the next run; a plain table is cut by where its rows lie on the disk.
//
// incremental: in the order of the cursor, from the last value on, of which it leaves out the rows that it had (see
// CursorTies); rows whose cursor is null or infinite are left out.
std::unique_ptr<Source> make_postgres_source(PostgresOptions options, PostgresStream stream);

}  // namespace shaduf
