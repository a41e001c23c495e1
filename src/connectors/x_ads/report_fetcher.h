#pragma once

#include <memory>

#include "connectors/ads/fetcher.h"
#include "connectors/x_ads/api.h"
#include "connectors/x_ads/settings.h"

namespace shaduf::x_ads {

// Reads statistics of the entities that were active: at once for up to a week without segments, else by jobs.
std::unique_ptr<ads::SliceFetcher> make_report_fetcher(std::shared_ptr<const Api> api, ReportSettings report);

}  // namespace shaduf::x_ads
