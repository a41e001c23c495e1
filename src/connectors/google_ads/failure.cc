#include "connectors/google_ads/failure.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/clock.h"
#include "base/text.h"
#include "base/time.h"

namespace shaduf::google_ads {
namespace {

using ads::Judgement;
using ads::Verdict;
using nlohmann::json;
using std::chrono::milliseconds;

constexpr size_t kShownBytes = 300;
// Google counts a day's operations until midnight in California; eight hours behind UTC is never too early there.
constexpr std::chrono::hours kQuotaOffset{8};

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "30s", "1.500s"
std::optional<milliseconds> parse_delay(std::string_view text) {
    if (!text.ends_with('s')) return std::nullopt;
    text.remove_suffix(1);
    const auto point = text.find('.');
    const auto whole = parse_duration(std::string(text.substr(0, point)) + "s");
    if (!whole) return std::nullopt;
    // A part of a second more does no harm.
    return point == std::string_view::npos ? *whole : *whole + milliseconds(1000);
}

ApiError read_api_error(const json& entry) {
    ApiError error;
    error.message = text_at(entry, "message");
    if (const auto code = entry.find("errorCode"); code != entry.end() && code->is_object() && !code->empty()) {
        error.type = code->begin().key();
        error.code = code->begin()->is_string() ? code->begin()->get<std::string>() : code->begin()->dump();
    }
    if (const auto trigger = entry.find("trigger"); trigger != entry.end() && trigger->is_object() && !trigger->empty())
        error.trigger = trigger->begin()->is_string() ? trigger->begin()->get<std::string>() : trigger->begin()->dump();
    const json details = entry.value("details", json::object());
    if (!details.is_object()) return error;
    const json quota = details.value("quotaErrorDetails", json::object());
    if (!quota.is_object()) return error;
    error.rate_scope = text_at(quota, "rateScope");
    error.retry_delay = parse_delay(text_at(quota, "retryDelay"));
    return error;
}

Failure read_failure(const json& error) {
    Failure failure;
    const auto code = error.find("code");
    if (code != error.end() && code->is_number_integer()) failure.http_status = code->get<int>();
    failure.status = text_at(error, "status");
    failure.message = text_at(error, "message");
    const auto details = error.find("details");
    if (details == error.end() || !details->is_array()) return failure;
    for (const json& detail : *details) {
        if (!detail.is_object()) continue;
        if (const std::string id = text_at(detail, "requestId"); !id.empty()) failure.request_id = id;
        const auto errors = detail.find("errors");
        if (errors == detail.end() || !errors->is_array()) continue;
        for (const json& entry : *errors) {
            if (entry.is_object()) failure.errors.push_back(read_api_error(entry));
        }
    }
    return failure;
}

struct Rule {
    std::string_view code;
    Verdict verdict;
    ErrorKind kind;
    std::string_view advice;
};

constexpr std::string_view kLoginAdvice =
    "set login_customer_id to the manager account (10 digits) through which this account is reached, or give the "
    "Google user access to the account";
constexpr std::string_view kSignInAdvice =
    "make a new refresh token with the scope https://www.googleapis.com/auth/adwords";

// The codes of the system's error tables that mean something else than what their group does.
constexpr Rule kRules[] = {
    {"RESOURCE_EXHAUSTED", Verdict::throttled, ErrorKind::rate_limited, "the day's operations are used up"},
    {"EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", Verdict::throttled, ErrorKind::rate_limited,
     "queries used up what they may of the day; ask for fewer fields or fewer days"},
    {"RESOURCE_TEMPORARILY_EXHAUSTED", Verdict::throttled, ErrorKind::rate_limited, "calls came too fast"},
    {"EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", Verdict::throttled, ErrorKind::rate_limited,
     "queries were too costly in a short time"},
    {"INTERNAL_ERROR", Verdict::transient, ErrorKind::unavailable, "it is tried again"},
    {"TRANSIENT_ERROR", Verdict::transient, ErrorKind::unavailable, "it is tried again"},
    {"DEADLINE_EXCEEDED", Verdict::too_large, ErrorKind::too_large, "ask for fewer days at once: slice_days"},
    {"RPC_DEADLINE_TOO_SHORT", Verdict::too_large, ErrorKind::too_large, "ask for fewer days at once: slice_days"},
    {"OAUTH_TOKEN_EXPIRED", Verdict::unauthorized, ErrorKind::auth, kSignInAdvice},
    {"OAUTH_TOKEN_INVALID", Verdict::unauthorized, ErrorKind::auth, kSignInAdvice},
    {"OAUTH_TOKEN_REVOKED", Verdict::unauthorized, ErrorKind::auth, kSignInAdvice},
    {"OAUTH_TOKEN_DISABLED", Verdict::unauthorized, ErrorKind::auth, kSignInAdvice},
    {"OAUTH_TOKEN_HEADER_INVALID", Verdict::unauthorized, ErrorKind::auth, kSignInAdvice},
    {"CUSTOMER_NOT_FOUND", Verdict::refused, ErrorKind::invalid_config, "correct customer_ids or login_customer_id"},
    {"INVALID_CUSTOMER_ID", Verdict::refused, ErrorKind::invalid_config, "give the 10 digits of the account"},
    {"NOT_ADS_USER", Verdict::refused, ErrorKind::auth,
     "invite the Google user (or the service account) to the Google Ads account, or sign in as one who has access"},
    {"TWO_STEP_VERIFICATION_NOT_ENROLLED", Verdict::refused, ErrorKind::auth,
     "turn on 2-step verification of the Google user, then make a new refresh token"},
    {"DEVELOPER_TOKEN_INVALID", Verdict::refused, ErrorKind::auth,
     "correct developer_token (API centre of the manager account), or leave it out"},
    {"DEVELOPER_TOKEN_NOT_APPROVED", Verdict::refused, ErrorKind::auth,
     "apply for a higher access level; until then only test accounts can be read"},
    {"DEVELOPER_TOKEN_PROHIBITED", Verdict::refused, ErrorKind::auth,
     "use the OAuth client of the project that the developer token belongs to, or leave developer_token out"},
    {"CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", Verdict::refused, ErrorKind::auth,
     "apply for access of the Cloud project that the OAuth client belongs to; until then only test accounts can be "
     "read"},
    {"USER_PERMISSION_DENIED", Verdict::refused, ErrorKind::auth, kLoginAdvice},
    {"INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION", Verdict::refused, ErrorKind::invalid_config,
     "correct login_customer_id: the account is not below that manager"},
    {"CUSTOMER_NOT_ENABLED", Verdict::refused, ErrorKind::auth,
     "enable the account in Google Ads, or list the others in customer_ids"},
    {"METRIC_ACCESS_DENIED", Verdict::refused, ErrorKind::auth,
     "ask the account's owner for access to these metrics, or leave them out of the stream's fields"},
    {"REQUESTED_METRICS_FOR_MANAGER", Verdict::refused, ErrorKind::invalid_config,
     "a manager account has no numbers: list its client accounts in customer_ids"},
    {"UNSUPPORTED_VERSION", Verdict::refused, ErrorKind::invalid_config, "set api_version to one that is served"},
    {"INVALID_PAGE_TOKEN", Verdict::transient, ErrorKind::unavailable, "it is asked again from the beginning"},
    {"EXPIRED_PAGE_TOKEN", Verdict::transient, ErrorKind::unavailable, "it is asked again from the beginning"},
};

const Rule* rule_of(const Failure& failure) {
    for (const Rule& rule : kRules) {
        if (failure.has(rule.code)) return &rule;
    }
    return nullptr;
}

std::string cut(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    if (text.size() <= kShownBytes) return make_valid_utf8(text);
    return make_valid_utf8(text.substr(0, kShownBytes)) + "...";
}

// "queryError.UNRECOGNIZED_FIELD: Unrecognized field ... (campaign.nam); ...; request abc"
std::string describe(const Failure& failure) {
    std::string text;
    for (const ApiError& error : failure.errors) {
        if (!text.empty()) text += "; ";
        text += error.type + "." + error.code + ": " + cut(error.message);
        if (!error.trigger.empty()) text += " (" + cut(error.trigger) + ")";
    }
    if (text.empty()) text = (failure.status.empty() ? "" : failure.status + ": ") + cut(failure.message);
    if (failure.http_status != 0) text = "HTTP " + std::to_string(failure.http_status) + ", " + text;
    if (!failure.request_id.empty()) text += "; request " + failure.request_id;
    return "Google Ads answered " + text;
}

milliseconds until_quota_day_ends(const RunContext& run) {
    const auto there = run.clock.now() - kQuotaOffset;
    const auto next = std::chrono::floor<std::chrono::days>(there) + std::chrono::days(1);
    return std::chrono::ceil<milliseconds>(next - there);
}

Judgement judge_by_rule(const RunContext& run, const Failure& failure, const Rule& rule, std::string message) {
    Judgement judgement{rule.verdict, std::move(message), rule.kind, failure.retry_delay()};
    judgement.message += "; " + std::string(rule.advice);
    if (rule.verdict != Verdict::throttled) return judgement;
    const bool lasts = rule.code == "RESOURCE_EXHAUSTED" || rule.code.find("LONG_TERM") != std::string_view::npos;
    if (lasts && !judgement.wait) judgement.wait = until_quota_day_ends(run);
    // A limit of one account keeps only its own calls waiting.
    if (!lasts && failure.limits_account()) judgement.verdict = Verdict::transient;
    return judgement;
}

Judgement judge_by_status(const Failure& failure, std::string message) {
    const int status = failure.http_status;
    if (failure.status == "DEADLINE_EXCEEDED" || status == 504)
        return {Verdict::too_large, message + "; ask for fewer days at once: slice_days", ErrorKind::too_large, {}};
    if (failure.status == "UNAVAILABLE" || failure.status == "INTERNAL" || failure.status == "ABORTED" ||
        status >= 500 || status == 408)
        return {Verdict::transient, std::move(message), ErrorKind::unavailable, failure.retry_delay()};
    if (status == 429 || failure.status == "RESOURCE_EXHAUSTED")
        return {Verdict::throttled, std::move(message), ErrorKind::rate_limited, failure.retry_delay()};
    if (status == 401 || failure.status == "UNAUTHENTICATED")
        return {Verdict::unauthorized, message + "; " + std::string(kSignInAdvice), ErrorKind::auth, {}};
    if (status == 403 || failure.status == "PERMISSION_DENIED")
        return {Verdict::refused, message + "; " + std::string(kLoginAdvice), ErrorKind::auth, {}};
    const bool is_query = std::any_of(failure.errors.begin(), failure.errors.end(),
                                      [](const ApiError& error) { return error.type == "queryError"; });
    if (is_query) message += "; correct the stream's query or fields";
    if (status == 404) message += "; check base_url, and that api_version is still served";
    return {Verdict::refused, std::move(message), ErrorKind::invalid_config, {}};
}

}  // namespace

bool Failure::has(std::string_view code) const {
    return std::any_of(errors.begin(), errors.end(), [&](const ApiError& error) { return error.code == code; });
}

bool Failure::limits_account() const {
    return std::any_of(errors.begin(), errors.end(),
                       [](const ApiError& error) { return error.rate_scope == "ACCOUNT"; });
}

std::optional<milliseconds> Failure::retry_delay() const {
    std::optional<milliseconds> longest;
    for (const ApiError& error : errors) {
        if (error.retry_delay && (!longest || *error.retry_delay > *longest)) longest = error.retry_delay;
    }
    return longest;
}

std::optional<Failure> parse_failure(std::string_view body) {
    const json document = json::parse(body, nullptr, false);
    const json* at = &document;
    if (at->is_array() && !at->empty()) at = &at->front();
    if (!at->is_object()) return std::nullopt;
    const auto error = at->find("error");
    if (error == at->end()) return std::nullopt;
    if (error->is_object()) return read_failure(*error);
    if (!error->is_string()) return std::nullopt;
    Failure failure;  // of the token endpoint, RFC 6749, 5.2
    failure.status = error->get<std::string>();
    failure.message = text_at(*at, "error_description");
    return failure;
}

Failure failure_of(const HttpResponse& response) {
    auto failure = parse_failure(response.text());
    if (!failure) {
        failure.emplace();
        failure->message = cut(std::string(response.text().substr(0, kShownBytes)));
    }
    failure->http_status = response.status;
    return *failure;
}

Judgement judge(const RunContext& run, const Failure& failure) {
    std::string message = describe(failure);
    if (const Rule* rule = rule_of(failure)) return judge_by_rule(run, failure, *rule, std::move(message));
    return judge_by_status(failure, std::move(message));
}

bool says_not_enabled(const Error& error) { return error.message().find("CUSTOMER_NOT_ENABLED") != std::string::npos; }

}  // namespace shaduf::google_ads
