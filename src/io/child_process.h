#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"
#include "data/buffer.h"

namespace shaduf {

struct ChildCommand {
    // The program and its arguments; no shell sees them. A program without a slash is looked up in PATH.
    std::vector<std::string> arguments;
    // Set besides what this process has; variables of shaduf itself (SHADUF_...) are not handed on.
    std::vector<std::pair<std::string, std::string>> environment;
    std::string input;  // what it reads from its standard input
};

// The words of a command as a shell parts them, with 'quotes', "quotes" and backslashes, and nothing else of a shell.
std::vector<std::string> split_command(std::string_view text);

// How a child ended.
struct ChildExit {
    int status = 0;
    int signal = 0;  // 0: it ended by itself
    bool ok() const { return status == 0 && signal == 0; }
    std::string to_string() const;  // "exit status 3", "signal 9 (Killed)"
};

// A command that runs beside us and writes to us. It leads a process group of its own, which dies as a whole with this
// object (SIGTERM, and SIGKILL to what is left after a moment); the command itself also dies with this process, however
// that ends. What it writes to stderr is taken while `read` and `wait` run. One thread at a time; the thread that
// starts it must outlive it (the kernel binds the child's life to that thread).
class ChildProcess {
public:
    // Each line of stderr, whole or cut to 4 KiB.
    using ErrorLine = std::function<void(std::string_view)>;
    // invalid_config when the program is not there or may not be run.
    static Result<std::unique_ptr<ChildProcess>> start(const ChildCommand& command, ErrorLine on_error_line = {});
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    enum class Outcome : uint8_t {
        bytes,  // some were appended
        quiet,  // `patience` has passed without any
        end,    // the child has closed its output
    };
    // Appends what the child has written, up to `bytes_max`; waits for it. canceled, when the run was.
    Result<Outcome> read(const Cancellation& cancellation, std::chrono::milliseconds patience, size_t bytes_max,
                         BufferBuilder& out);
    // Waits for the end of the child, whose output nobody reads any more; kills it when it takes longer.
    Result<ChildExit> wait(const Cancellation& cancellation, std::chrono::milliseconds patience);
    // Since it wrote last, on stdout or stderr, or was started.
    std::chrono::milliseconds silent_for() const;
    // The last lines of stderr, at most 4 KiB.
    const std::string& error_tail() const { return error_tail_; }
    pid_t id() const { return pid_; }

private:
    ChildProcess(pid_t pid, int out, int error, int wake, int handle, ErrorLine on_error_line);
    Result<void> await(const Cancellation& cancellation, std::chrono::milliseconds patience, int file, bool& ready);
    void take_errors();
    void end_error_line();
    bool has_ended();
    bool ends_within(std::chrono::milliseconds patience);
    void reap();
    void stop();

    const pid_t pid_;
    const int out_;
    int error_;         // -1: closed
    const int wake_;    // an eventfd that cancellation writes to
    const int handle_;  // a pidfd, readable when the child has ended; -1: this kernel has none
    const ErrorLine on_error_line_;
    std::chrono::steady_clock::time_point heard_at_ = std::chrono::steady_clock::now();
    std::string error_line_;
    std::string error_tail_;
    bool reaped_ = false;
    ChildExit exit_;
};

}  // namespace shaduf
