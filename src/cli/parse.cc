#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on, "Flags of dbt's parse, word for word."},
};

int run_parse(Session& session) { return run_models_verb(session, "parse"); }

}  // namespace

extern const CommandSpec command_parse{
    .name = "parse",
    .summary = "Read the models and all that belongs to them, and write the manifest.",
    .arguments = kArguments,
    .run = run_parse,
    .example = "shaduf parse"};

}  // namespace shaduf
