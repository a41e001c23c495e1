#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's snapshot, word for word."},
};

int run_snapshot(Session& session) { return run_models_verb(session, "snapshot"); }

}  // namespace

extern const CommandSpec command_snapshot{.name = "snapshot",
                                          .summary = "Add what has changed to the history of tables.",
                                          .arguments = kArguments,
                                          .run = run_snapshot,
                                          .example = "shaduf snapshot"};

}  // namespace shaduf
