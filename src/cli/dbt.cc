#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/command.h"
#include "cli/frame/session.h"
#include "models/command/dbt_command.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on,
     "A command line of dbt's, word for word: build --select +orders, ls, docs generate, ..."},
};

std::optional<std::string> variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int run_dbt(Session& session) {
    models::Console console(session.out(), session.errors());
    const auto adapters = builtin_adapters();
    const models::InvocationWorld world = {.run = session.world(),
                                           .adapters = adapters,
                                           .messages = console,
                                           .environment = variable,
                                           .working_folder = std::filesystem::current_path().string(),
                                           .home_folder = variable("HOME").value_or("")};
    return models::run_dbt_command(world, session.arguments().texts("words"), console);
}

}  // namespace

extern const CommandSpec command_dbt{.name = "dbt",
                                     .summary = "Run a dbt project as dbt does, by dbt's own commands and flags.",
                                     .arguments = kArguments,
                                     .run = run_dbt,
                                     .example = "shaduf dbt build --select +orders"};

}  // namespace shaduf
