#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/rate_ledger.h"
#include "base/result.h"
#include "base/retry.h"
#include "base/run_context.h"
#include "io/http.h"

namespace shaduf::ads {

// What an answer means, in the words of the system's own error tables.
enum class Verdict : uint8_t {
    accepted,
    transient,     // the same call may work soon
    throttled,     // nobody may call under these keys for a while
    too_large,     // the same call never works, a smaller one may
    unauthorized,  // a new token may help; once
    refused,       // permanent: the configuration or a permission
};

struct Judgement {
    Verdict verdict = Verdict::accepted;
    // One line: what the system said, with its codes, and what to do. Empty when accepted.
    std::string message = {};
    ErrorKind kind = ErrorKind::invalid_config;          // of `refused`: invalid_config or auth, or bad_data
    std::optional<std::chrono::milliseconds> wait = {};  // transient, throttled: as the system asked
};

// A system's manners. Thread-safe; one object for all streams of a connection.
class ApiRules {
public:
    virtual ~ApiRules() = default;
    // Puts the credentials in; may fetch a token.
    virtual Result<void> authorize(RunContext& run, HttpRequest& request) = 0;
    // After `unauthorized` for this request: whether another try with a new token makes sense.
    virtual bool renew(const HttpRequest& request) {
        (void)request;
        return false;
    }
    virtual Judgement judge(const RunContext& run, const HttpRequest& request, const HttpResponse& response) const = 0;
    // Tells the ledger what the answer's headers say of the limits.
    virtual void note_limits(RunContext& run, const HttpResponse& response) {
        (void)run;
        (void)response;
    }
};

// A key of the ledger that a call counts under, and what holds for it.
struct RateKey {
    std::string key;
    RateRule rule;
};

// Sends calls by a system's rules: signed, under the ledger's limits, retried with back-off while transient, waiting
// while throttled, once more with a new token. Thread-safe.
class Client {
public:
    Client(std::shared_ptr<ApiRules> rules, RetryPolicy retries) : rules_(std::move(rules)), retries_(retries) {}

    // An accepted answer. Errors by the verdict: unavailable (tries are used up), rate_limited (the pause is longer
    // than is waited for), too_large, auth or invalid_config. `keys` in the order they are to be acquired; on
    // `throttled` the last of them is paused.
    Result<HttpResponse> send(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys) const;
    // The same for an answer that is read while it comes (HttpTransport::stream): `judge` is asked about answers whose
    // status is no success, and `on_bytes` gets the body of the others. An exchange that was cut once bytes had come is
    // not repeated: an error of kind unavailable.
    Result<HttpResponse> stream(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys,
                                const HttpBodySink& on_bytes) const;
    const ApiRules& rules() const { return *rules_; }

private:
    using Exchange = std::function<Result<HttpResponse>(const HttpRequest&)>;
    Result<HttpResponse> attempt(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys,
                                 const Exchange& exchange) const;

    const std::shared_ptr<ApiRules> rules_;
    const RetryPolicy retries_;
};

}  // namespace shaduf::ads
