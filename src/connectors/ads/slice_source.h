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

// A stream as its connector makes it of options: read from the system, or out of the archive.
struct StreamParts {
    std::unique_ptr<SliceFetcher> fetcher;
    SourceSettings settings;
};
using MakeParts = Result<StreamParts> (*)(const Options& options, const StreamRequest& request);

// Reads the newest complete fetch of every day (of every account and part) in the archive, or of `changes` all fetches
// in their order: the answers of before, parsed by the rules of now. invalid_config when the connection keeps no
// archive.
Result<std::unique_ptr<Source>> make_archive_source(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings,
                                                    const ReplayRange& range);

// For ConnectorSpec::make_source and make_replay_source.
template <MakeParts make>
Result<std::unique_ptr<Source>> source_of(const Options& options, const StreamRequest& request) {
    StreamParts parts = TRY(make(options, request));
    return make_slice_source(std::move(parts.fetcher), std::move(parts.settings));
}
template <MakeParts make>
Result<std::unique_ptr<Source>> archived_source_of(const Options& options, const StreamRequest& request,
                                                   const ReplayRange& range) {
    StreamParts parts = TRY(make(options, request));
    return make_archive_source(std::move(parts.fetcher), std::move(parts.settings), range);
}

}  // namespace shaduf::ads
