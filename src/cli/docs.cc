#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "generate, and its flags as dbt has them."},
};

int run_docs(Session& session) { return run_models_verb(session, "docs"); }

}  // namespace

extern const CommandSpec command_docs{.name = "docs",
                                      .summary = "Write the catalog and the manifest that documentation is made from.",
                                      .arguments = kArguments,
                                      .run = run_docs,
                                      .example = "shaduf docs generate"};

}  // namespace shaduf
