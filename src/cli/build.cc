#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's build, word for word."},
};

int run_build(Session& session) { return run_models_verb(session, "build"); }

}  // namespace

extern const CommandSpec command_build{
    .name = "build",
    .summary = "Build seeds, models and snapshots in the order of the graph, and test each.",
    .arguments = kArguments,
    .run = run_build,
    .example = "shaduf build --select +orders"};

}  // namespace shaduf
