#pragma once

#include "base/result.h"
#include "connectors/ads/fetcher.h"
#include "connectors/facebook_ads/api.h"
#include "connectors/facebook_ads/settings.h"

namespace shaduf::facebook {

// Fetches one account's list. Where it can be asked for changes and the slice has a cursor, what was changed since (and
// at that second); the output then gets the new cursor, the latest change seen, in seconds since 1970.
Result<void> fetch_list(RunContext& run, const Api& api, const StreamSettings& stream, bool only_changes,
                        const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out);

}  // namespace shaduf::facebook
