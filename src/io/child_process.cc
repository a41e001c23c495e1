#include "io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kErrorLineMax = 4096;
constexpr size_t kErrorTailMax = 4096;
constexpr int kPipeBytes = 1 << 20;
constexpr milliseconds kTermPatience{300};
constexpr milliseconds kKillPatience{200};
constexpr int kPollWithoutHandle = 10;  // milliseconds between looks, where there is no pidfd

// Closes what it holds.
class File {
public:
    explicit File(int file = -1) : file_(file) {}
    ~File() { reset(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    void reset(int file = -1) {
        if (file_ >= 0) ::close(file_);
        file_ = file;
    }
    int get() const { return file_; }
    int release() { return std::exchange(file_, -1); }

private:
    int file_;
};

Error system_error(const std::string& what) { return Error(ErrorKind::exhausted, what + ": " + std::strerror(errno)); }

Result<void> make_pipe(File& from, File& to) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe");
    from.reset(ends[0]);
    to.reset(ends[1]);
    return {};
}

// What the child reads from its standard input.
Result<int> make_input(const std::string& text) {
    if (text.empty()) {
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        return nothing < 0 ? Result<int>(system_error("cannot open /dev/null")) : Result<int>(nothing);
    }
    File file(::memfd_create("input", MFD_CLOEXEC));
    if (file.get() < 0) return system_error("cannot keep the input of a command");
    for (size_t at = 0; at < text.size();) {
        const ssize_t written = ::write(file.get(), text.data() + at, text.size() - at);
        if (written <= 0) return system_error("cannot keep the input of a command");
        at += static_cast<size_t>(written);
    }
    ::lseek(file.get(), 0, SEEK_SET);
    return file.release();
}

std::map<std::string, std::string> environment_of(const ChildCommand& command) {
    std::map<std::string, std::string> variables;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const size_t equals = text.find('=');
        if (equals == std::string_view::npos || text.starts_with("SHADUF_")) continue;
        variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    for (const auto& [name, value] : command.environment) variables[name] = value;
    return variables;
}

bool is_program(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

Result<std::string> find_program(const std::string& name, const std::map<std::string, std::string>& variables) {
    if (name.find('/') != std::string::npos) {
        if (is_program(name)) return name;
        return Error(ErrorKind::invalid_config, "command cannot be run: " + name +
                                                    (::access(name.c_str(), F_OK) == 0 ? "; make the file executable"
                                                                                       : "; there is no such file"));
    }
    const auto path = variables.find("PATH");
    const std::string folders = path == variables.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second;
    for (const std::string_view folder : split(folders, ':')) {
        const std::string candidate = (folder.empty() ? "." : std::string(folder)) + "/" + name;
        if (is_program(candidate)) return candidate;
    }
    return Error(ErrorKind::invalid_config, "command not found: " + name + "; install it, or give its whole path");
}

// All that the child needs, made before the fork: between fork and exec nothing may be allocated.
struct Launch {
    std::string program;
    std::vector<char*> arguments;
    std::vector<char*> variables;
    int input;
    int out;
    int error;
    int failure;  // tells the parent the errno of exec
    pid_t parent;
};

[[noreturn]] void become_child(const Launch& launch) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != launch.parent) ::_exit(127);
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const bool moved = ::dup2(launch.input, 0) >= 0 && ::dup2(launch.out, 1) >= 0 && ::dup2(launch.error, 2) >= 0;
#ifdef SYS_close_range
    ::syscall(SYS_close_range, 3U, ~0U, 4U);  // CLOSE_RANGE_CLOEXEC: nothing of ours is handed on
#endif
    if (moved) ::execve(launch.program.c_str(), launch.arguments.data(), launch.variables.data());
    const int why = errno;
    const ssize_t told = ::write(launch.failure, &why, sizeof why);
    (void)told;
    ::_exit(127);
}

int open_handle(pid_t pid) {
#ifdef SYS_pidfd_open
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
#else
    (void)pid;
    return -1;
#endif
}

// A fork that no library takes part in: the child only calls what a signal handler may, and then another program runs.
// Libraries that prepare for a fork take all of their locks, which lets other threads wait, or forever when one of them
// has stopped.
pid_t fork_alone() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    return ::_Fork();
#else
    return ::fork();
