#pragma once

#include <optional>
#include <string>

#include "connectors/airbyte/messages.h"
#include "io/row_child.h"

namespace shaduf::airbyte {

// A position, as checkpoints keep it: JSON {"v": 1, "state": [<AirbyteStateMessage>]}, or {"v": 1, "legacy": <its
// data>} for sources that know one state for all. `state_file` is what the source is given.
struct Position {
    std::string text;
    static Position of_states(const std::string& states) { return {R"({"v":1,"state":)" + states + "}"}; }
    static Position of_legacy(const std::string& data) { return {R"({"v":1,"legacy":)" + data + "}"}; }
    // invalid_config when `text` is none.
    static Result<Position> parse(const std::string& text);
    std::string state_file() const;
};

// What one stream's source says, made rows and positions; the rest is logged, or remembered as what went wrong.
class Protocol final : public LineProtocol {
public:
    struct Wanted {
        std::string stream;
        std::string name_space;
        bool resumes = false;  // else states are passed over
    };
    explicit Protocol(Wanted wanted) : wanted_(std::move(wanted)) {}

    Result<RowsToPosition> read_lines(RawRows raw, ChildLog& log) override;
    Result<void> judge_end(const ChildExit& exit, const std::string& tail, ChildLog& log) override;

private:
    Result<std::optional<std::string>> read_state(std::string_view body, ChildLog& log);
    void read_log(std::string_view body, ChildLog& log);
    void read_trace(std::string_view body);
    void read_control(std::string_view body, ChildLog& log);
    bool is_ours(std::string_view stream, std::string_view name_space) const;

    const Wanted wanted_;
    MessageReader reader_;
    std::optional<Error> error_;
    bool incomplete_ = false;
    int64_t records_ = 0;        // since the last state
    int64_t other_records_ = 0;  // of streams that nobody asked for
    int64_t broken_ = 0;
};

}  // namespace shaduf::airbyte
