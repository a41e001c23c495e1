#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/json_values.h"
#include "flow/task_type.h"
#include "io/http.h"
#include "jinja/template.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
constexpr FieldSpec kFields[] = {
    {.name = "url", .help = "The address.", .required = true},
    {.name = "method", .help = "The method.", .default_value = "GET", .choices = kMethods},
    {.name = "headers", .type = FieldType::text_map, .help = "Headers of the request."},
    {.name = "body", .type = FieldType::json, .help = "What is sent: a text, or a map or list, which is sent as JSON."},
    {.name = "expect",
     .type = FieldType::text_list,
     .help = "Statuses that are a success; all below 400 unless given."},
    {.name = "values",
     .type = FieldType::text_map,
     .help = "Values for later tasks: a name, and a JSON pointer into the answer.",
     .example = "{version: /data/version}"},
    {.name = "timeout", .type = FieldType::duration, .help = "Without a byte arriving.", .default_value = "60s"},
};
constexpr uint64_t kResponseBytesMax = 16ULL << 20;
constexpr size_t kShownBytes = 2'000;

TaskOutcome failed(const Error& error) {
    TaskOutcome outcome;
    outcome.how = error.kind() == ErrorKind::canceled ? How::stopped : How::failed;
    outcome.error = error;
    return outcome;
}

HttpRequest request_of(const Options& options) {
    HttpRequest request;
    request.method = options.text("method");
    request.url = options.text("url");
    request.headers = options.text_map("headers");
    request.idle_timeout = options.duration("timeout");
    request.response_bytes_max = kResponseBytesMax;
    const Node& body = options.node("body");
    if (body.is_null()) return request;
    request.body = body.is_scalar() ? body.text() : body.to_json();
    const bool has_type = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
        return equals_ignoring_case(header.first, "Content-Type");
    });
    if (!has_type) request.headers.emplace_back("Content-Type", body.is_scalar() ? "text/plain" : "application/json");
    return request;
}

bool is_expected(const Options& options, int status) {
    const auto expected = options.text_list("expect");
    if (expected.empty()) return status < 400;
    return std::find(expected.begin(), expected.end(), std::to_string(status)) != expected.end();
}

Result<std::string> values_of(const Options& options, const HttpResponse& response) {
    JsonWriter values;
    values.begin_object().field("status", int64_t{response.status});
    const auto wanted = options.text_map("values");
    if (!wanted.empty()) {
        const auto body = parse_json_value(response.text());
        if (!body.ok()) {
            return Error(ErrorKind::bad_data, "the answer is no JSON: " + options.text("url") + ": " +
                                                  std::string(response.text().substr(0, 200)));
        }
        for (const auto& [name, pointer] : wanted)
            values.key(name).raw(json_text_of(TRY(value_at(body.value(), pointer))));
    }
    return values.end_object().str();
}

TaskOutcome run(const Options& options, TaskTry& task) {
    const HttpRequest request = request_of(options);
    task.log.write(Severity::info, "", request.method + " " + request.url);
    const auto response = task.run.http.send(task.run, request);
    if (!response.ok()) return failed(response.error());
    const int status = response.value().status;
    task.log.write(Severity::info, "", "status " + std::to_string(status));
    if (const auto body = response.value().text(); !body.empty()) {
        task.log.write(Severity::info, "answer", body.substr(0, kShownBytes));
    }
    if (!is_expected(options, status)) {
        if (status >= 400) return failed(http_error(task.run, request, response.value()));
        return failed(Error(ErrorKind::unavailable, "status was not expected: " + std::to_string(status) + " of " +
                                                        request.method + " " + request.url));
    }
    auto values = values_of(options, response.value());
    if (!values.ok()) return failed(values.error());
    TaskOutcome outcome;
    outcome.values = values.release_value();
    return outcome;
}

std::vector<Error> check(const Options& options, const Project&) {
    const std::string url = options.text("url");
    if (jinja::has_tags(url) || url.starts_with("http://") || url.starts_with("https://")) return {};
    return {options.error("url", "url: expected http:// or https://, found " + url)};
}

}  // namespace

extern const TaskTypeSpec task_http;
const TaskTypeSpec task_http{.name = "http",
                             .summary = "Sends a request; parts of the answer are its values.",
                             .fields = kFields,
                             .check = check,
                             .run = run};

}  // namespace shaduf
