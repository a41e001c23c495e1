#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/json_cursor.h"
#include "io/row_child.h"

namespace shaduf::singer {

// A position, as checkpoints keep it: JSON {"v": 1, "value": <the value of a STATE message, to the letter>}.
std::string position_of(std::string_view value);
// The value again. invalid_config when `position` is none.
Result<std::string> value_of(const std::string& position);

// What a tap says of one stream, made rows and positions.
class Protocol final : public LineProtocol {
public:
    struct Wanted {
        std::string stream;
        bool resumes = false;  // else states are passed over
    };
    explicit Protocol(Wanted wanted) : wanted_(std::move(wanted)) {}

    Result<RowsToPosition> read_lines(RawRows raw, ChildLog& log) override;
    Result<void> judge_end(const ChildExit& exit, const std::string& tail, ChildLog& log) override;

private:
    // One line. Views live as long as it does.
    struct Message {
        std::string type;  // "": no message
        std::string stream;
        std::string_view record;
        std::string_view value;
        std::string why;  // what is wrong with it; "": nothing
    };
    const Message& read_message(std::string_view line);
    bool read_envelope();

    const Wanted wanted_;
    JsonCursor cursor_;
    Message message_;
    int64_t records_ = 0;  // since the last state
    int64_t broken_ = 0;
};

}  // namespace shaduf::singer
