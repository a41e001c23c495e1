#pragma once

#include <memory>

#include "connectors/ads/fetcher.h"
#include "connectors/x_ads/api.h"
#include "connectors/x_ads/list_streams.h"

namespace shaduf::x_ads {

// Reads a list of each account. Of a list sorted by updated_at, newest first, a load after the first reads as far as
// the newest object of the load before.
std::unique_ptr<ads::SliceFetcher> make_list_fetcher(std::shared_ptr<const Api> api, const ListStream& stream);

}  // namespace shaduf::x_ads
