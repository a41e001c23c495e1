#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's test, word for word."},
};

int run_test(Session& session) { return run_models_verb(session, "test"); }

}  // namespace

extern const CommandSpec command_test{.name = "test",
                                      .summary = "Run the tests of models, seeds, snapshots and sources.",
                                      .arguments = kArguments,
                                      .run = run_test,
                                      .example = "shaduf test --select orders"};

}  // namespace shaduf
