#include "connectors/clevertap/api.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "connectors/clevertap/rules.h"
#include "data/json_member.h"
#include "data/json_page.h"
#include "io/url.h"

namespace shaduf::clevertap {
namespace {

constexpr int64_t kCallsAtOnce = 3;
constexpr std::chrono::seconds kPollFirst{2};
constexpr std::chrono::seconds kPollMax{30};
constexpr std::chrono::hours kReadyTimeMax{1};

std::string text_of(std::string_view json, const char* name) {
    const auto value = find_scalar(json, {name});
    return value ? value->text : "";
}

Error no_cursor(const std::string& api) {
    return Error(ErrorKind::bad_data, api + " export has neither a cursor nor an error; run again, or ask CleverTap");
}

}  // namespace

std::string compact_day(ads::Day day) {
    std::string text = ads::format_day(day);
    std::erase(text, '-');
    return text;
}

Api::Api(ConnectionSettings settings)
    : settings_(std::move(settings)),
      client_(std::make_shared<Rules>(settings_.project.id, settings_.passcode), RetryPolicy{}) {}

Result<HttpResponse> Api::send(RunContext& run, const char* method, const std::string& api, const std::string& target,
                               const std::string& body) const {
    HttpRequest request = settings_.timeouts;
    request.method = method;
    request.url = settings_.base_url + target;
    request.body = body;
    request.secret_params = {"cursor"};
    const std::array<ads::RateKey, 1> keys{
        {{"clevertap:" + settings_.project.id + ":" + api, {.in_flight_max = kCallsAtOnce}}}};
    return client_.send(run, request, keys);
}

Result<HttpResponse> Api::send_until_ready(RunContext& run, const char* method, const std::string& api,
                                           const std::string& target, const std::string& body) const {
    const Timestamp begun = run.clock.now();
    for (std::chrono::seconds pause = kPollFirst;; pause = std::min(kPollMax, pause * 2)) {
        HttpResponse response = TRY(send(run, method, api, target, body));
        if (!is_in_progress(response)) return response;
        if (run.clock.now() - begun > kReadyTimeMax)
            return Error(ErrorKind::unavailable, api + " export is not ready after an hour: " + error_text(response) +
                                                     "; run again, with a smaller slice_days")
                .permanent();
        if (!run.clock.sleep(pause, run.cancellation)) return Error(ErrorKind::canceled, "the run was stopped");
    }
}

Result<Api::Outcome> Api::export_records(RunContext& run, const std::string& api, const std::string& query,
                                         const std::string& params, const OnPage& on_page) const {
    const std::string path = "/1/" + api + ".json?";
    const HttpResponse first = TRY(send_until_ready(run, "POST", api, path + "batch_size=5000" + params, query));
    if (is_not_exported(first)) return Outcome::not_exported;
    // The cursor comes encoded for a URL, once.
    std::string cursor = percent_decode(text_of(first.text(), "cursor"));
    if (cursor.empty()) return no_cursor(api);
    std::set<std::string> seen;
    while (!cursor.empty()) {
        if (!seen.insert(cursor).second)
            return Error(ErrorKind::bad_data, api +
                                                  " export does not end: the same cursor came twice; run again, with "
                                                  "a smaller slice_days");
        const HttpResponse page = TRY(send_until_ready(run, "GET", api, path + "cursor=" + percent_encode(cursor), ""));
        if (is_not_exported(page)) return Outcome::not_exported;
        TRY(on_page(page.body));
        cursor = percent_decode(text_of(page.text(), "next_cursor"));
    }
    return Outcome::exported;
}

Result<std::optional<BufferPtr>> Api::count_events(RunContext& run, const std::string& query) const {
    const std::string path = "/1/counts/events.json";
    HttpResponse response = TRY(send_until_ready(run, "POST", "counts", path, query));
    const Timestamp begun = run.clock.now();
    std::chrono::seconds pause = kPollFirst;
    while (!is_not_exported(response) && text_of(response.text(), "status") == "partial") {
        const std::string id = text_of(response.text(), "req_id");
        if (id.empty()) return Error(ErrorKind::bad_data, "count is partial and has no req_id; run again");
        if (run.clock.now() - begun > kReadyTimeMax)
            return Error(ErrorKind::unavailable, "count is not ready after an hour; run again").permanent();
        if (!run.clock.sleep(pause, run.cancellation)) return Error(ErrorKind::canceled, "the run was stopped");
        pause = std::min(kPollMax, pause * 2);
        response = TRY(send_until_ready(run, "GET", "counts", path + "?req_id=" + percent_encode(id), ""));
    }
    if (is_not_exported(response)) return std::optional<BufferPtr>();
    return std::optional(response.body);
}

Result<BufferPtr> Api::post(RunContext& run, const std::string& api, const std::string& path,
                            const std::string& body) const {
    const HttpResponse response = TRY(send_until_ready(run, "POST", api, path, body));
    return response.body;
}

Result<std::string> Api::campaign_result(RunContext& run, const std::string& id) const {
    const HttpResponse response =
        TRY(send_until_ready(run, "POST", "targets", "/1/targets/result.json", "{\"id\":" + id + "}"));
    if (has_no_result_yet(response)) return "";
    return raw_member(response.text(), "result").value_or("");
}

Result<BufferPtr> Api::event_schema(RunContext& run) const {
    const HttpResponse response = TRY(send(run, "GET", "schema", "/getSchema?type=events", ""));
    return response.body;
}

}  // namespace shaduf::clevertap
