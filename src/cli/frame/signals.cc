#include "cli/frame/signals.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace shaduf {
namespace {

// A signal handler may only write to a pipe; a thread reads it and may do anything.
std::array<int, 2> signal_pipe{-1, -1};
constexpr int kExitBySignal = 130;

void write_signal(int) {
    const int saved = errno;
    const char byte = 's';
    const ssize_t written = ::write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = saved;
}

void watch(Cancellation& cancellation) {
    for (int signals = 0;;) {
        char byte = 0;
        const ssize_t count = ::read(signal_pipe[0], &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || byte == 'q') return;
        if (++signals > 1) ::_exit(kExitBySignal);
        cancellation.cancel();
    }
}

}  // namespace

SignalWatch::SignalWatch(Cancellation& cancellation) {
    if (::pipe(signal_pipe.data()) != 0) return;
    thread_ = std::thread([&cancellation] { watch(cancellation); });
    struct sigaction action {};
    action.sa_handler = write_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

SignalWatch::~SignalWatch() {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    if (!thread_.joinable()) return;
    const char byte = 'q';
    const ssize_t written = ::write(signal_pipe[1], &byte, 1);
    (void)written;
    thread_.join();
    ::close(signal_pipe[0]);
    ::close(signal_pipe[1]);
}

}  // namespace shaduf
