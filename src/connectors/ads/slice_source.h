#pragma once

#include <memory>

#include "connectors/ads/fetcher.h"
#include "connectors/ads/settings.h"
#include "connectors/connector.h"

namespace shaduf::ads {

// Reads a stream slice by slice: see fetcher.h for what a system adds to it.
//
// A load fetches, newest days first, all days from `since` on that are not settled: a day is settled once it was loaded
// when it was older than `lookback`. Some slices are fetched at the same time, and come out one behind the other, each
// ending in a checkpoint; so a load that was killed goes on (within a day) with the slices that are left. A slice that
// fails for good does not keep the others from being loaded; its error ends the load.
Result<std::unique_ptr<Source>> make_slice_source(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings);

}  // namespace shaduf::ads
