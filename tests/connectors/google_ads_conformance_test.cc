#include "base/time.h"
#include "tests/connectors/conformance.h"
#include "tests/connectors/google_ads_world.h"

namespace shaduf {
namespace {

// Two accounts; each has a row a day, and two campaigns.
class GoogleAdsConformance final : public ConformanceFixture {
public:
    GoogleAdsConformance() {
        google_.on_query = [this](const std::string& customer, const std::string& query) {
            return answer(customer, query);
        };
    }
    std::string connection(const std::string& secret) override {
        return "client_id: 1-a.apps\nclient_secret: " + secret + "\nrefresh_token: " + secret +
               "\ndeveloper_token: " + secret +
               "\nbase_url: http://api.test\ntoken_url: http://api.test/token\nconcurrency: 1";
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "report",
                 .mode = ReadMode::full_refresh,
                 .options = "{query: 'SELECT campaign.id, segments.date, metrics.clicks FROM campaign', since: "
                            "2025-12-30, lookback: 30d, slice_days: 30}",
                 .rows = 8},
                {.stream = "list",
                 .mode = ReadMode::full_refresh,
                 .options = "{query: 'SELECT campaign.id, campaign.name FROM campaign'}",
                 .rows = 4}};
    }
    bool break_reads() override {
        broken_ = true;
        google_.token = FakeHttp::make_response(503, {}, "busy");
        return true;
    }
    void repair_reads() override {
        broken_ = false;
        google_.token = GoogleFake::ok(R"({"access_token":"t1","expires_in":3599})");
    }

private:
    Result<HttpResponse> answer(const std::string& customer, const std::string& query) const {
        // One slice of a stream: of several that fail at once, each would fail a read of its own.
        if (broken_ && customer == "1000000002") return GoogleFake::error(503, "internalError", "TRANSIENT_ERROR");
        std::vector<std::string> rows;
        const auto between = query.find("BETWEEN '");
        const std::string name = R"({"campaign":{"resourceName":"customers/)" + customer + "/campaigns/";
        if (between == std::string::npos) {
            for (const char* id : {"1", "2"}) rows.push_back(name + id + R"(","id":")" + id + R"(","name":"n"}})");
        } else {
            const int first = *parse_date(query.substr(between + 9, 10));
            const int last = *parse_date(query.substr(between + 26, 10));
            for (int day = first; day <= last; ++day)
                rows.push_back(name + R"(1","id":"1"},"segments":{"date":")" + format_date(day) + R"("}})");
        }
        return GoogleFake::ok(GoogleFake::stream_of(rows));
    }

    GoogleFake google_{world.http};
    bool broken_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_google_ads() { return std::make_unique<GoogleAdsConformance>(); }

}  // namespace shaduf
