#include "cli/command.h"
#include "cli/frame/models.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"words", ArgumentKind::passed_on,
     "MODEL or MODEL.COLUMN, with N+ before it and +N behind it for how far to go; --json; --target, --vars and the "
     "like as dbt has them."},
};

int run_lineage(Session& session) { return run_models_verb(session, "lineage"); }

}  // namespace

extern const CommandSpec command_lineage{.name = "lineage",
                                         .summary = "Where the columns of a model come from, and who reads them.",
                                         .arguments = kArguments,
                                         .run = run_lineage,
                                         .example = "shaduf lineage 2+orders.amount"};

}  // namespace shaduf
