#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/json_cursor.h"

namespace shaduf::airbyte {

enum class MessageKind : uint8_t {
    record,
    state,
    log,
    trace,
    control,
    catalog,
    connection_status,
    other,   // JSON, of a kind that does not matter here
    text,    // no JSON: a line of a log
    broken,  // meant to be a message, and none
};

// What a source says of an error: its message, and what it says of it inside where that is more.
std::string error_text(std::string message, std::string_view internal);
// The same of the `body` of a trace; "" when that is no error.
std::string trace_error_text(std::string_view body);

// One line of a source. Views live as long as the line.
struct Message {
    MessageKind kind = MessageKind::other;
    // Of a record.
    std::string stream;
    std::string name_space;
    std::string_view data;
    // Of all others: the object under the message's own key, as JSON.
    std::string_view body;
    std::string why;  // broken
};

// Reads lines, whose text is readable for 16 bytes behind its end (as that of RawRows is). A record's data is found,
// and checked to be JSON, but not taken apart. Not thread-safe.
class MessageReader {
public:
    const Message& read(std::string_view line);

private:
    bool read_envelope();
    bool read_record();
    MessageKind kind_of(std::string_view type) const;

    JsonCursor cursor_;
    Message message_;
    std::string type_;
    bool has_record_ = false;
};

}  // namespace shaduf::airbyte
