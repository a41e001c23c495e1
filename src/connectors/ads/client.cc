#include "connectors/ads/client.h"

#include <random>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/run_events.h"
#include "base/time.h"

namespace shaduf::ads {
namespace {

// A system that throttles and does not say for how long.
constexpr std::chrono::milliseconds kPauseAtLeast{60'000};

Error error_of(const Judgement& judgement) {
    switch (judgement.verdict) {
        case Verdict::transient: {
            const Error error(ErrorKind::unavailable, judgement.message);
            return judgement.wait ? error.retry_after(*judgement.wait) : error;
        }
        case Verdict::throttled: return Error(ErrorKind::rate_limited, judgement.message);
        case Verdict::too_large: return Error(ErrorKind::too_large, judgement.message);
        case Verdict::unauthorized: return Error(ErrorKind::auth, judgement.message);
        case Verdict::accepted:
        case Verdict::refused: break;
    }
    return Error(judgement.kind, judgement.message);
}

// Whoever watches is told why nothing happens for a while.
void pause(RunContext& run, const std::string& key, const Judgement& judgement) {
    const auto wait = judgement.wait.value_or(kPauseAtLeast);
    run.events.message(Severity::warning, key, "no calls for " + format_duration(wait) + ": " + judgement.message);
    run.rates.pause(key, run.clock.now() + wait);
}

}  // namespace

Result<HttpResponse> Client::send(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys) const {
    return attempt(run, request, keys, [&](const HttpRequest& signed_request) -> Result<HttpResponse> {
        return run.http.send(run, signed_request);
    });
}

Result<HttpResponse> Client::stream(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys,
                                    const HttpBodySink& on_bytes) const {
    bool began = false;
    const HttpBodySink watched = [&](std::string_view bytes) {
        began = began || !bytes.empty();
        return on_bytes(bytes);
    };
    return attempt(run, request, keys, [&](const HttpRequest& signed_request) -> Result<HttpResponse> {
        auto response = run.http.stream(run, signed_request, watched);
        if (!response.ok() && began) return response.error().permanent();
        return response;
    });
}

// Waits while throttled as often as it takes: the ledger keeps everyone waiting, and refuses a wait that is too long.
Result<HttpResponse> Client::attempt(RunContext& run, const HttpRequest& request, std::span<const RateKey> keys,
                                     const Exchange& exchange) const {
    bool renewed = false;
    for (int failures = 0;;) {
        std::vector<RatePermit> permits;
        for (const RateKey& key : keys) permits.push_back(TRY(run.rates.acquire(run, key.key, key.rule)));
        HttpRequest signed_request = request;
        TRY(rules_->authorize(run, signed_request));
        auto response = exchange(signed_request);
        permits.clear();
        if (!response.ok()) {
            TRY(wait_before_retry(run, retries_, ++failures, response.error()));
            continue;
        }
        rules_->note_limits(run, response.value());
        const Judgement judgement = rules_->judge(run, signed_request, response.value());
        switch (judgement.verdict) {
            case Verdict::accepted: return response;
            case Verdict::transient: TRY(wait_before_retry(run, retries_, ++failures, error_of(judgement))); break;
            case Verdict::throttled:
                if (keys.empty()) return error_of(judgement);
                pause(run, keys.back().key, judgement);
                break;
            case Verdict::unauthorized:
                if (renewed || !rules_->renew(signed_request)) return error_of(judgement);
                renewed = true;
                break;
            case Verdict::too_large:
            case Verdict::refused: return error_of(judgement);
        }
    }
}

}  // namespace shaduf::ads
