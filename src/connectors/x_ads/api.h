#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/ads/client.h"
#include "connectors/ads/slice.h"
#include "connectors/x_ads/settings.h"
#include "data/buffer.h"
#include "io/url.h"

namespace shaduf::x_ads {

// Endpoints that are limited together.
enum class Family : uint8_t { accounts, entities, active_entities, stats, jobs };

struct AccountRecord {
    ads::Account account;
    std::string json;  // as the API gave it
};
using AccountList = std::vector<AccountRecord>;

// Calls of one connection. Thread-safe; made anew for each stream, while limits are kept by the run's ledger.
class Api {
public:
    explicit Api(ConnectionSettings settings);

    // `path` behind the version, "/accounts/x/campaigns". `account` is whose limit the call counts under, "" for none.
    Result<BufferPtr> get(RunContext& run, Family family, const std::string& account, const std::string& path,
                          const QueryParams& params) const;
    Result<BufferPtr> post(RunContext& run, Family family, const std::string& account, const std::string& path,
                           const QueryParams& params) const;
    // A file that the API made, at a URL that it gave; without credentials, gunzipped. Errors of 403, 404 and 410,
    // which mean that the URL has expired, are of kind conflict.
    Result<BufferPtr> download(RunContext& run, const std::string& url) const;

    // The accounts that were asked for, or all; asked for once a run.
    Result<std::shared_ptr<const AccountList>> accounts(RunContext& run) const;

private:
    Result<BufferPtr> send(RunContext& run, const char* method, Family family, const std::string& account,
                           const std::string& path, const QueryParams& params) const;
    Result<AccountList> list_accounts(RunContext& run) const;
    Result<std::string> currency_of(RunContext& run, const std::string& account) const;

    const ConnectionSettings settings_;
    const ads::Client client_;
    const std::string user_;  // names the user in keys of limits; no secret
};

}  // namespace shaduf::x_ads
