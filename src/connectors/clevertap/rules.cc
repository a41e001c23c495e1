#include "connectors/clevertap/rules.h"

#include "base/text.h"
#include "data/json_page.h"

namespace shaduf::clevertap {
namespace {

using ads::Judgement;
using ads::Verdict;

constexpr std::chrono::milliseconds kThrottledWait{5'000};  // calls of others end within seconds; nothing says when

bool has_words(const HttpResponse& response, std::string_view words) {
    return to_lower(error_text(response)).find(words) != std::string::npos;
}

std::string said(const HttpResponse& response) {
    std::string text = "HTTP " + std::to_string(response.status);
    const std::string error = error_text(response);
    if (!error.empty()) text += ": " + error;
    const auto code = find_scalar(response.text(), {"code"});
    if (code && !error.empty()) text += " (code " + code->text + ")";
    if (!trim(response.text()).starts_with('{')) text += ", an answer that is no JSON";
    return text;
}

Judgement unauthorized(const std::string& what) {
    return {.verdict = Verdict::refused,
            .message = "CleverTap refused the credentials: " + what +
                       "; check account_id and passcode (Settings, Project, of the dashboard), and region: a project "
                       "of another region looks like this too",
            .kind = ErrorKind::auth};
}

}  // namespace

std::string error_text(const HttpResponse& response) {
    if (!trim(response.text()).starts_with('{')) return "";
    const auto error = find_scalar(response.text(), {"error"});
    return error ? error->text : "";
}

bool is_in_progress(const HttpResponse& response) {
    return response.status == 200 && has_words(response, "still in progress");
}

bool is_not_exported(const HttpResponse& response) {
    return response.status == 400 && has_words(response, "export not allowed");
}

bool has_no_result_yet(const HttpResponse& response) {
    return response.status == 409 || (response.status == 500 && has_words(response, "no result"));
}

Result<void> Rules::authorize(RunContext&, HttpRequest& request) {
    request.headers.emplace_back("X-CleverTap-Account-Id", account_id_);
    request.headers.emplace_back("X-CleverTap-Passcode", passcode_);
    request.headers.emplace_back("Content-Type", "application/json");
    return {};
}

Judgement Rules::judge(const RunContext& run, const HttpRequest&, const HttpResponse& response) const {
    const int status = response.status;
    const bool is_object = trim(response.text()).starts_with('{');
    if (status >= 200 && status < 300) {
        if (!is_object)
            return {.verdict = Verdict::transient, .message = "CleverTap answered with something that is no JSON"};
        const auto state = find_scalar(response.text(), {"status"});
        if (!state || state->text != "fail" || is_in_progress(response)) return {};
    }
    const std::string what = said(response);
    if (is_not_exported(response) || has_no_result_yet(response)) return {};
    if (status == 401) return unauthorized(what);
    if (status == 403)
        return {.verdict = Verdict::refused,
                .message = "CleverTap refused access: " + what +
                           "; have an administrator of the project allow this passcode to use the API",
                .kind = ErrorKind::auth};
    if (status == 429)
        return {.verdict = Verdict::throttled,
                .message = "CleverTap answers three calls of an API at once, no more: " + what,
                .wait = retry_delay(run, response).value_or(kThrottledWait)};
    if (status == 408 || (status >= 500 && status != 501 && status != 505))
        return {.verdict = Verdict::transient,
                .message = "CleverTap could not answer: " + what,
                .wait = retry_delay(run, response)};
    if (has_words(response, "cursor"))
        return {.verdict = Verdict::refused,
                .message = "CleverTap does not know the cursor any more: " + what + "; the export begins anew",
                .kind = ErrorKind::unavailable};
    return {.verdict = Verdict::refused,
            .message = "CleverTap refused the request: " + what + "; check event and since of the stream"};
}

}  // namespace shaduf::clevertap
