#include "cli/command.h"
#include "cli/frame/models.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on,
     "A command line of dbt's, word for word: build --select +orders, ls, docs generate, ..."},
};

int run_dbt(Session& session) {
    if (!session.enter_folder()) return kExitMisused;
    models::Console console(session.out(), session.errors());
    return run_models(session, session.arguments().texts("words"), console);
}

}  // namespace

extern const CommandSpec command_dbt{.name = "dbt",
                                     .summary = "Run a dbt project as dbt does, by dbt's own commands and flags.",
                                     .arguments = kArguments,
                                     .run = run_dbt,
                                     .example = "shaduf dbt build --select +orders"};

}  // namespace shaduf
