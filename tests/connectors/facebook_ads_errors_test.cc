#include "connectors/facebook_ads/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/facebook_ads/usage.h"
#include "tests/world.h"

namespace shaduf::facebook {
namespace {

using ads::Verdict;
using testing::HasSubstr;

std::string error_body(int64_t code, int64_t subcode, const std::string& message, const std::string& more = "") {
    return R"({"error":{"message":")" + message + R"(","type":"OAuthException","code":)" + std::to_string(code) +
           R"(,"error_subcode":)" + std::to_string(subcode) + more + R"(,"fbtrace_id":"Trace1"}})";
}

TEST(FacebookErrors, TellsTheClassesApart) {
    const struct {
        int status;
        int64_t code;
        int64_t subcode;
        Verdict verdict;
        ErrorKind kind = ErrorKind::invalid_config;
    } kCases[] = {
        {400, 1, 0, Verdict::transient},
        {500, 2, 0, Verdict::transient},
        {400, 2, 1504043, Verdict::transient},
        {400, 2, 1504044, Verdict::transient},
        {400, 104, 0, Verdict::transient},
        {400, 960, 0, Verdict::transient},
        {400, 2601, 1487533, Verdict::transient},
        {400, -2, 2490547, Verdict::transient},
        {400, 12345, 99, Verdict::transient},
        {503, 12345, 0, Verdict::transient},
        {400, 200, 4841013, Verdict::transient},
        {400, 4, 1504022, Verdict::throttled},
        {403, 17, 2446079, Verdict::throttled},
        {400, 32, 0, Verdict::throttled},
        {400, 341, 0, Verdict::throttled},
        {400, 613, 1996, Verdict::throttled},
        {400, 80000, 2446079, Verdict::throttled},
        {400, 80004, 2446079, Verdict::throttled},
        {400, 80014, 0, Verdict::throttled},
        {400, 100, 1487534, Verdict::too_large},
        {400, 100, 1504018, Verdict::too_large},
        {500, 2, 1504038, Verdict::too_large},
        {400, -3, 1504045, Verdict::too_large},
        {400, 100, 0, Verdict::refused, ErrorKind::invalid_config},
        {400, 2, 1504041, Verdict::refused, ErrorKind::invalid_config},
        {400, 2, 1504042, Verdict::refused, ErrorKind::invalid_config},
        {400, 2635, 0, Verdict::refused, ErrorKind::invalid_config},
        {400, 12345, 0, Verdict::refused, ErrorKind::invalid_config},
        {400, 190, 463, Verdict::unauthorized},
        {401, 102, 0, Verdict::unauthorized},
        {403, 10, 0, Verdict::refused, ErrorKind::auth},
        {403, 200, 0, Verdict::refused, ErrorKind::auth},
        {403, 294, 0, Verdict::refused, ErrorKind::auth},
        {400, 100, 3191001, Verdict::refused, ErrorKind::auth},
        {400, 100, 33, Verdict::refused, ErrorKind::auth},
        {400, 368, 0, Verdict::refused, ErrorKind::auth},
    };
    for (const auto& [status, code, subcode, verdict, kind] : kCases) {
        SCOPED_TRACE(std::to_string(code) + "/" + std::to_string(subcode));
        const auto response = FakeHttp::make_response(status, {}, error_body(code, subcode, "Some words"));
        const ads::Judgement judgement = judge_answer(response);
        EXPECT_EQ(judgement.verdict, verdict);
        if (verdict == Verdict::refused) {
            EXPECT_EQ(judgement.kind, kind);
        }
        EXPECT_THAT(judgement.message, HasSubstr("Some words"));
        EXPECT_THAT(judgement.message, HasSubstr("code " + std::to_string(code)));
        EXPECT_THAT(judgement.message, HasSubstr("trace Trace1"));
    }
}

TEST(FacebookErrors, ReadsWordsWhereCodesMislead) {
    const struct {
        int status;
        std::string body;
        Verdict verdict;
    } kCases[] = {
        {500, error_body(1, 0, "Please reduce the amount of data you're asking for, then retry your request"),
         Verdict::too_large},
        {400,
         error_body(100, 0,
                    "Cannot include x in summary param because they weren't there while creating the report run"),
         Verdict::transient},
        {400, error_body(100, 0, "x", R"(,"is_transient":true)"), Verdict::transient},
        {400, error_body(100, 1487534, "x", R"(,"is_transient":true)"), Verdict::too_large},
        // Status 200 says nothing.
        {200, error_body(17, 0, "User request limit reached"), Verdict::throttled},
        {200, R"({"success":false})", Verdict::transient},
        {200, "Service Unavailable", Verdict::transient},
        {200, "<html>Sorry</html>", Verdict::transient},
        {200, "", Verdict::transient},
        {200, R"({"data":[{"id":"1"})", Verdict::transient},
        {502, "<html>Bad gateway</html>", Verdict::transient},
        {429, "slow down", Verdict::throttled},
        {404, "<html>Not found</html>", Verdict::refused},
        {200, R"({"data":[]})", Verdict::accepted},
        {200, R"({"success":true})", Verdict::accepted},
        {200, R"([null])", Verdict::accepted},
        {200, "true", Verdict::accepted},
        {200, R"({"id":"1","error":null})", Verdict::accepted},
    };
    for (const auto& [status, body, verdict] : kCases) {
        SCOPED_TRACE(body);
        EXPECT_EQ(judge_answer(FakeHttp::make_response(status, {}, body)).verdict, verdict);
    }
}

TEST(FacebookErrors, SaysWhatTheSystemSaidAndWhatToDo) {
    const std::string more = R"(,"error_user_title":"Too bad","error_user_msg":"Try\nless",)"
                             R"("error_data":"{\"blame_field_specs\":[[\"fields\"]]}")";
    const auto judgement =
        judge_answer(FakeHttp::make_response(400, {}, error_body(100, 0, "(#100) nope is not valid", more)));
    EXPECT_EQ(
        judgement.message,
        "Facebook says: (#100) nope is not valid (code 100, type OAuthException, trace Trace1): Too bad: Try less; "
        "at fault: [[\"fields\"]]; see `fields`, `breakdowns` and `filtering` of the stream");
    const auto expired = judge_answer(FakeHttp::make_response(400, {}, error_body(190, 463, "Session has expired")));
    EXPECT_THAT(expired.message, HasSubstr("set access_token of the connection"));
    const auto denied = judge_answer(FakeHttp::make_response(403, {}, error_body(200, 0, "no")));
    EXPECT_THAT(denied.message, HasSubstr("ads_read"));
}

TEST(FacebookErrors, ReadsWhyAReportRunFailed) {
    BufferBuilder bytes;
    bytes.append(
        R"({"async_status":"Job Failed","error_code":-3,"error_subcode":1504045,"error_message":"Too large"})");
    const BufferPtr body = bytes.finish();
    const ApiError error = read_run_error(body->view());
    EXPECT_EQ(error.code, -3);
    EXPECT_EQ(error.subcode, 1504045);
    EXPECT_EQ(judge_error(error, 200).verdict, Verdict::too_large);
}

TEST(FacebookUsage, ReadsEveryHeader) {
    const HttpHeaders headers = {
        {"X-App-Usage", R"({"call_count":28,"total_time":25,"total_cputime":61})"},
        {"X-Ad-Account-Usage",
         R"({"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard"})"},
        {"X-Business-Use-Case-Usage",
         R"({"123":[{"type":"ads_insights","call_count":97,"total_cputime":23,"total_time":23,)"
         R"("estimated_time_to_regain_access":5}],"999":[{"type":"ads_insights","call_count":100}]})"},
        {"X-Fb-Ads-Insights-Throttle", R"({"app_id_util_pct":100,"acc_id_util_pct":10})"}};
    const Usage usage = read_usage(FakeHttp::make_response(200, headers, ""), "123");
    EXPECT_EQ(usage.app, 61);
    EXPECT_EQ(usage.account, 97);
    EXPECT_EQ(usage.reports, 100);
    EXPECT_EQ(usage.account_regain, std::chrono::minutes(5));
    EXPECT_EQ(usage.app_regain, std::chrono::milliseconds(0));
    const Usage other = read_usage(FakeHttp::make_response(200, headers, ""), "1");
    EXPECT_EQ(other.account, 9.67);
    EXPECT_EQ(other.account_regain, std::chrono::milliseconds(0));
    EXPECT_EQ(other.account_reset, std::chrono::seconds(100));
}

TEST(FacebookUsage, TakesNothingFromWhatItDoesNotUnderstand) {
    for (const char* text : {"", "x", "[]", "{", R"({"call_count":"95"})", R"({"call_count":-5})",
                             R"({"call_count":1e300})", R"({"call_count":97}x)", R"({"1":{"call_count":97}})"}) {
        SCOPED_TRACE(text);
        const Usage usage = read_usage(
            FakeHttp::make_response(200, {{"x-app-usage", text}, {"x-business-use-case-usage", text}}, ""), "1");
        EXPECT_EQ(usage.app, std::nullopt);
        EXPECT_EQ(usage.account, std::nullopt);
    }
}

}  // namespace
}  // namespace shaduf::facebook
