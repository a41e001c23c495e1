#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/ads/slice.h"
#include "connectors/facebook_ads/job_gate.h"
#include "connectors/facebook_ads/page.h"
#include "connectors/facebook_ads/settings.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf::facebook {

// What all who use one token share in a process.
struct TokenState {
    JobGate gate;
    std::mutex mutex;   // of what follows
    std::string token;  // that is sent: the one configured, or the one it was exchanged for
    bool inspected = false;
};

// Calls of the Marketing API with a connection's token, under its limits (see ads/client.h for retries and waits). A
// call counts under the token or app, and under the account that it is about. Thread-safe.
class Api {
public:
    Api(RunContext& run, ConnectionSettings settings);

    const ConnectionSettings& settings() const { return settings_; }
    JobGate& gate() { return state_->gate; }

    // `path` begins with a slash: "/act_1/insights". `account` is the bare number it is about, "" for none.
    Result<HttpResponse> get(RunContext& run, const std::string& account, std::string_view path,
                             const QueryParams& params) const;
    // The same for a question that cannot be made smaller: told that it is too large, it is asked again.
    Result<HttpResponse> get_one(RunContext& run, const std::string& account, std::string_view path,
                                 const QueryParams& params) const;
    Result<HttpResponse> post(RunContext& run, const std::string& account, std::string_view path,
                              const QueryParams& params) const;
    // Up to kBatchMax calls as one, each a path with its query; in their order. One that was not executed is nullopt.
    static constexpr size_t kBatchMax = 50;
    Result<std::vector<std::optional<BatchAnswer>>> get_batch(RunContext& run, const std::string& account,
                                                              const std::vector<std::string>& targets) const;

    // Once for all who use the token: tells when it ends, and exchanges a short-lived one for a long-lived one. An
    // error of kind auth when it is known to be of no use.
    Result<void> inspect_token(RunContext& run) const;
    // The accounts of the connection, with their zones and currencies.
    Result<std::vector<ads::Account>> find_accounts(RunContext& run) const;

private:
    HttpRequest request_for(std::string_view path, const QueryParams& params) const;
    Result<HttpResponse> send(RunContext& run, const std::string& account, const HttpRequest& request) const;
    Result<HttpResponse> send_one(RunContext& run, const std::string& account, const HttpRequest& request) const;
    bool has_app() const { return !settings_.app_id.empty() && !settings_.app_secret.empty(); }
    Result<void> exchange_token(RunContext& run) const;
    // `answer` is that of debug_token.
    Result<void> act_on_expiry(RunContext& run, std::string_view answer) const;

    const ConnectionSettings settings_;
    const std::string token_key_;  // of the ledger
    const std::shared_ptr<TokenState> state_;
};

// How many records a page are asked for: fewer when they are too many, and more again as long as that goes well, more
// and more rarely where it did not.
struct PageLimit {
    static constexpr int64_t kMin = 10;
    int64_t now = 0;
    int64_t refused = 0;   // the least that was too much; 0: none was
    int64_t patience = 8;  // so many pages are to come before that much is tried again
    int64_t pages = 0;     // that came since

    void refuse(int64_t limit) {
        refused = limit;
        pages = 0;
        patience *= 2;
    }
    void page_came() {
        if (refused == 0) return;
        if (++pages >= patience) {
            refused *= 2;
            pages = 0;
        }
        if (now * 2 < refused) now *= 2;
    }
};

// Whether the caller can ask a smaller question instead of the same one by smaller pages.
enum class OnTooLarge : uint8_t { shrink_pages, ask_less };

// A list's page by page: `give` gets the body of each. `params` without limit and cursor. Pages that are too large are
// asked for again with fewer records. Whether those are at fault, or the question, the system does not say: where the
// caller can ask less, one much smaller page is tried, and an error of kind too_large returned when that is no help.
Result<void> read_pages(RunContext& run, const Api& api, const std::string& account, std::string_view path,
                        const QueryParams& params, OnTooLarge on_too_large, PageLimit& limit,
                        const std::function<Result<void>(const BufferPtr& body)>& give);

}  // namespace shaduf::facebook
