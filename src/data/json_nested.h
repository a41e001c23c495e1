#pragma once

#include <optional>
#include <string_view>

#include "data/json_cursor.h"
#include "data/value_append.h"

namespace shaduf {

// The type that a JSON value asks for, objects and lists by `nesting`; nullopt when it says nothing (null, and in
// structures an empty object or list). REQUIRES: `value` is valid JSON, readable for 16 bytes behind its end.
std::optional<DataType> natural_json_type(std::string_view value, Nesting nesting);

// Reads one value into a list or a structure (and what is in them). Values inside that do not fit become null, fields
// that the type lacks are passed over; `misfits` says how many there were.
class NestedReader {
public:
    NestedReader(JsonCursor& cursor, bool declared) : cursor_(cursor), declared_(declared) {}

    // Appends one value to `to`. False: the text is not JSON; `to` is then to be truncated.
    bool read(ColumnBuilder& to);
    size_t misfits() const { return misfits_; }

private:
    bool read_list(ColumnBuilder& to);
    bool read_structure(ColumnBuilder& to);
    bool read_field(ColumnBuilder& to, std::string_view key, size_t& guess);
    bool read_scalar(ColumnBuilder& to);
    bool put(ColumnBuilder& to, bool fitted);

    JsonCursor& cursor_;
    bool declared_;
    size_t misfits_ = 0;
};

}  // namespace shaduf
