#include "connectors/airbyte/messages.h"

#include "base/text.h"

namespace shaduf::airbyte {

namespace {

struct Known {
    std::string_view type;
    std::string_view key;
    MessageKind kind;
};
constexpr Known kKnown[] = {
    {"RECORD", "record", MessageKind::record},
    {"STATE", "state", MessageKind::state},
    {"LOG", "log", MessageKind::log},
    {"TRACE", "trace", MessageKind::trace},
    {"CONTROL", "control", MessageKind::control},
    {"CATALOG", "catalog", MessageKind::catalog},
    {"CONNECTION_STATUS", "connectionStatus", MessageKind::connection_status},
};

bool read_text(JsonCursor& cursor, std::string& out) {
    if (cursor.peek() != '"') return cursor.skip_value();
    std::string_view text;
    if (!cursor.read_string(text)) return false;
    out.assign(text);
    return true;
}

}  // namespace

const Message& MessageReader::read(std::string_view line) {
    line = trim(line);
    message_.kind = MessageKind::text;
    message_.stream.clear();
    message_.name_space.clear();
    message_.data = message_.body = {};
    if (!line.starts_with('{')) return message_;
    cursor_.reset(line);
    type_.clear();
    has_record_ = false;
    if (!read_envelope() || !cursor_.finish()) {
        message_.kind = MessageKind::broken;
        message_.why = "line is no JSON: " + cursor_.fault();
        return message_;
    }
    message_.kind = kind_of(type_);
    if (message_.kind == MessageKind::record && !message_.data.starts_with('{')) {
        message_.kind = MessageKind::broken;
        message_.why = has_record_ ? "record has no data object" : "message of type RECORD has no record";
    }
    return message_;
}

MessageKind MessageReader::kind_of(std::string_view type) const {
    for (const Known& known : kKnown) {
        if (known.type == type) return known.kind;
    }
    return MessageKind::other;
}

bool MessageReader::read_envelope() {
    bool closed = false;
    if (!cursor_.enter('}', closed)) return false;
    if (closed) return true;
    while (!closed) {
        std::string_view key;
        if (!cursor_.read_key(key)) return false;
        if (key == "type") {
            if (!read_text(cursor_, type_)) return false;
        } else if (key == "record" && cursor_.peek() == '{') {
            has_record_ = true;
            if (!read_record()) return false;
        } else {
            bool is_body = false;
            for (const Known& known : kKnown) is_body = is_body || known.key == key;
            const char* begin = cursor_.at();
            if (!cursor_.skip_value()) return false;
            if (is_body) message_.body = cursor_.since(begin);
        }
        if (!cursor_.next_item('}', closed)) return false;
    }
    cursor_.leave();
    return true;
}

bool MessageReader::read_record() {
    bool closed = false;
    if (!cursor_.enter('}', closed)) return false;
    if (closed) return true;
    while (!closed) {
        std::string_view key;
        if (!cursor_.read_key(key)) return false;
        if (key == "stream") {
            if (!read_text(cursor_, message_.stream)) return false;
        } else if (key == "namespace") {
            if (!read_text(cursor_, message_.name_space)) return false;
        } else {
            const bool is_data = key == "data";
            const char* begin = cursor_.at();
            if (!cursor_.skip_value()) return false;
            if (is_data) message_.data = cursor_.since(begin);
        }
        if (!cursor_.next_item('}', closed)) return false;
    }
    cursor_.leave();
    return true;
}

}  // namespace shaduf::airbyte
