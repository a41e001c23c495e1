#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// An API with six records, two a page.
class RestConformance final : public ConformanceFixture {
public:
    RestConformance() {
        world.http.expect("GET /v1/items")
            .answer([this](const HttpRequest& request) { return answer(request); })
            .repeat();
    }
    std::string connection(const std::string& secret) override {
        return "base_url: http://api.test/v1\ncheck_path: /items\nheaders: {X-Team: " + secret +
               "}\nauth: {type: bearer, token: " + secret + "}";
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "by page",
                 .options = "{path: /items, paginate: {type: page}, resume: page, incremental: "
                            "{cursor: id, param: since}}",
                 .rows = 6},
                {.stream = "by link",
                 .mode = ReadMode::full_refresh,
                 .options = "{path: /items, paginate: {type: page}}",
                 .rows = 6,
                 .resumes = false}};
    }
    bool break_reads() override {
        broken_ = true;
        return true;
    }
    void repair_reads() override { broken_ = false; }

private:
    Result<HttpResponse> answer(const HttpRequest& request) const {
        if (broken_) return FakeHttp::make_response(503, {}, "busy");
        const Url url = Url::parse(request.url).release_value();
        int page = 1;
        int since = 0;
        for (size_t at = 0; at < url.query.size();) {
            const size_t end = std::min(url.query.find('&', at), url.query.size());
            const std::string parameter = url.query.substr(at, end - at);
            if (parameter.starts_with("page=")) page = std::stoi(parameter.substr(5));
            if (parameter.starts_with("since=")) since = std::stoi(parameter.substr(6));
            at = end + 1;
        }
        std::string body;
        for (int id = since + 1 + (page - 1) * 2; id <= std::min(6, since + page * 2); ++id) {
            body += (body.empty() ? "{\"id\":" : ",{\"id\":") + std::to_string(id) + "}";
        }
        return FakeHttp::make_response(200, {}, "[" + body + "]");
    }

    bool broken_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_rest() { return std::make_unique<RestConformance>(); }

}  // namespace shaduf
