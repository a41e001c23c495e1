#include "data/json_member.h"

#include "data/buffer.h"
#include "data/json_cursor.h"

namespace shaduf {

bool read_text(JsonCursor& cursor, std::string& out) {
    if (cursor.peek() != '"') return cursor.skip_value();
    std::string_view text;
    if (!cursor.read_string(text)) return false;
    out.assign(text);
    return true;
}

bool read_raw(JsonCursor& cursor, std::string_view& out) {
    const char* begin = cursor.at();
    if (!cursor.skip_value()) return false;
    out = cursor.since(begin);
    return true;
}

std::optional<std::string> raw_member(std::string_view json, std::string_view key) {
    BufferBuilder padded;
    padded.append(json);
    const BufferPtr text = padded.finish();
    JsonCursor cursor(text->view());
    cursor.skip_space();
    bool closed = false;
    if (cursor.at_end() || cursor.peek() != '{' || !cursor.enter('}', closed)) return std::nullopt;
    while (!closed) {
        std::string_view name;
        if (!cursor.read_key(name)) return std::nullopt;
        const bool found = name == key;
        const char* begin = cursor.at();
        if (!cursor.skip_value()) return std::nullopt;
        if (found) return std::string(cursor.since(begin));
        if (!cursor.next_item('}', closed)) return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace shaduf
