#include "connectors/airbyte/protocol.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "connectors/command/message_lines.h"
#include "data/json_member.h"

namespace shaduf::airbyte {
namespace {

using Json = nlohmann::json;

constexpr size_t kPositionBytesMax = (1 << 20) - 64;  // a checkpoint has at most 1 MiB

std::string text_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& member(const Json& json, const char* key) {
    static const Json kNone;
    if (!json.is_object()) return kNone;
    const auto found = json.find(key);
    return found == json.end() ? kNone : *found;
}

Error source_error(const Json& error) {
    const std::string type = text_of(error, "failure_type");
    const std::string said =
        "source failed: " + error_text(text_of(error, "message"), text_of(error, "internal_message"));
    if (type == "config_error") return Error(ErrorKind::invalid_config, said);
    const Error failed(ErrorKind::unavailable, said);
    return type == "transient_error" ? failed : failed.permanent();
}

}  // namespace

Result<Position> Position::parse(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    const bool known = json.is_object() && member(json, "v") == Json(1) &&
                       (json.contains("legacy") || member(json, "state").is_array());
    if (known) return Position{text};
    return Error(ErrorKind::invalid_config, "checkpoint is none of version 1 of an airbyte stream: " +
                                                text.substr(0, 100) + "; reset the stream's state to read it anew");
}

std::string Position::state_file() const {
    if (auto legacy = raw_member(text, "legacy")) return *legacy;
    return raw_member(text, "state").value_or("[]");
}

bool Protocol::is_ours(std::string_view stream, std::string_view name_space) const {
    return stream == wanted_.stream && (name_space == wanted_.name_space || name_space.empty());
}

Result<RowsToPosition> Protocol::read_lines(RawRows raw, ChildLog& log) {
    MessageLines lines(std::move(raw));
    while (lines.next()) {
        const Message& message = reader_.read(lines.text());
        if (!lines.fault().empty() || message.kind == MessageKind::broken) {
            lines.add_broken(lines.fault().empty() ? message.why : lines.fault());
            ++broken_;
            continue;
        }
        switch (message.kind) {
            case MessageKind::record:
                if (is_ours(message.stream, message.name_space)) {
                    lines.add_row(message.data);
                    ++records_;
                } else if (other_records_++ == 0) {
                    log.say(Severity::warning, "source gives records of a stream that nobody asked for: " +
                                                   message.stream + "; they are left out");
                }
                break;
            case MessageKind::state:
                if (auto position = TRY(read_state(message.body, log))) lines.set_position(std::move(*position));
                break;
            case MessageKind::log: read_log(message.body, log); break;
            case MessageKind::trace: read_trace(message.body); break;
            case MessageKind::control: read_control(message.body, log); break;
            case MessageKind::text: log.say_unframed(lines.text()); break;
            default: break;
        }
    }
    return lines.finish();
}

Result<std::optional<std::string>> Protocol::read_state(std::string_view body, ChildLog& log) {
    const Json state = Json::parse(body, nullptr, false);
    std::string type = text_of(state, "type");
    if (type.empty()) type = "LEGACY";
    if (type == "STREAM") {
        const Json& descriptor = member(member(state, "stream"), "stream_descriptor");
        if (!is_ours(text_of(descriptor, "name"), text_of(descriptor, "namespace")))
            return std::optional<std::string>();
    }
    // Taken for a position, such a one would let the next run begin anew.
    const bool is_whole = type == "LEGACY"
                              ? member(state, "data").is_object()
                              : type == "STREAM" || (type == "GLOBAL" && member(state, "global").is_object());
    if (!is_whole) {
        log.say(Severity::warning, "source tells a state that is none, which is passed over");
        return std::optional<std::string>();
    }
    const Json& counted = member(member(state, "sourceStats"), "recordCount");
    if (counted.is_number() && counted.get<double>() != static_cast<double>(records_)) {
        log.say(Severity::warning, "source says that " + counted.dump() + " records stand before a state, " +
                                       std::to_string(records_) + " came");
    }
    records_ = 0;
    if (!wanted_.resumes) return std::optional<std::string>();
    const std::string raw(body);
    std::string position = Position::of_states("[" + raw + "]").text;
    if (type == "LEGACY") position = Position::of_legacy(raw_member(raw, "data").value_or("{}")).text;
    if (position.size() <= kPositionBytesMax) return std::optional(std::move(position));
    return Error(ErrorKind::exhausted,
                 "state of the source is too large: " + format_bytes(position.size()) + ", a checkpoint holds 1 MB");
}

void Protocol::read_log(std::string_view body, ChildLog& log) {
    const Json json = Json::parse(body, nullptr, false);
    const std::string level = text_of(json, "level");
    const bool is_error = level == "ERROR" || level == "FATAL";
    if (is_error || level == "WARN") log.say(is_error ? Severity::error : Severity::warning, text_of(json, "message"));
}

void Protocol::read_trace(std::string_view body) {
    const Json trace = Json::parse(body, nullptr, false);
    const std::string type = text_of(trace, "type");
    if (type == "ERROR" && !error_) error_ = source_error(member(trace, "error"));
    if (type != "STREAM_STATUS") return;
    const Json& status = member(trace, "stream_status");
    const Json& descriptor = member(status, "stream_descriptor");
    if (is_ours(text_of(descriptor, "name"), text_of(descriptor, "namespace"))) {
        incomplete_ = text_of(status, "status") == "INCOMPLETE";
    }
}

// A source that changes its configuration (a refresh token that is good for one use) asks to be given it next time.
void Protocol::read_control(std::string_view body, ChildLog& log) {
    const Json control = Json::parse(body, nullptr, false);
    const Json& config = member(member(control, "connectorConfig"), "config");
    std::vector<std::string> keys;
    if (config.is_object()) {
        for (const auto& [key, value] : config.items()) keys.push_back(key);
    }
    log.say(Severity::warning, "source has changed its configuration, which shaduf does not keep: " + join(keys, ", ") +
                                   "; when a credential of it is good for one use only, give one that lasts");
}

Result<void> Protocol::judge_end(const ChildExit& exit, const std::string& tail, ChildLog& log) {
    if (broken_ > 0) {
        log.say(Severity::warning, "source wrote " + format_count(broken_) +
                                       " lines that are no messages; they are in quarantine, with their text");
    }
    if (error_) {
        const Error shown(error_->kind(), log.without_secrets(error_->message()));
        return error_->may_retry() ? shown : shown.permanent();
    }
    if (!exit.ok()) return Error(ErrorKind::unavailable, "source failed: " + end_of_child(exit, tail)).permanent();
    if (incomplete_) return Error(ErrorKind::unavailable, "source says that the stream is incomplete").permanent();
    if (wanted_.resumes && records_ > 0) {
        log.say(Severity::warning, "source told no state behind its last " + format_count(records_) +
                                       " records: the next run reads them again; write: merge takes them once");
    }
    return {};
}

}  // namespace shaduf::airbyte