#endif
}

int poll_milliseconds(milliseconds left) { return static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX)); }

}  // namespace

std::vector<std::string> split_command(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_escape = c == '\\' && quote != '\'' && i + 1 < text.size();
        if (is_escape) {
            word += text[++i];
            in_word = true;
        } else if (quote != 0 ? c == quote : c == '\'' || c == '"') {
            quote = quote != 0 ? '\0' : c;
            in_word = true;
        } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            if (std::exchange(in_word, false)) words.push_back(std::exchange(word, {}));
        } else {
            word += c;
            in_word = true;
        }
    }
    if (in_word) words.push_back(std::move(word));
    return words;
}

std::string ChildExit::to_string() const {
    if (signal == 0) return "exit status " + std::to_string(status);
    const char* name = ::strsignal(signal);
    return "signal " + std::to_string(signal) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const ChildCommand& command, ErrorLine on_error_line) {
    if (command.arguments.empty()) return Error(ErrorKind::invalid_config, "command is empty; give the program");
    const auto variables = environment_of(command);
    Launch launch{};
    launch.program = TRY(find_program(command.arguments.front(), variables));
    std::vector<std::string> texts = command.arguments;
    for (auto& text : texts) launch.arguments.push_back(text.data());
    launch.arguments.push_back(nullptr);
    std::vector<std::string> assignments;
    assignments.reserve(variables.size());
    for (const auto& [name, value] : variables) assignments.push_back(name + "=" + value);
    for (auto& text : assignments) launch.variables.push_back(text.data());
    launch.variables.push_back(nullptr);

    File out_from, out_to, error_from, error_to, failure_from, failure_to;
    TRY(make_pipe(out_from, out_to));
    TRY(make_pipe(error_from, error_to));
    TRY(make_pipe(failure_from, failure_to));
    const File input(TRY(make_input(command.input)));
    File wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wake.get() < 0) return system_error("cannot start a command");
    ::fcntl(out_from.get(), F_SETPIPE_SZ, kPipeBytes);  // fewer switches; fine when it is refused
    for (const int file : {out_from.get(), error_from.get()}) ::fcntl(file, F_SETFL, O_NONBLOCK);
    launch.input = input.get();
    launch.out = out_to.get();
    launch.error = error_to.get();
    launch.failure = failure_to.get();
    launch.parent = ::getpid();

    const pid_t pid = fork_alone();
    if (pid < 0) return system_error("cannot start a command");
    if (pid == 0) become_child(launch);
    ::setpgid(pid, pid);  // both do it: whoever comes first
    failure_to.reset();
    int why = 0;
    ssize_t told = 0;
    do {
        told = ::read(failure_from.get(), &why, sizeof why);
    } while (told < 0 && errno == EINTR);
    if (told > 0) {
        ::waitpid(pid, nullptr, 0);
        return Error(ErrorKind::invalid_config,
                     "command cannot be run: " + command.arguments.front() + ": " + std::strerror(why));
    }
    return std::unique_ptr<ChildProcess>(new ChildProcess(pid, out_from.release(), error_from.release(), wake.release(),
                                                          open_handle(pid), std::move(on_error_line)));
}

ChildProcess::ChildProcess(pid_t pid, int out, int error, int wake, int handle, ErrorLine on_error_line)
    : pid_(pid), out_(out), error_(error), wake_(wake), handle_(handle), on_error_line_(std::move(on_error_line)) {}

ChildProcess::~ChildProcess() {
    stop();
    for (const int file : {out_, error_, wake_, handle_}) {
        if (file >= 0) ::close(file);
    }
}

// Waits until `file` is readable or closed, the run is canceled or the patience is over. Passes stderr on meanwhile.
Result<void> ChildProcess::await(const Cancellation& cancellation, milliseconds patience, int file, bool& ready) {
    const Cancellation::Waker waker(cancellation, [this] {
        const uint64_t one = 1;
        const ssize_t written = ::write(wake_, &one, sizeof one);
        (void)written;
    });
    const auto until = steady_clock::now() + patience;
    for (;;) {
        TRY(cancellation.check());
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        std::array<pollfd, 3> files{{{file, POLLIN, 0}, {error_, POLLIN, 0}, {wake_, POLLIN, 0}}};
        const int found = ::poll(files.data(), files.size(), poll_milliseconds(left));
        if (found < 0 && errno != EINTR) return system_error("cannot wait for a command");
        if (found <= 0) {
            ready = false;
            if (steady_clock::now() >= until) return {};
            continue;
        }
        if (files[1].revents != 0) take_errors();
        ready = files[0].revents != 0;
        if (ready) return {};
        if (steady_clock::now() >= until) return {};
    }
}

