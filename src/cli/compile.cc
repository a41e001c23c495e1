#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's compile, word for word."},
};

int run_compile(Session& session) { return run_models_verb(session, "compile"); }

}  // namespace

extern const CommandSpec command_compile{.name = "compile",
                                         .summary = "Write the SQL of models, tests and analyses, and run none of it.",
                                         .arguments = kArguments,
                                         .run = run_compile,
                                         .example = "shaduf compile --select orders"};

}  // namespace shaduf
