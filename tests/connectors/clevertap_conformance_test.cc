#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// A project in which one event happens on each of the last four days, and two profiles.
class CleverTapConformance final : public ConformanceFixture {
public:
    CleverTapConformance() {
        for (const char* call : {"POST /1/events.json", "GET /1/events.json", "POST /1/profiles.json",
                                 "GET /1/profiles.json", "POST /1/counts/events.json", "GET /getSchema"}) {
            world.http.expect(call)
                .answer([this, call](const HttpRequest& request) { return answer(call, request); })
                .repeat();
        }
    }
    std::string connection(const std::string& secret) override {
        return "base_url: https://c.test\nconcurrency: 1\naccount_id: P1\ntime_zone: UTC\npasscode: " + secret;
    }
    std::vector<StreamCase> streams() override {
        return {
            {.stream = "Charged", .options = "{since: 3d, slice_days: 2}", .rows = 4, .repeats = true},
            {.stream = "profiles", .options = "{since: 1d}", .rows = 2, .resumes = false, .repeats = true},
            {.stream = "event_counts", .options = "{event: [Charged, Viewed], since: 1d}", .rows = 4, .repeats = true}};
    }
    bool break_reads() override {
        broken_ = true;
        return true;
    }
    void repair_reads() override { broken_ = false; }

private:
    HttpResponse answer(const std::string& call, const HttpRequest& request) const {
        // What is asked for first, so that a slice that is fetched ahead does not fail as well.
        const bool is_first =
            request.body.find(":20260102}") != std::string::npos && request.body.find("Viewed") == std::string::npos;
        if (broken_ && is_first) return FakeHttp::make_response(503, {}, "busy");
        if (call == "GET /getSchema") return reply(R"("events":[{"name":"Charged"}])");
        if (call == "POST /1/counts/events.json") return reply(R"("count":7)");
        if (call.starts_with("POST")) return reply("\"cursor\":\"" + range(request.body) + "\"");
        if (call == "GET /1/profiles.json") return reply(R"("records":[{"identity":"a"},{"objectId":"b"}])");
        const size_t at = request.url.find("cursor=") + 7;
        std::string records;
        for (int day = std::stoi(request.url.substr(at, 8)); day <= std::stoi(request.url.substr(at + 8, 8)); ++day) {
            // The clock stands at 2026-01-02; the last days of December are as many.
            if (day > 20251231 && day < 20260101) continue;  // no days of a calendar
            records += (records.empty() ? "" : ",") + (R"({"ts":)" + std::to_string(day)) +
                       R"(101500,"profile":{"identity":"a"},"event_props":{}})";
        }
        return reply("\"records\":[" + records + "]");
    }
    static std::string range(const std::string& body) {
        return body.substr(body.find("\"from\":") + 7, 8) + body.substr(body.find("\"to\":") + 5, 8);
    }
    static HttpResponse reply(const std::string& members) {
        return FakeHttp::make_response(200, {}, R"({"status":"success",)" + members + "}");
    }

    bool broken_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_clevertap() { return std::make_unique<CleverTapConformance>(); }

}  // namespace shaduf
