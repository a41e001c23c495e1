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

// Reads the newest complete fetch of every day (of every account and part) in the archive, or of `changes` all fetches
// in their order: the answers of before, parsed by the rules of now. invalid_config when the connection keeps no
// archive.
Result<std::unique_ptr<Source>> make_archive_source(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings,
                                                    const ReplayRange& range);

}  // namespace shaduf::ads
