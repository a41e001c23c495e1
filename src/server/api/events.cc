#include "base/text.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/live_events.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr size_t kTopicsMax = 64;
constexpr size_t kTopicBytesMax = 512;

constexpr QueryParamSpec kQuery[] = {
    {"topics", &kText, "runs, run:ID, log:RUN/TASK/ATTEMPT, flows, project, alerts; with commas between.",
     "runs,flows,project"},
    {"last_id", &kText, "As the header Last-Event-ID, for the first connection: `seq` of a snapshot."},
};

bool is_topic(std::string_view topic) {
    if (topic.size() > kTopicBytesMax) return false;
    if (topic == "runs" || topic == "flows" || topic == "project" || topic == "alerts") return true;
    return (topic.starts_with("run:") && topic.size() > 4) || (topic.starts_with("log:") && topic.size() > 4);
}

Result<ApiAnswer> follow(ApiCall& call) {
    std::set<std::string, std::less<>> topics;
    const std::string asked = call.query("topics");
    for (const std::string_view topic : split(std::string_view(asked), ',')) {
        if (!is_topic(topic)) {
            return Error(ErrorKind::invalid_config,
                         "query parameter topics: no such topic: " + std::string(topic) +
                             "; known: runs, run:ID, log:RUN/TASK/ATTEMPT, flows, project, alerts");
        }
        topics.emplace(topic);
    }
    if (topics.size() > kTopicsMax) {
        return Error(ErrorKind::too_large, "more than " + std::to_string(kTopicsMax) + " topics of one stream");
    }
    std::string last_id(call.request.header("Last-Event-ID"));
    if (last_id.empty()) last_id = call.query("last_id");
    std::shared_ptr<LiveEvents::Stream> stream = call.serve.live.open(std::move(topics), last_id);
    if (stream == nullptr) {
        return Error(ErrorKind::unavailable, "too many streams of events are open; try again later")
            .retry_after(std::chrono::seconds(5));
    }
    auto response = std::make_shared<HttpServerResponse>();
    response->headers = {{"Content-Type", "text/event-stream"},
                         {"Cache-Control", "no-store"},
                         {"X-Accel-Buffering", "no"}};  // proxies keep nothing back
    response->next_chunk = [stream = std::move(stream)](std::string& out) {
        auto text = stream->next();
        if (!text) return false;
        out = std::move(*text);
        return true;
    };
    return ApiAnswer{.raw = std::move(response)};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/events",
     .id = "followEvents",
     .summary =
         "What happens, as it happens (server-sent events): run, task, step, log, flow, project, alerts, resync.",
     .query = kQuery,
     .handle = follow},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_events;
const server::ApiSpec api_events{.name = "events", .summary = "What happens, live.", .endpoints = server::kEndpoints};

}  // namespace shaduf
