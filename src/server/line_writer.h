#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>

namespace shaduf::server {

// Lines for a stream that may not take them: a pipe that nobody reads, a slow disk. A thread writes them, in their
// order; `write` never waits. When too many wait, new ones are dropped, and a line tells how many were. Thread-safe.
class LineWriter {
public:
    static constexpr size_t kWaitingMax = 10'000;
    // `out` outlives the process's last line: where it never takes one, the thread is left behind at the end.
    // `dropped` says how many were; it stands alone, as it may be called later than this object.
    using Dropped = std::string (*)(size_t count);
    LineWriter(std::ostream& out, Dropped dropped);
    ~LineWriter();  // waits for what is left, a short time
    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    void write(std::string line);  // without its end

private:
    struct State;
    static void run(const std::shared_ptr<State>& state);
    const std::shared_ptr<State> state_;
};

}  // namespace shaduf::server
