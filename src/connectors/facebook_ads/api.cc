#include "connectors/facebook_ads/api.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/clock.h"
#include "base/rate_ledger.h"
#include "base/retry.h"
#include "base/run_events.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/ads/client.h"
#include "connectors/facebook_ads/errors.h"
#include "connectors/facebook_ads/usage.h"
#include "data/batch.h"
#include "io/crypto.h"

namespace shaduf::facebook {
namespace {

constexpr double kPauseAbove = 95;  // per cent used
constexpr double kGoOnBelow = 85;
constexpr std::chrono::milliseconds kPauseAtLeast{60'000};
constexpr std::chrono::hours kTellExpiryBefore = std::chrono::days(7);
constexpr std::chrono::hours kShortLived{24};
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kRenewAdvice =
    "get a new one (a system user's does not expire) and set access_token of the connection";
constexpr RetryPolicy kRetries{};
constexpr RetryPolicy kSmallestRetries{.tries_max = 3};  // of pages that are too large however small
constexpr int64_t kProbePart = 8;
constexpr RateRule kTokenRule{.in_flight_max = 32};
constexpr RateRule kAccountRule{.in_flight_max = 8};

std::string fingerprint(std::string_view secret) { return to_hex(sha256(secret)).substr(0, 12); }

std::string token_key(const ConnectionSettings& settings) {
    if (!settings.app_id.empty()) return "facebook_ads:app_" + settings.app_id;
    return "facebook_ads:token_" + fingerprint(settings.access_token);
}

std::string account_key(const std::string& account) { return "facebook_ads:act_" + account; }

std::shared_ptr<TokenState> shared_state(RunContext& run, const ConnectionSettings& settings) {
    const std::string key =
        "facebook_ads:" + settings.base_url + ":" + fingerprint(settings.access_token + "\n" + settings.app_secret);
    return std::static_pointer_cast<TokenState>(run.http.shared_state(key, [&]() -> std::shared_ptr<void> {
        auto state = std::make_shared<TokenState>();
        state->token = settings.access_token;
        return state;
    }));
}

// How long nobody is to call for an account that is nearly used up. Use goes down evenly until it is reset, and some
// room is enough: whoever waits for all of it leaves most of what is allowed unused.
std::chrono::milliseconds account_pause(const Usage& usage) {
    if (usage.account_regain.count() > 0 || usage.account_reset.count() == 0)
        return std::max(kPauseAtLeast, usage.account_regain);
    const double part = (*usage.account - kGoOnBelow) / *usage.account;
    return std::chrono::milliseconds(1 + static_cast<int64_t>(static_cast<double>(usage.account_reset.count()) * part));
}

// The app's number tells no time. Where the account's is as high and tells one, that is waited for, and what comes then
// tells of the app again.
bool account_is_first(const Usage& usage) {
    return usage.account && *usage.account >= kPauseAbove && *usage.account + 1 > *usage.app &&
           usage.account_reset.count() > 0;
}

// How calls about one account are signed, and what their answers mean.
class Rules final : public ads::ApiRules {
public:
    Rules(const ConnectionSettings& settings, std::string token, std::string key, std::string account, JobGate& gate)
        : secret_(settings.app_secret),
          token_(std::move(token)),
          token_key_(std::move(key)),
          account_(std::move(account)),
          gate_(gate) {}

    Result<void> authorize(RunContext&, HttpRequest& request) override {
        const std::string_view given = authorization_of(request);
        const std::string token = given.empty() ? token_ : std::string(given.substr(kBearer.size()));
        if (given.empty()) request.headers.emplace_back("Authorization", std::string(kBearer) + token);
        if (!secret_.empty() && given.empty())
            request.url = with_query_param(request.url, "appsecret_proof", to_hex(hmac_sha256(secret_, token)));
        return {};
    }

    ads::Judgement judge(const RunContext& run, const HttpRequest&, const HttpResponse& response) const override {
        ads::Judgement judgement = judge_answer(response);
        if (judgement.verdict == ads::Verdict::transient) judgement.wait = retry_delay(run, response);
        if (judgement.verdict != ads::Verdict::throttled) return judgement;
        const Usage usage = read_usage(response, account_);
        const auto asked = retry_delay(run, response).value_or(std::chrono::milliseconds(0));
        judgement.wait = std::max({kPauseAtLeast, usage.account_regain, usage.account_reset, usage.app_regain, asked});
        const auto error = read_error(response.text());
        if (error && throttles_all_accounts(error->code))
            run.rates.pause(token_key_, run.clock.now() + *judgement.wait);
        return judgement;
    }

    void note_limits(RunContext& run, const HttpResponse& response) override {
        const Usage usage = read_usage(response, account_);
        const Timestamp now = run.clock.now();
        if (usage.reports) gate_.note_use(*usage.reports);
        if (usage.app && *usage.app >= kPauseAbove && !account_is_first(usage))
            run.rates.pause(token_key_, now + std::max(kPauseAtLeast, usage.app_regain));
        if (usage.account && *usage.account >= kPauseAbove && !account_.empty())
            run.rates.pause(account_key(account_), now + account_pause(usage));
    }

private:
    static std::string_view authorization_of(const HttpRequest& request) {
        for (const auto& [name, value] : request.headers) {
            if (name == "Authorization") return value;
        }
        return {};
    }

    const std::string secret_;
    const std::string token_;
    const std::string token_key_;
    const std::string account_;
    JobGate& gate_;
};

Error as_passing(const Error& error) { return Error(ErrorKind::unavailable, error.message()); }

int64_t read_integer(std::string_view body, std::string_view name) {
    const std::string text = find_text(body, name);
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

ads::Account read_account(std::string_view record) {
    ads::Account account;
    account.id = bare_account(find_text(record, "account_id"));
    if (account.id.empty()) account.id = bare_account(find_text(record, "id"));
    account.name = find_text(record, "name");
    account.time_zone = find_text(record, "timezone_name");
    account.currency = find_text(record, "currency");
    return account;
}

}  // namespace

Api::Api(RunContext& run, ConnectionSettings settings)
    : settings_(std::move(settings)), token_key_(token_key(settings_)), state_(shared_state(run, settings_)) {}

HttpRequest Api::request_for(std::string_view path, const QueryParams& params) const {
    HttpRequest request = settings_.timeouts;
    request.url = settings_.base_url + "/" + settings_.version + std::string(path);
    const std::string query = format_query(params);
    if (!query.empty()) request.url += "?" + query;
    request.secret_params = {"appsecret_proof", "input_token", "client_secret", "fb_exchange_token", "access_token"};
    return request;
}

Result<HttpResponse> Api::send(RunContext& run, const std::string& account, const HttpRequest& request) const {
    std::string token;
    {
        const std::lock_guard lock(state_->mutex);
        token = state_->token;
    }
    const auto rules = std::make_shared<Rules>(settings_, std::move(token), token_key_, account, state_->gate);
    const ads::Client client(rules, kRetries);
    std::vector<ads::RateKey> keys{{token_key_, kTokenRule}};
    if (!account.empty()) keys.push_back({account_key(account), kAccountRule});
    return client.send(run, request, keys);
}

Result<HttpResponse> Api::get(RunContext& run, const std::string& account, std::string_view path,
                              const QueryParams& params) const {
    return send(run, account, request_for(path, params));
}

Result<HttpResponse> Api::get_one(RunContext& run, const std::string& account, std::string_view path,
                                  const QueryParams& params) const {
    return send_one(run, account, request_for(path, params));
}

Result<HttpResponse> Api::send_one(RunContext& run, const std::string& account, const HttpRequest& request) const {
    for (int failures = 0;;) {
        auto response = send(run, account, request);
        if (response.ok() || response.error().kind() != ErrorKind::too_large) return response;
        TRY(wait_before_retry(run, kRetries, ++failures, as_passing(response.error())));
    }
}

Result<HttpResponse> Api::post(RunContext& run, const std::string& account, std::string_view path,
                               const QueryParams& params) const {
    HttpRequest request = request_for(path, {});
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = format_query(params);
    return send(run, account, request);
}

Result<std::vector<std::optional<BatchAnswer>>> Api::get_batch(RunContext& run, const std::string& account,
                                                               const std::vector<std::string>& targets) const {
    SHADUF_ASSERT(targets.size() <= kBatchMax);
    std::string batch;
    for (const std::string& target : targets) {
        batch += batch.empty() ? "[" : ",";
        batch += R"({"method":"GET","relative_url":)";
        append_json_string(settings_.version + target, batch);
        batch += '}';
    }
    batch += ']';
    HttpRequest request = settings_.timeouts;
    request.method = "POST";
    request.url = settings_.base_url + "/";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = format_query({{"batch", batch}});
    request.secret_params = {"appsecret_proof"};
    const HttpResponse response = TRY(send_one(run, account, request));
    auto answers = TRY(read_batch(response.text()));
    if (answers.size() != targets.size())
        return Error(ErrorKind::unavailable, "answer to a batch has " + std::to_string(answers.size()) +
                                                 " parts instead of " + std::to_string(targets.size()));
    Rules rules(settings_, "", token_key_, account, state_->gate);
    for (const auto& answer : answers) {
        if (!answer) continue;
        HttpResponse inner;
        inner.headers = answer->headers;
        rules.note_limits(run, inner);
    }
    return answers;
}

Result<void> Api::exchange_token(RunContext& run) const {
    const HttpResponse response = TRY(get_one(run, "", "/oauth/access_token",
                                              {{"grant_type", "fb_exchange_token"},
                                               {"client_id", settings_.app_id},
                                               {"client_secret", settings_.app_secret},
                                               {"fb_exchange_token", settings_.access_token}}));
    const std::string token = find_text(response.text(), "access_token");
    if (token.empty()) return Error(ErrorKind::auth, "answer to the exchange of the token has none");
    const std::lock_guard lock(state_->mutex);
    state_->token = token;
    return {};
}

Result<void> Api::act_on_expiry(RunContext& run, std::string_view answer) const {
    const auto data = find_member(answer, "data");
    if (!data) return {};
    if (find_text(*data, "is_valid") == "false") {
        const auto error = read_error(*data);
        return Error(ErrorKind::auth, "access token is no longer valid" +
                                          (error ? ": " + error->message : std::string()) + "; " +
                                          std::string(kRenewAdvice));
    }
    const Timestamp expires{std::chrono::seconds(read_integer(*data, "expires_at"))};
    const auto left = expires - run.clock.now();
    if (expires <= Timestamp{} || left > kTellExpiryBefore) return {};
    std::string text = "access token expires at " + format_timestamp(expires) + "; " + std::string(kRenewAdvice);
    Result<void> exchanged;
    if (left < kShortLived && has_app()) {
        exchanged = exchange_token(run);
        text += exchanged.ok() ? "; this run goes on with the long-lived one that it was exchanged for"
                               : "; exchanging it for a long-lived one failed: " + exchanged.error().message();
    } else if (left < kShortLived) {
        text += "; with app_id and app_secret, runs exchange it for one of 60 days";
    }
    run.events.message(Severity::warning, settings_.name, text);
    return {};
}

Result<void> Api::inspect_token(RunContext& run) const {
    {
        const std::lock_guard lock(state_->mutex);
        if (std::exchange(state_->inspected, true)) return {};
    }
    HttpRequest request = request_for("/debug_token", {{"input_token", settings_.access_token}});
    if (has_app())
        request.headers.emplace_back("Authorization",
                                     std::string(kBearer) + settings_.app_id + "|" + settings_.app_secret);
    auto response = send(run, "", request);
    if (response.ok()) return act_on_expiry(run, response.value().text());
    // A token may not be allowed to look at itself: the calls that follow tell what it is worth.
    return response.error().kind() == ErrorKind::canceled ? response.error() : Result<void>();
}

Result<std::vector<ads::Account>> Api::find_accounts(RunContext& run) const {
    const std::string fields = "account_id,name,currency,timezone_name,account_status";
    std::vector<ads::Account> accounts;
    for (const std::string& id : settings_.accounts) {
        const HttpResponse response = TRY(get_one(run, id, "/act_" + id, {{"fields", fields}}));
        accounts.push_back(read_account(response.text()));
    }
    if (!settings_.accounts.empty()) return accounts;
    PageLimit limit{100};
    TRY(read_pages(run, *this, "", "/me/adaccounts", {{"fields", fields}}, OnTooLarge::shrink_pages, limit,
                   [&](const BufferPtr& body) -> Result<void> {
                       for (const RawRows::Span& span : TRY(find_records(body->view())))
                           accounts.push_back(read_account(body->view().substr(span.offset, span.length)));
                       return {};
                   }));
    if (accounts.empty())
        return Error(ErrorKind::auth,
                     "the token sees no ad account; give its user or system user a role on one "
                     "(Business settings, Ad accounts)");
    return accounts;
}

Result<void> read_pages(RunContext& run, const Api& api, const std::string& account, std::string_view path,
                        const QueryParams& params, OnTooLarge on_too_large, PageLimit& limit,
                        const std::function<Result<void>(const BufferPtr& body)>& give) {
    std::string after;
    std::optional<int64_t> before_probe;
    for (int failures = 0;;) {
        QueryParams page_params = params;
        page_params.emplace_back("limit", std::to_string(limit.now));
        if (!after.empty()) page_params.emplace_back("after", after);
        auto response = api.get(run, account, path, page_params);
        if (!response.ok()) {
            if (response.error().kind() != ErrorKind::too_large) return response.error();
            const bool is_first = after.empty() && on_too_large == OnTooLarge::ask_less;
            if (is_first && (before_probe || limit.now <= PageLimit::kMin)) {
                limit.now = before_probe.value_or(limit.now);
                return response.error();
            }
            if (limit.now <= PageLimit::kMin) {
                const auto waited = wait_before_retry(run, kSmallestRetries, ++failures, as_passing(response.error()));
                if (!waited.ok())
                    return waited.error().kind() == ErrorKind::canceled ? waited.error() : response.error();
            } else if (is_first) {
                before_probe = limit.now;
            } else {
                limit.refuse(limit.now);
            }
            limit.now = std::max(std::min(limit.now, PageLimit::kMin), limit.now / (is_first ? kProbePart : 2));
            continue;
        }
        auto paging = read_paging(response.value().text());
        if (!paging.ok()) {
            TRY(wait_before_retry(run, kRetries, ++failures, paging.error()));
            continue;
        }
        failures = 0;
        if (before_probe) limit.refuse(*std::exchange(before_probe, std::nullopt));
        limit.page_came();
        TRY(give(without_tokens(response.value().body)));
        if (!paging.value().has_next || paging.value().after.empty()) return {};
        if (paging.value().after == after)
            return Error(ErrorKind::unavailable, "pages do not go on: the cursor behind a page is the one before it");
        after = std::move(paging.value().after);
    }
}

}  // namespace shaduf::facebook
