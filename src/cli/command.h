#pragma once

#include <span>
#include <string_view>

#include "base/registry.h"

namespace shaduf {

class Session;

enum class ArgumentKind {
    positional,       // one word
    positional_list,  // all words that are left
    option,           // --name VALUE
    option_list,      // --name VALUE, any number of times
    flag,             // --name
    passed_on,        // all words that are left, flags of whatever kind as well: the command reads them itself
};

// One argument of a command. One table of these feeds the parser, the help, the completion of shells, and docs/cli.md.
struct ArgumentSpec {
    std::string_view name;
    ArgumentKind kind = ArgumentKind::flag;
    std::string_view help = {};
    bool required = false;
    std::string_view default_value = {};
    std::span<const std::string_view> choices = {};
};

// Statuses of the process.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;   // the work failed
inline constexpr int kExitMisused = 2;  // the call or the configuration is wrong

// One verb, standing at the end of src/cli/<verb>.cc as `extern const CommandSpec command_<verb>`.
struct CommandSpec {
    std::string_view name;
    std::string_view summary;  // one sentence
    std::span<const ArgumentSpec> arguments = {};
    int (*run)(Session&) = nullptr;  // the status of the process
    std::string_view example = {};
};

// One spec a file of src/cli, listed by the build.
Registry<CommandSpec> builtin_commands();

// Those that every command takes.
std::span<const ArgumentSpec> global_arguments();

}  // namespace shaduf
