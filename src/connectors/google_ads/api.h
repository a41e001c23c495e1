#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "config/options.h"
#include "connectors/ads/client.h"
#include "connectors/ads/slice.h"
#include "connectors/google_ads/columns.h"
#include "connectors/google_ads/rules.h"

namespace shaduf::google_ads {

// A connection's options, checked.
struct ApiSettings {
    std::string connection;
    std::string base_url;
    std::string version;            // "v26"
    std::string login_customer_id;  // ten digits, or ""
    std::vector<std::string> customer_ids;
    Credentials credentials;
    HttpRequest request;  // the time-outs of every request

    // invalid_config when credentials are missing or an id is none.
    static Result<ApiSettings> read(const Options& connection, const std::string& name);
};

// Whom a query asks.
struct Asked {
    std::string customer;
    std::string login;  // through which manager; "" for none
};
inline Asked asked(const ads::Account& account) { return {account.id, account.owner}; }

// How an exchange ended that brought rows.
struct Interrupted {
    Error why;
    bool brought_bytes = false;  // else the client has tried as often as it may
};

// The calls of the API that a source makes. Thread-safe once made; made anew in every run.
class Api {
public:
    using OnRow = std::function<Result<void>(std::string_view row)>;

    Api(RunContext& run, ApiSettings settings);

    const ApiSettings& settings() const { return settings_; }
    // Sends a query and gives each row while it comes (see StreamCutter::OnRow). nullopt: the answer is complete. What
    // may be asked again is `unavailable`; errors of `on_row` come back as they are.
    std::optional<Interrupted> stream(RunContext& run, const Asked& whom, const std::string& query,
                                      const OnRow& on_row) const;
    // All rows of a small answer; asked again from the beginning when it was cut.
    Result<std::vector<std::string>> rows(RunContext& run, const Asked& whom, const std::string& query) const;
    // The ids of what the credentials reach directly.
    Result<std::vector<std::string>> accessible_customers(RunContext& run) const;
    // What the catalogue knows of these fields, in its order; unknown ones are left out. Asked for once a run.
    Result<std::vector<FieldInfo>> fields(RunContext& run, const std::vector<std::string>& names) const;
    // Names of selectable fields that begin so.
    Result<std::vector<std::string>> fields_below(RunContext& run, const std::string& prefix) const;

private:
    HttpRequest request(const std::string& path) const;
    Result<HttpResponse> post(RunContext& run, const std::string& path, const std::string& body) const;
    Result<std::vector<FieldInfo>> search_fields(RunContext& run, const std::string& query) const;
    Error stream_error(RunContext& run, const Asked& whom, std::string_view json) const;
    std::vector<ads::RateKey> keys(const std::string& customer) const;

    const ApiSettings settings_;
    const std::string project_key_;
    const std::shared_ptr<TokenSource> tokens_;
    const ads::Client client_;
};

}  // namespace shaduf::google_ads
