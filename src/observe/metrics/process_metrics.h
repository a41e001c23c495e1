#pragma once

#include "observe/metrics/metrics.h"

namespace shaduf::observe {

// Memory, time, files and threads of this process, as the kernel tells them in /proc; what it does not tell is left
// out.
void collect_process(MetricPage& page);

}  // namespace shaduf::observe
