#include "io/url.h"
#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// Two accounts with three campaigns each, and a line item that shows something on each of four days.
class XAdsConformance final : public ConformanceFixture {
public:
    XAdsConformance() {
        for (const char* path : {"/12/accounts", "/12/accounts/a1/funding_instruments",
                                 "/12/accounts/a2/funding_instruments", "/12/accounts/a1/campaigns",
                                 "/12/accounts/a2/campaigns", "/12/stats/accounts/a1", "/12/stats/accounts/a2",
                                 "/12/stats/accounts/a1/active_entities", "/12/stats/accounts/a2/active_entities"}) {
            world.http.expect("GET " + std::string(path))
                .answer([this, path](const HttpRequest& request) { return answer(path, request); })
                .repeat();
        }
    }
    std::string connection(const std::string& secret) override {
        return "base_url: https://x.test\nconcurrency: 1\nconsumer_key: k\nconsumer_secret: " + secret +
               "\naccess_token: t\naccess_token_secret: " + secret;
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "campaigns", .rows = 6, .repeats = true},
                {.stream = "line_item_stats",
                 .options = "{since: 3d, slice_days: 2, placements: [SPOTLIGHT]}",
                 .rows = 8,
                 .repeats = true},
                {.stream = "accounts", .rows = 2, .repeats = true}};
    }
    bool break_reads() override {
        broken_ = true;
        return true;
    }
    void repair_reads() override { broken_ = false; }

private:
    HttpResponse answer(const std::string& path, const HttpRequest& request) const {
        // What is asked for first, so that a slice that is fetched ahead does not fail as well.
        const bool is_first = path == "/12/accounts" || path.starts_with("/12/accounts/a1/campaigns");
        if (broken_ && is_first) return FakeHttp::make_response(503, {}, "busy");
        if (path == "/12/accounts") return page(R"({"id":"a1","timezone":"UTC"},{"id":"a2","timezone":"Asia/Tokyo"})");
        if (path.ends_with("/funding_instruments")) return page(R"({"currency":"USD"})");
        if (path.ends_with("/campaigns"))
            return page(R"({"id":"c3","updated_at":"2025-12-03T00:00:00Z"},{"id":"c2","updated_at":)"
                        R"("2025-12-02T00:00:00Z"},{"id":"c1","updated_at":"2025-12-01T00:00:00Z"})");
        if (path.ends_with("/active_entities")) return page(R"({"entity_id":"l1"})");
        return page(R"({"id":"l1","id_data":[{"segment":null,"metrics":{"impressions":)" + ones(request) + "}}]}");
    }
    static HttpResponse page(const std::string& data) {
        return FakeHttp::make_response(200, {}, R"({"data":[)" + data + R"(],"next_cursor":null})");
    }
    // One a day of the request.
    static std::string ones(const HttpRequest& request) {
        int days[2] = {0, 0};
        for (const auto& [name, value] : parse_query(Url::parse(request.url).value().query)) {
            if (name == "start_time") days[0] = std::stoi(value.substr(8, 2)) + 31 * std::stoi(value.substr(5, 2));
            if (name == "end_time") days[1] = std::stoi(value.substr(8, 2)) + 31 * std::stoi(value.substr(5, 2));
        }
        const int count = (days[1] - days[0] + 12 * 31) % (12 * 31);
        std::string text = "[1";
        for (int i = 1; i < count; ++i) text += ",1";
        return text + "]";
    }

    bool broken_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_x_ads() { return std::make_unique<XAdsConformance>(); }

}  // namespace shaduf
