#pragma once

#include <cstdint>

namespace shaduf {

enum class ReadMode : uint8_t { full_refresh, incremental, cdc, stream };
enum class WriteMode : uint8_t {
    append,
    replace,  // built beside the table and swapped in at the final commit
    merge,    // by key; with an order column an older row never wins
    history,  // by key; every version is kept: valid_from, valid_to, is_current
    // Whole parts of the table, as the source tells them (an account's days): of a part that comes again, rows that are
    // as they were stay, and those that are not move to the table's restatements.
    slices,
};

}  // namespace shaduf
