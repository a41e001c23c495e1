#include "connectors/facebook_ads/errors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/text.h"
#include "connectors/facebook_ads/page.h"
#include "data/json_cursor.h"

namespace shaduf::facebook {
namespace {

using ads::Judgement;
using ads::Verdict;

constexpr size_t kShownMax = 300;
constexpr int64_t kAny = -1'000'000;  // of a subcode

// What an error code means. The first rule that fits holds.
struct Rule {
    int64_t first;
    int64_t last;
    int64_t subcode;  // kAny: all others
    Verdict verdict;
    ErrorKind kind;
    std::string_view advice;  // "": the system's own words say it all
};

constexpr ErrorKind kNobody = ErrorKind::unavailable;
constexpr std::string_view kRenew =
    "get a new token (a system user's does not expire) and set access_token of the connection";
constexpr std::string_view kPermission =
    "give the app the permission ads_read, and the token's user or system user a role on the ad account (Business "
    "settings, Ad accounts), then get a new token";
constexpr std::string_view kAskLess = "ask for fewer fields or breakdowns, or set slice_days: 1";
constexpr std::string_view kFields = "see `fields`, `breakdowns` and `filtering` of the stream";

constexpr Rule kRules[] = {
    // Too much at once.
    {100, 100, 1487534, Verdict::too_large, kNobody, kAskLess},
    {100, 100, 1504018, Verdict::too_large, kNobody, kAskLess},
    {2, 2, 1504038, Verdict::too_large, kNobody, kAskLess},
    {-3, -3, kAny, Verdict::too_large, kNobody, kAskLess},
    // Questions that have no answer, however often they are asked.
    {2, 2, 1504041, Verdict::refused, ErrorKind::invalid_config,
     "these breakdowns cannot be combined with each other or with these fields: see `breakdowns` and `fields`"},
    {2, 2, 1504042, Verdict::refused, ErrorKind::invalid_config, "see the custom metrics in `fields`"},
    {2635, 2635, kAny, Verdict::refused, ErrorKind::invalid_config,
     "set api_version of the connection to one that is still served"},
    // Permissions.
    {100, 100, 3191001, Verdict::refused, ErrorKind::auth, kPermission},
    {100, 100, 33, Verdict::refused, ErrorKind::auth,
     "the object does not exist, or the token may not see it: see `accounts`, and give the token's user a role on it"},
    {190, 190, 463, Verdict::unauthorized, ErrorKind::auth, kRenew},
    {190, 190, 460, Verdict::unauthorized, ErrorKind::auth, kRenew},
    {190, 190, kAny, Verdict::unauthorized, ErrorKind::auth, kRenew},
    {102, 102, kAny, Verdict::unauthorized, ErrorKind::auth, kRenew},
    // Apps of the lowest tier get this while they are throttled; it goes away by itself.
    {200, 200, 4841013, Verdict::transient, ErrorKind::auth, ""},
    {10, 10, kAny, Verdict::refused, ErrorKind::auth, kPermission},
    {200, 299, kAny, Verdict::refused, ErrorKind::auth, kPermission},
    {368, 368, kAny, Verdict::refused, ErrorKind::auth,
     "Facebook has blocked this user or app for a while: see its account quality page"},
    // Limits.
    {4, 4, kAny, Verdict::throttled, kNobody, ""},
    {17, 17, kAny, Verdict::throttled, kNobody, ""},
    {32, 32, kAny, Verdict::throttled, kNobody, ""},
    {341, 341, kAny, Verdict::throttled, kNobody, ""},
    {613, 613, kAny, Verdict::throttled, kNobody, ""},
    {80000, 80014, kAny, Verdict::throttled, kNobody, ""},
    // Passing.
    {-2, -2, kAny, Verdict::transient, kNobody, ""},
    {-1, -1, kAny, Verdict::transient, kNobody, ""},
    {1, 2, kAny, Verdict::transient, kNobody, ""},
    {104, 104, kAny, Verdict::transient, kNobody, ""},
    {960, 960, kAny, Verdict::transient, kNobody, ""},
    {2601, 2601, 1487533, Verdict::transient, kNobody, ""},  // a report run that is not readable yet
    // The question itself.
    {100, 100, kAny, Verdict::refused, ErrorKind::invalid_config, kFields},
};

// A code says one thing and its text another.
struct Words {
    std::string_view part;
    Verdict verdict;
};
constexpr Words kWords[] = {
    {"reduce the amount of data", Verdict::too_large},
    // Right behind its completion a report run may not know its own columns yet.
    {"in summary param because they weren't there", Verdict::transient},
};

int64_t as_number(std::string_view text) {
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc{} ? value : 0;
}

const Rule* find_rule(const ApiError& error) {
    const auto fits = [&](const Rule& rule) {
        return rule.first <= error.code && error.code <= rule.last &&
               (rule.subcode == kAny || rule.subcode == error.subcode);
    };
    const auto found = std::find_if(std::begin(kRules), std::end(kRules), fits);
    return found == std::end(kRules) ? nullptr : found;
}

Verdict verdict_of(const ApiError& error, int status, const Rule* rule) {
    for (const Words& words : kWords) {
        if (error.message.find(words.part) != std::string::npos) return words.verdict;
    }
    if (rule != nullptr && rule->verdict == Verdict::too_large) return rule->verdict;
    if (rule != nullptr && rule->verdict == Verdict::throttled) return rule->verdict;
    if (error.is_transient || error.subcode == 99) return Verdict::transient;
    if (rule != nullptr) return rule->verdict;
    return status >= 500 ? Verdict::transient : Verdict::refused;
}

std::string shown(std::string_view text) {
    std::string line(trim(text.substr(0, kShownMax)));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return make_valid_utf8(line) + (text.size() > kShownMax ? "..." : "");
}

// "Facebook says: (#100) Invalid parameter (code 100, subcode 33, type OAuthException, trace Ab1): title: text".
std::string words_of(const ApiError& error) {
    std::string text = "Facebook says: " + shown(error.message.empty() ? "nothing" : error.message) + " (code " +
                       std::to_string(error.code);
    if (error.subcode != 0) text += ", subcode " + std::to_string(error.subcode);
    if (!error.type.empty()) text += ", type " + shown(error.type);
    if (!error.trace.empty()) text += ", trace " + shown(error.trace);
    text += ")";
    if (!error.user_title.empty()) text += ": " + shown(error.user_title);
    if (!error.user_message.empty()) text += ": " + shown(error.user_message);
    if (!error.blamed.empty()) text += "; at fault: " + shown(error.blamed);
    return text;
}

// What `blame_field_specs` lists; error_data is an object, or the JSON text of one.
std::string read_blamed(std::string_view raw_error) {
    std::string data = find_text(raw_error, "error_data");
    if (data.empty()) return "";
    BufferBuilder bytes;
    bytes.append(data);
    const BufferPtr padded = bytes.finish();
    return std::string(find_member(padded->view(), "blame_field_specs").value_or(""));
}

Judgement judge_page_that_is_no_json(const HttpResponse& response) {
    const std::string begin = shown(response.text().substr(0, std::min<size_t>(response.text().size(), 120)));
    const std::string what = "answer is no JSON, status " + std::to_string(response.status) + ": begins with " + begin;
    if (response.status == 429) return {Verdict::throttled, what};
    if (response.status < 400 || response.status >= 500 || response.status == 408) return {Verdict::transient, what};
    const bool is_auth = response.status == 401 || response.status == 403;
    return {Verdict::refused, what + "; see base_url and api_version of the connection",
            is_auth ? ErrorKind::auth : ErrorKind::invalid_config};
}

}  // namespace

std::optional<ApiError> read_error(std::string_view body) {
    const auto raw = find_member(body, "error");
    if (!raw || *raw == "null") return std::nullopt;
    ApiError error;
    if (!raw->starts_with('{')) {
        error.message = find_text(body, "error");
        const std::string more = find_text(body, "error_description");
        if (!more.empty()) error.message += ": " + more;
        return error;
    }
    error.code = as_number(find_text(*raw, "code"));
    error.subcode = as_number(find_text(*raw, "error_subcode"));
    error.message = find_text(*raw, "message");
    error.type = find_text(*raw, "type");
    error.is_transient = find_text(*raw, "is_transient") == "true";
    error.user_title = find_text(*raw, "error_user_title");
    error.user_message = find_text(*raw, "error_user_msg");
    error.trace = find_text(*raw, "fbtrace_id");
    error.blamed = read_blamed(*raw);
    return error;
}

ApiError read_run_error(std::string_view body) {
    ApiError error;
    error.code = as_number(find_text(body, "error_code"));
    error.subcode = as_number(find_text(body, "error_subcode"));
    error.message = find_text(body, "error_message");
    error.user_title = find_text(body, "error_user_title");
    error.user_message = find_text(body, "error_user_msg");
    return error;
}

bool throttles_all_accounts(int64_t code) { return code == 4 || code == 17 || code == 32; }

Judgement judge_error(const ApiError& error, int status) {
    const Rule* rule = find_rule(error);
    Judgement judgement;
    judgement.verdict = verdict_of(error, status, rule);
    judgement.message = words_of(error);
    if (rule == nullptr) return judgement;
    judgement.kind = rule->kind == kNobody ? ErrorKind::invalid_config : rule->kind;
    if (rule->verdict == judgement.verdict && !rule->advice.empty())
        judgement.message += "; " + std::string(rule->advice);
    return judgement;
}

Judgement judge_answer(const HttpResponse& response) {
    const std::string_view body = trim(response.text());
    const bool is_success = response.status >= 200 && response.status < 300;
    // The usual page; read_paging finds an error that stands beside a list.
    if (is_success && body.starts_with("{\"data\":[") && (body.ends_with("]}") || body.ends_with("}}"))) return {};
    if (body.find("Service Unavailable") != body.npos && body.size() < 4096)
        return {Verdict::transient, "Facebook says: " + shown(body)};
    const bool is_cut = body.starts_with("{\"data\":[") && !body.ends_with("]}") && !body.ends_with("}}");
    const bool is_json = (body.starts_with('{') && body.ends_with('}') && !is_cut) ||
                         (body.starts_with('[') && body.ends_with(']')) || (is_success && body == "true");
    if (!is_json) return judge_page_that_is_no_json(response);
    if (const auto error = read_error(body)) return judge_error(*error, response.status);
    if (find_text(body, "success") == "false")
        return {Verdict::transient, "Facebook says that the call had no success, and not why: " + shown(body)};
    if (is_success) return {};
    return judge_page_that_is_no_json(response);
}

}  // namespace shaduf::facebook
