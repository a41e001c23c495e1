#include "connectors/singer/protocol.h"

#include "base/text.h"
#include "connectors/command/message_lines.h"
#include "data/json_member.h"

namespace shaduf::singer {
namespace {

constexpr std::string_view kPositionStart = R"({"v":1,"value":)";
constexpr size_t kPositionBytesMax = (1 << 20) - 64;  // a checkpoint has at most 1 MiB

}  // namespace

std::string position_of(std::string_view value) { return std::string(kPositionStart) + std::string(value) + "}"; }

Result<std::string> value_of(const std::string& position) {
    auto value = raw_member(position, "value");
    if (raw_member(position, "v") == "1" && value) return std::move(*value);
    return Error(ErrorKind::invalid_config, "checkpoint is none of version 1 of a singer stream: " +
                                                position.substr(0, 100) + "; reset the stream's state to read it anew");
}

const Protocol::Message& Protocol::read_message(std::string_view line) {
    line = trim(line);
    message_.type.clear();
    message_.stream.clear();
    message_.why.clear();
    message_.record = message_.value = {};
    if (!line.starts_with('{')) return message_;
    cursor_.reset(line);
    if (!read_envelope() || !cursor_.finish()) {
        message_.why = "line is no JSON: " + cursor_.fault();
    } else if (message_.type == "RECORD" && !message_.record.starts_with('{')) {
        message_.why = "message of type RECORD has no record";
    }
    return message_;
}

bool Protocol::read_envelope() {
    return read_members(cursor_, [&](std::string_view key) {
        if (key == "type") return read_text(cursor_, message_.type);
        if (key == "stream") return read_text(cursor_, message_.stream);
        if (key == "record") return read_raw(cursor_, message_.record);
        return key == "value" ? read_raw(cursor_, message_.value) : cursor_.skip_value();
    });
}

Result<RowsToPosition> Protocol::read_lines(RawRows raw, ChildLog& log) {
    MessageLines lines(std::move(raw));
    while (lines.next()) {
        const Message& message = read_message(lines.text());
        if (!lines.fault().empty() || !message.why.empty()) {
            lines.add_broken(lines.fault().empty() ? message.why : lines.fault());
            ++broken_;
        } else if (message.type == "RECORD") {
            if (message.stream != wanted_.stream) continue;  // a tap that knows no selection gives all
            lines.add_row(message.record);
            ++records_;
        } else if (message.type == "STATE") {
            // Taken for a position, it would let the next run begin anew.
            if (!message.value.starts_with('{')) continue;
            records_ = 0;
            if (!wanted_.resumes) continue;
            if (message.value.size() > kPositionBytesMax) {
                return Error(ErrorKind::exhausted,
                             "state of the tap is too large: " + format_bytes(message.value.size()) +
                                 ", a checkpoint holds 1 MB");
            }
            lines.set_position(position_of(message.value));
        } else if (message.type == "BATCH") {
            return Error(ErrorKind::invalid_config,
                         "tap gives its rows in files (BATCH messages), which shaduf does not read; "
                         "take batch_config out of its config");
        } else if (message.type.empty()) {
            log.say_unframed(lines.text());
        }
    }
    return lines.finish();
}

Result<void> Protocol::judge_end(const ChildExit& exit, const std::string& tail, ChildLog& log) {
    if (broken_ > 0) {
        log.say(Severity::warning, "tap wrote " + format_count(broken_) +
                                       " lines that are no messages; they are in quarantine, with their text");
    }
    if (!exit.ok()) return Error(ErrorKind::unavailable, "tap failed: " + end_of_child(exit, tail)).permanent();
    if (wanted_.resumes && records_ > 0) {
        log.say(Severity::warning, "tap told no state behind its last " + format_count(records_) +
                                       " records: the next run reads them again; write: merge takes them once");
    }
    return {};
}

}  // namespace shaduf::singer
