#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's list, word for word."},
};

int run_ls(Session& session) { return run_models_verb(session, "list"); }

}  // namespace

extern const CommandSpec command_ls{.name = "ls",
                                    .summary = "List the models, tests and other resources that a selection names.",
                                    .arguments = kArguments,
                                    .run = run_ls,
                                    .example = "shaduf ls --select tag:daily --output name"};

}  // namespace shaduf
