#pragma once

#include "models/command/dbt_command.h"

namespace shaduf::models {

// build, compile, run and test with --watch. Each save is a round: the project is parsed, what the save touched is
// compiled and shown or the error is, then the verb runs on it within the selection: on what was touched, its tests,
// and, with --watch-descendants, what reads it. A save during a round waits for its end; all saves of that time are the
// next round. No error ends it; the database is let go between rounds. Ends when the run is canceled: status 0, or that
// of the round that was canceled. invalid_config: another verb, or a system without inotify.
Result<int> run_watch(const InvocationWorld& world, const DbtArguments& given, const NodeFilter& filter,
                      Console& console);

}  // namespace shaduf::models
