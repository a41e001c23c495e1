// The Marketing API of Facebook (Meta): objects, insights, reports, batches. Its parts are in facebook_ads/.
#include "sandbox/facebook_ads/account_access.h"
#include "sandbox/facebook_ads/faults.h"
#include "sandbox/facebook_ads/platform.h"

namespace shaduf {
namespace {

constexpr sandbox::Credential kCredentials[] = {
    {"FB_TOKEN", sandbox::facebook::kToken},
    {"FB_APP_ID", sandbox::facebook::kAppId},
    {"FB_APP_SECRET", sandbox::facebook::kAppSecret},
};

}  // namespace

extern const sandbox::PlatformSpec platform_facebook_ads;
const sandbox::PlatformSpec platform_facebook_ads{.name = "facebook_ads",
                                                  .summary = "The Marketing API of Facebook (Meta).",
                                                  .url_variable = "FB_URL",
                                                  .base_path = "",
                                                  .owns = sandbox::facebook::owns_path,
                                                  .make_id = sandbox::facebook::make_id,
                                                  .credentials = kCredentials,
                                                  .faults = sandbox::facebook::kFaults,
                                                  .truth = sandbox::facebook::truth_streams,
                                                  .make = sandbox::facebook::make_platform};

}  // namespace shaduf
