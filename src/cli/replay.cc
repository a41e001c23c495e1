#include "cli/command.h"
#include "cli/frame/archives.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"select", ArgumentKind::positional, "PIPELINE or PIPELINE.STREAM.", true},
    {"since", ArgumentKind::option, "The first day of the rows, YYYY-MM-DD; all that is archived unless given."},
    {"until", ArgumentKind::option, "The last day of the rows."},
};

int run_replay(Session& session) {
    const Project* project = session.open_project();
    if (project == nullptr) return kExitMisused;
    return replay_archives(session, *project);
}

}  // namespace

extern const CommandSpec command_replay{
    .name = "replay",
    .summary = "Load rows again from the archive of raw answers, by the rules as they are now, without a call.",
    .arguments = kArguments,
    .run = run_replay,
    .example = "shaduf replay facebook_ads.ad_insights --since 2026-11-01"};

}  // namespace shaduf
