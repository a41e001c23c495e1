#pragma once

#include <chrono>
#include <optional>

#include "observe/anomalies/load_history.h"

// What a load, or that none comes, does to the history of a table: anomalies begin, go on, and are over
// (`Anomaly::over`). Those that are over stay until whoever keeps the history has told it.
namespace shaduf::observe {

// Takes in a load that succeeded, which the history does not have. A low one that came much sooner than usual is of
// somebody who ran it by hand: it is neither judged nor learned from. Rows that keep another level for 7 loads are the
// new usual ones, but for none at all.
void take_load(LoadHistory& history, Load load);

// Whether the next load is late by now; gives when it will be, nullopt while that is being learned or when it is so.
// `rests`: nobody expects a load, since what makes it has no schedule or is paused.
std::optional<Timestamp> check_freshness(LoadHistory& history, Timestamp now, bool rests);

// Somebody says that what stands there is usual: it is over, and what is as far off is not told again.
void call_usual(LoadHistory& history, AnomalyKind kind, Timestamp now);

}  // namespace shaduf::observe
