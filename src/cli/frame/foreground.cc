#include "cli/frame/foreground.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <system_error>

namespace shaduf {
namespace {

constexpr int kSignaled = 128;

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::map<std::string, std::string> all;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text(*entry);
        const size_t equals = text.find('=');
        if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    for (const auto& [name, value] : variables) all[name] = value;
    std::vector<std::string> entries;
    entries.reserve(all.size());
    for (const auto& [name, value] : all) entries.push_back(name + "=" + value);
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

}  // namespace

Result<int> run_in_foreground(const std::vector<std::string>& words,
                              const std::vector<std::pair<std::string, std::string>>& variables,
                              const Cancellation& cancellation) {
    std::vector<std::string> arguments = words;
    std::vector<std::string> environment = environment_with(variables);
    // What we ignore ourselves (a broken pipe) is no affair of the program's.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int failure = ::posix_spawnp(&child, arguments.front().c_str(), nullptr, &attributes,
                                       pointers(arguments).data(), pointers(environment).data());
    ::posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        return Error(ErrorKind::invalid_config, "program cannot be started: " + words.front() + ": " +
                                                    std::generic_category().message(failure) +
                                                    "; check its name and PATH");
    }
    const Cancellation::Waker waker(cancellation, [child] { ::kill(child, SIGTERM); });
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return Error(ErrorKind::internal,
                         "program was lost: " + words.front() + ": " + std::generic_category().message(errno));
        }
    }
    return WIFSIGNALED(status) ? kSignaled + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace shaduf
