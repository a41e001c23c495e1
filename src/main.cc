#include <malloc.h>

#include <clocale>
#include <csignal>
#include <iostream>
#include <string_view>

#include "cli/frame/arguments.h"
#include "cli/frame/session.h"
#include "version.h"

// The one place that knows every connector and every command.
int main(int argc, char** argv) {
    using namespace shaduf;
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::cout << "shaduf " << kVersion << "\n";
        return kExitDone;
    }
    // Batches travel from thread to thread; with an arena for each, what one frees the next cannot take, and a load of
    // wide rows keeps half as much again (measured; no slower).
    ::mallopt(M_ARENA_MAX, 2);
    ::signal(SIGPIPE, SIG_IGN);
    const auto commands = builtin_commands();
    const CommandLine line = CommandLine::parse(argc, argv, commands);
    if (line.command == nullptr) {
        (line.status == kExitDone ? std::cout : std::cerr) << line.message;
        return line.status;
    }
    const auto connectors = builtin_connectors();
    Session session({line.arguments, connectors, commands, std::cout, std::cerr});
    return line.command->run(session);
}
