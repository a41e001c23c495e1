#include "version.h"

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

int run_version(Session& session) {
    if (session.json()) {
        session.out() << JsonWriter().begin_object().field("version", kVersion).end_object().str() << "\n";
    } else {
        session.out() << "shaduf " << kVersion << "\n";
    }
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_version{
    .name = "version", .summary = "Print the version.", .run = run_version, .example = "shaduf version"};

}  // namespace shaduf
