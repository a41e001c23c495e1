#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/json_cursor.h"

namespace shaduf {

// Reads the object that `cursor` stands before: calls `read(key)` with it before each member's value, which it must
// read or skip. False when one call gives false, or the text is no JSON.
template <typename Read>
bool read_members(JsonCursor& cursor, const Read& read) {
    bool closed = false;
    if (!cursor.enter('}', closed)) return false;
    if (closed) return true;
    while (!closed) {
        std::string_view key;
        if (!cursor.read_key(key) || !read(key) || !cursor.next_item('}', closed)) return false;
    }
    cursor.leave();
    return true;
}

// The value that `cursor` stands before, when it is a text; another one is passed over and leaves `out` as it is.
bool read_text(JsonCursor& cursor, std::string& out);
// The value as it is written, which lives as long as the text that is read.
bool read_raw(JsonCursor& cursor, std::string_view& out);

// The text of one member of an object, to the letter as it is written there: numbers keep all their digits. nullopt
// when there is none, or `json` is no object.
std::optional<std::string> raw_member(std::string_view json, std::string_view key);

}  // namespace shaduf
