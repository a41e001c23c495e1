#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's seed, word for word."},
};

int run_seed(Session& session) { return run_models_verb(session, "seed"); }

}  // namespace

extern const CommandSpec command_seed{.name = "seed",
                                      .summary = "Load the CSV files of the project into tables.",
                                      .arguments = kArguments,
                                      .run = run_seed,
                                      .example = "shaduf seed --full-refresh"};

}  // namespace shaduf
