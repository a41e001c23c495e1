#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "base/clock.h"
#include "base/run_events.h"
#include "flow/run_rows.h"
#include "server/line_writer.h"

namespace shaduf {
class JsonWriter;
}

namespace shaduf::server {

// What a task is called; "" where that is not known.
struct TaskTitle {
    std::string flow;
    std::string task;
};

enum class ServeLogStyle : uint8_t { plain, json, quiet };

// What a server says about itself and its runs, a line each: text for people, or a JSON object with `run` and `task`
// where the line is about one. Quiet: errors and warnings alone. Thread-safe, and nobody waits for who reads it.
class ServeLog final : public RunEvents {
public:
    ServeLog(std::ostream& out, ServeLogStyle style, const Clock& clock);

    void say(Severity severity, std::string_view text);
    // A line as it is, in every style.
    void print(std::string line) { out_.write(std::move(line)); }
    void message(Severity severity, std::string_view place, std::string_view text) override;
    void hear(const FlowChanges& changes, const std::function<TaskTitle(const TaskRow&)>& title_of);

private:
    void write(Severity severity, std::string_view text, const std::function<void(JsonWriter&)>& fields);

    LineWriter out_;
    const ServeLogStyle style_;
    const Clock& clock_;
};

}  // namespace shaduf::server
