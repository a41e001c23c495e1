#pragma once

#include <string>
#include <vector>

#include "connectors/google_ads/api.h"
#include "connectors/google_ads/streams.h"

namespace shaduf::google_ads {

// How far back changes are told.
inline constexpr std::chrono::days kChangesKept{90};

// The resources that changed since `since`, each once, in the order of their last change; nullopt when they are so many
// that reading all is cheaper. `since` is not older than kChangesKept.
Result<std::optional<std::vector<std::string>>> changed_since(RunContext& run, const Api& api,
                                                              const ads::Account& account, const EntityShape& entity,
                                                              Timestamp since);

// A row that has nothing but the key of a resource that is gone, by its name: "customers/1/adGroupAds/2~3". "" when the
// name has other parts than the key.
std::string row_of_removed(const std::string& name, const EntityShape& entity);

}  // namespace shaduf::google_ads
