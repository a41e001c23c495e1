#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/run_context.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf {

// A scripted transport. `expect("GET /users?page=2")` matches that path and query of any host; without a query it
// matches any; with a whole URL ("GET http://other/x") only that. Answers are given in the order of the script, then
// the expectation is used up, unless its last answer is made to repeat. A request that nothing expects is an error of
// kind internal. Thread-safe once scripted.
class FakeHttp final : public HttpTransport {
public:
    using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;

    class Expectation {
    public:
        Expectation& reply(int status, HttpHeaders headers, std::string body) {
            return answer([status, headers = std::move(headers), body = std::move(body)](const HttpRequest&) {
                return make_response(status, headers, body);
            });
        }
        Expectation& reply(int status, std::string body) { return reply(status, {}, std::move(body)); }
        Expectation& reply(std::string body) { return reply(200, {}, std::move(body)); }
        Expectation& fail(Error error) {
            return answer([error = std::move(error)](const HttpRequest&) -> Result<HttpResponse> { return error; });
        }
        Expectation& answer(Answer answer) {
            answers_.push_back(std::move(answer));
            return *this;
        }
        // The last answer is given for ever.
        Expectation& repeat() {
            repeats_ = true;
            return *this;
        }

    private:
        friend class FakeHttp;
        bool matches(const HttpRequest& request) const {
            if (answers_.empty()) return false;
            const auto space = pattern_.find(' ');
            if (request.method != pattern_.substr(0, space)) return false;
            const std::string target = pattern_.substr(space + 1);
            if (target.find("://") != std::string::npos) return request.url == target;
            auto url = Url::parse(request.url);
            if (!url.ok()) return false;
            const Url& parts = url.value();
            if (target.find('?') == std::string::npos) return parts.path == target;
            return parts.path + "?" + parts.query == target;
        }
        Answer next() {
            Answer answer = answers_.front();
            if (answers_.size() > 1 || !repeats_) answers_.pop_front();
            return answer;
        }

        std::string pattern_;
        std::deque<Answer> answers_;
        bool repeats_ = false;
    };

    // The reference stays valid. Of several that match, the first that is not used up answers.
    Expectation& expect(std::string pattern) {
        expectations_.emplace_back();
        expectations_.back().pattern_ = std::move(pattern);
        return expectations_.back();
    }

    Result<HttpResponse> send(RunContext& run, const HttpRequest& request) override {
        TRY(run.cancellation.check());
        Answer answer;
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
            for (Expectation& expectation : expectations_) {
                if (!expectation.matches(request)) continue;
                answer = expectation.next();
                break;
            }
        }
        if (!answer) return Error(ErrorKind::internal, "unexpected request: " + request.method + " " + request.url);
        return answer(request);
    }

    std::vector<HttpRequest> requests() const {
        std::lock_guard lock(mutex_);
        return requests_;
    }
    // "GET /path?query", one a request.
    std::vector<std::string> targets() const {
        std::vector<std::string> targets;
        for (const HttpRequest& request : requests()) {
            const auto scheme = request.url.find("://");
            const auto slash = request.url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
            targets.push_back(request.method + " " + (slash == std::string::npos ? "/" : request.url.substr(slash)));
        }
        return targets;
    }
    // Patterns with answers that were not asked for.
    std::vector<std::string> unused() const {
        std::lock_guard lock(mutex_);
        std::vector<std::string> patterns;
        for (const Expectation& expectation : expectations_) {
            if (!expectation.answers_.empty() && !expectation.repeats_) patterns.push_back(expectation.pattern_);
        }
        return patterns;
    }

    static std::string_view header(const HttpRequest& request, std::string_view name) {
        for (const auto& [key, value] : request.headers) {
            if (key == name) return value;
        }
        return {};
    }
    static HttpResponse make_response(int status, const HttpHeaders& headers, std::string_view body) {
        HttpResponse response;
        response.status = status;
        response.headers = headers;
        BufferBuilder bytes;
        bytes.append(body);
        response.body = bytes.finish();
        return response;
    }

private:
    mutable std::mutex mutex_;
    std::deque<Expectation> expectations_;
    std::vector<HttpRequest> requests_;
};

}  // namespace shaduf
