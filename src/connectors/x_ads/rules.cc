#include "connectors/x_ads/rules.h"

#include <charconv>
#include <random>

#include "base/clock.h"
#include "base/run_events.h"
#include "base/text.h"
#include "data/json_page.h"
#include "io/crypto.h"

namespace shaduf::x_ads {
namespace {

using ads::Judgement;
using ads::Verdict;
using std::chrono::milliseconds;

constexpr int64_t kSkewMaxSeconds = 60;
constexpr milliseconds kJobsFullWait{30'000};

std::string make_nonce() {
    std::random_device device;
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
        const uint32_t word = device();
        bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    return to_hex(bytes);
}

std::string member(std::string_view json, const char* name) {
    const auto value = find_scalar(json, {"errors", "0", name});
    return value ? value->text : "";
}

// The first error of an answer: its code, and all of it as one line.
struct Said {
    std::string code;
    std::string text;
};
Said read_error(const HttpResponse& response) {
    Said said;
    const std::string status = "HTTP " + std::to_string(response.status);
    const std::string_view body = trim(response.text());
    if (body.starts_with('{')) said.code = member(response.text(), "code");
    if (said.code.empty()) {
        said.text = status + (body.starts_with('{') ? "" : ", an answer that is no JSON");
        return said;
    }
    said.text = status + " " + said.code;
    if (const std::string message = member(response.text(), "message"); !message.empty()) said.text += ": " + message;
    if (const std::string parameter = member(response.text(), "parameter"); !parameter.empty())
        said.text += " (parameter " + parameter + ")";
    return said;
}

std::optional<int64_t> header_number(const HttpResponse& response, std::string_view name) {
    const std::string_view text = trim(response.header(name));
    int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<milliseconds> wait_of(const RunContext& run, const HttpResponse& response) {
    if (const auto limits = read_limits(response)) {
        const auto left = std::chrono::ceil<milliseconds>(limits->reset - run.clock.now());
        return std::max(left, milliseconds(1000));
    }
    return retry_delay(run, response);
}

Judgement forbidden(const Said& said) {
    Judgement judgement{.verdict = Verdict::refused, .kind = ErrorKind::auth};
    if (said.code == "UNAUTHORIZED_CLIENT_APPLICATION") {
        judgement.message = "X refused the app: " + said.text +
                            "; apply for Ads API access for the app of consumer_key at developer.x.com, then make its "
                            "access token anew";
    } else if (said.code == "ACCOUNT_NOT_FOUND" || said.code == "NOT_FOUND") {
        judgement.message = "X does not show this account: " + said.text +
                            "; have an administrator of the account add the user of access_token at ads.x.com, Edit "
                            "access to account, or take the account out of account_ids";
    } else {
        judgement.message = "X refused access: " + said.text +
                            "; see that the user of access_token has a role in the account at ads.x.com";
    }
    return judgement;
}

bool is_transient(int status) {
    return status == 408 || status == 423 || status == 425 || (status >= 500 && status != 501 && status != 505);
}

}  // namespace

std::optional<Limits> read_limits(const HttpResponse& response) {
    for (const bool of_account : {true, false}) {
        const std::string prefix = of_account ? "x-account-rate-limit-" : "x-rate-limit-";
        const auto remaining = header_number(response, prefix + "remaining");
        const auto reset = header_number(response, prefix + "reset");
        if (remaining && reset) return Limits{of_account, *remaining, Timestamp(std::chrono::seconds(*reset))};
    }
    return std::nullopt;
}

Result<void> Rules::authorize(RunContext& run, HttpRequest& request) {
    const Timestamp now = run.clock.now() + std::chrono::seconds(clock_offset_s_.load());
    return sign_oauth1(request, credentials_, now, make_nonce());
}

bool Rules::renew(const HttpRequest&) {
    return clock_offset_s_.exchange(seen_offset_s_.load()) != seen_offset_s_.load();
}

Judgement Rules::judge_unauthorized(const RunContext& run, const HttpResponse& response,
                                    const std::string& said) const {
    const std::string refused = "X refused the credentials: " + said;
    if (const auto date = answer_date(response)) {
        const auto offset = std::chrono::floor<std::chrono::seconds>(*date - run.clock.now()).count();
        const int64_t skew = offset - clock_offset_s_.load();
        if (std::abs(skew) > kSkewMaxSeconds) {
            seen_offset_s_ = offset;
            const std::string text = "the clock of this machine differs from X's by " +
                                     std::to_string(std::abs(offset)) +
                                     " s, which signatures do not survive; requests are signed by X's time now: set "
                                     "the clock right";
            run.events.message(Severity::warning, "x_ads", text);
            return {.verdict = Verdict::unauthorized, .message = refused + "; " + text, .kind = ErrorKind::auth};
        }
    }
    return {.verdict = Verdict::refused,
            .message = refused +
                       "; check consumer_key, consumer_secret, access_token and access_token_secret: all "
                       "four stand under Keys and tokens of the app at developer.x.com, and must be of one "
                       "app",
            .kind = ErrorKind::auth};
}

Judgement Rules::judge(const RunContext& run, const HttpRequest&, const HttpResponse& response) const {
    const int status = response.status;
    if (status >= 200 && status < 300) {
        const std::string_view body = trim(response.text());
        if (!body.starts_with('{'))
            return {.verdict = Verdict::transient, .message = "X answered with something that is no JSON"};
        if (body.find("\"data\"") != std::string_view::npos || member(response.text(), "code").empty()) return {};
    }
    const Said said = read_error(response);
    if (status == 401) return judge_unauthorized(run, response, said.text);
    if (status == 403) return forbidden(said);
    if (said.code.find("TOO_MANY_JOBS") != std::string::npos)
        return {.verdict = Verdict::transient,
                .message = "X works on as many jobs of this account as it may: " + said.text,
                .wait = kJobsFullWait};
    if (status == 429)
        return {.verdict = Verdict::throttled,
                .message = "X allows no more calls for now: " + said.text,
                .wait = wait_of(run, response)};
    if (said.code == "REQUEST_TOO_COMPLEX")
        return {.verdict = Verdict::too_large, .message = "X finds the report too large: " + said.text};
    if (is_transient(status))
        return {.verdict = Verdict::transient,
                .message = "X could not answer: " + said.text,
                .wait = retry_delay(run, response)};
    std::string advice = "; check the options of the stream";
    if (status == 404) advice = "; check account_ids and api_version";
    return {.verdict = Verdict::refused, .message = "X refused the request: " + said.text + advice};
}

}  // namespace shaduf::x_ads
