#include "connectors/airbyte/messages.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/json_member.h"

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

std::string text_of(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string error_text(std::string message, std::string_view internal) {
    constexpr size_t kInternalMax = 300;
    if (message.empty()) return make_valid_utf8(internal);
    if (!internal.empty() && internal != message) {
        message += " (" + std::string(internal.substr(0, kInternalMax)) + ")";
    }
    return make_valid_utf8(message);
}

std::string trace_error_text(std::string_view body) {
    const auto trace = nlohmann::json::parse(body, nullptr, false);
    const auto error = trace.find("error");
    if (text_of(trace, "type") != "ERROR" || error == trace.end()) return "";
    return error_text(text_of(*error, "message"), text_of(*error, "internal_message"));
}

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
    return read_members(cursor_, [&](std::string_view key) {
        if (key == "type") return read_text(cursor_, type_);
        if (key == "record" && cursor_.peek() == '{') return read_record();
        const bool is_body =
            std::any_of(std::begin(kKnown), std::end(kKnown), [&](const Known& known) { return known.key == key; });
        return is_body ? read_raw(cursor_, message_.body) : cursor_.skip_value();
    });
}

bool MessageReader::read_record() {
    has_record_ = true;
    return read_members(cursor_, [&](std::string_view key) {
        if (key == "stream") return read_text(cursor_, message_.stream);
        if (key == "namespace") return read_text(cursor_, message_.name_space);
        return key == "data" ? read_raw(cursor_, message_.data) : cursor_.skip_value();
    });
}

}  // namespace shaduf::airbyte