milliseconds ChildProcess::silent_for() const {
    return std::chrono::floor<milliseconds>(steady_clock::now() - heard_at_);
}

Result<ChildProcess::Outcome> ChildProcess::read(const Cancellation& cancellation, milliseconds patience,
                                                 size_t bytes_max, BufferBuilder& out) {
    for (;;) {
        bool ready = false;
        TRY(await(cancellation, patience, out_, ready));
        if (!ready) return Outcome::quiet;
        const size_t before = out.size();
        out.resize(before + bytes_max);
        const ssize_t count = ::read(out_, out.data() + before, bytes_max);
        out.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
        if (count > 0) {
            heard_at_ = steady_clock::now();
            return Outcome::bytes;
        }
        if (count == 0) return Outcome::end;
        if (errno != EAGAIN && errno != EINTR) return system_error("cannot read from a command");
    }
}

void ChildProcess::take_errors() {
    std::array<char, 1 << 16> block{};
    const ssize_t count = ::read(error_, block.data(), block.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        end_error_line();
        ::close(std::exchange(error_, -1));
        return;
    }
    heard_at_ = steady_clock::now();
    for (const char c : std::string_view(block.data(), static_cast<size_t>(count))) {
        if (c == '\n') {
            end_error_line();
        } else if (error_line_.size() < kErrorLineMax) {
            error_line_ += c;
        }
    }
}

void ChildProcess::end_error_line() {
    const std::string line = make_valid_utf8(trim(error_line_));
    error_line_.clear();
    if (line.empty()) return;
    error_tail_ += line + "\n";
    if (error_tail_.size() > kErrorTailMax) {
        const size_t cut = error_tail_.find('\n', error_tail_.size() - kErrorTailMax);
        error_tail_.erase(0, cut + 1 < error_tail_.size() ? cut + 1 : error_tail_.size() - kErrorTailMax);
    }
    if (on_error_line_) on_error_line_(line);
}

Result<ChildExit> ChildProcess::wait(const Cancellation& cancellation, milliseconds patience) {
    const auto until = steady_clock::now() + patience;
    while (!has_ended() && steady_clock::now() < until) {
        bool ready = false;
        const milliseconds step = handle_ >= 0 ? patience : milliseconds(kPollWithoutHandle);
        TRY(await(cancellation, step, handle_, ready));
    }
    const bool in_time = has_ended();
    // What it said last.
    while (error_ >= 0 && in_time) {
        pollfd file{error_, POLLIN, 0};
        if (::poll(&file, 1, 0) <= 0) break;
        take_errors();
    }
    end_error_line();
    stop();
    if (in_time) return exit_;
    return Error(ErrorKind::unavailable,
                 "command closed its output and did not end within " + format_duration(patience) + "; it was killed");
}

// The child stays a zombie until `reap`, so that its id, which is its group's, cannot become another one's.
bool ChildProcess::has_ended() {
    if (reaped_) return true;
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

bool ChildProcess::ends_within(milliseconds patience) {
    const auto until = steady_clock::now() + patience;
    while (!has_ended()) {
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd file{handle_, POLLIN, 0};
        ::poll(&file, 1, handle_ >= 0 ? poll_milliseconds(left) : kPollWithoutHandle);
    }
    return true;
}

void ChildProcess::reap() {
    int status = 0;
    if (reaped_ || ::waitpid(pid_, &status, 0) != pid_) return;
    reaped_ = true;
    if (WIFEXITED(status)) exit_.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit_.signal = WTERMSIG(status);
}

void ChildProcess::stop() {
    if (reaped_) return;
    if (!has_ended()) {
        ::kill(-pid_, SIGTERM);
        ends_within(kTermPatience);
    }
    ::kill(-pid_, SIGKILL);  // also what it started and left behind
    ends_within(kKillPatience);
    reap();
}

}  // namespace shaduf
