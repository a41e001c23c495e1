#pragma once

#include <vector>

#include "connectors/ads/slice.h"
#include "connectors/google_ads/api.h"

namespace shaduf::google_ads {

// The accounts that have numbers: those below login_customer_id, or below all that the credentials reach; manager
// accounts are walked and not themselves among them. Those that are not enabled are left out with a warning. Found out
// once a run. invalid_config when one of customer_ids is not among them, or there are none.
Result<std::vector<ads::Account>> find_accounts(RunContext& run, const Api& api);

}  // namespace shaduf::google_ads
