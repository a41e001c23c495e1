#include <atomic>

#include "base/retry.h"
#include "base/time.h"
#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// Two accounts with some creatives and a report row a day each. The streams are read whole, since other loads begin
// again with what may have changed.
class FacebookConformance final : public ConformanceFixture {
public:
    FacebookConformance() {
        expect("GET /v26.0/debug_token", R"({"data":{"is_valid":true,"expires_at":0}})");
        for (const std::string id : {"1", "2"}) {
            const std::string node = "/v26.0/act_" + id;
            expect("GET " + node, R"({"id":"act_)" + id + R"(","account_id":")" + id +
                                      R"(","currency":"EUR","timezone_name":"Europe/Berlin"})");
            expect("GET " + node + "/campaigns", R"({"data":[{"id":"c)" + id + R"("}]})");
            expect("GET " + node + "/adcreatives", R"({"data":[{"id":"x)" + id + R"("},{"id":"y)" + id + R"("}]})");
            world.http.expect("GET " + node + "/insights")
                .answer([this](const HttpRequest& request) { return report(request); })
                .repeat();
        }
    }
    std::string connection(const std::string& secret) override {
        return "{access_token: " + secret + ", app_id: '7', app_secret: " + secret +
               ", accounts: ['1', '2'], concurrency: 1}";
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "creatives", .mode = ReadMode::full_refresh, .rows = 4},
                {.stream = "account_insights",
                 .mode = ReadMode::full_refresh,
                 .options = "{since: 9d, slice_days: 4}",
                 .rows = 20}};
    }
    // As many answers as one call asks for, so that of the slices that are fetched ahead one fails.
    bool break_reads() override {
        broken_ = RetryPolicy().tries_max;
        return true;
    }
    void repair_reads() override { broken_ = 0; }

private:
    void expect(const std::string& pattern, const std::string& body) {
        world.http.expect(pattern)
            .answer([this, body](const HttpRequest&) {
                const bool is_busy = breaks();
                return FakeHttp::make_response(is_busy ? 503 : 200, {}, is_busy ? "busy" : body);
            })
            .repeat();
    }
    Result<HttpResponse> report(const HttpRequest& request) {
        if (breaks()) return FakeHttp::make_response(503, {}, "busy");
        const std::string url = percent_decode(request.url);
        const auto date = [&](std::string_view name) { return url.substr(url.find(name) + name.size(), 10); };
        const std::string last = date("\"until\":\"");
        std::string rows;
        for (int32_t day = *parse_date(date("\"since\":\"")); day <= *parse_date(last); ++day) {
            rows += (rows.empty() ? "" : ",") + (R"({"date_start":")" + format_date(day)) + R"(","spend":"1.5"})";
        }
        return FakeHttp::make_response(200, {}, R"({"data":[)" + rows + "]}");
    }

    bool breaks() {
        int left = broken_;
        while (left > 0 && !broken_.compare_exchange_weak(left, left - 1)) continue;
        return left > 0;
    }

    std::atomic<int> broken_{0};
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_facebook_ads() { return std::make_unique<FacebookConformance>(); }

}  // namespace shaduf
