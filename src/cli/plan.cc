#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on,
     "--diff, --json, --exit-code; --state, --select, --full-refresh and the like as dbt has them."},
};

int run_plan(Session& session) { return run_models_verb(session, "plan"); }

}  // namespace

extern const CommandSpec command_plan{.name = "plan",
                                      .summary = "Which models a run would change, why, and what that does to tables.",
                                      .arguments = kArguments,
                                      .run = run_plan,
                                      .example = "shaduf plan --diff"};

}  // namespace shaduf
