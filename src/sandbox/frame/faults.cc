#include "sandbox/frame/faults.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "io/compression.h"

namespace shaduf::sandbox {
namespace {

constexpr std::string_view kRetryForms[] = {"seconds", "date"};
constexpr FieldSpec kStatusFields[] = {
    {.name = "status", .type = FieldType::integer, .help = "The status.", .required = true},
    {.name = "body", .help = "The body; empty, unless given."},
    {.name = "content_type", .help = "Of the body.", .default_value = "application/json"},
    {.name = "retry_after",
     .type = FieldType::duration,
     .help = "The header Retry-After, whole seconds; without it there is none."},
    {.name = "retry_after_as", .help = "How that header says it.", .default_value = "seconds", .choices = kRetryForms},
    {.name = "headers", .type = FieldType::text_map, .help = "More headers."},
};
constexpr FieldSpec kHtmlFields[] = {
    {.name = "status", .type = FieldType::integer, .help = "The status.", .default_value = "502"}};
constexpr std::string_view kResetPlaces[] = {"before_headers", "after_headers", "in_body"};
constexpr FieldSpec kResetFields[] = {
    {.name = "at", .help = "Where.", .default_value = "before_headers", .choices = kResetPlaces},
    {.name = "bytes", .type = FieldType::integer, .help = "Of the body before it, at in_body.", .default_value = "100"},
};
constexpr FieldSpec kCutFields[] = {
    {.name = "bytes", .type = FieldType::integer, .help = "Of the body before the cut.", .default_value = "100"}};
constexpr FieldSpec kForFields[] = {
    {.name = "for", .type = FieldType::duration, .help = "How long.", .required = true}};
constexpr FieldSpec kRedirectFields[] = {{.name = "to", .help = "The URL.", .required = true}};
constexpr FieldSpec kContentTypeFields[] = {{.name = "value", .help = "The type.", .default_value = "text/html"}};
constexpr FieldSpec kDaysFields[] = {
    {.name = "days", .type = FieldType::integer, .help = "How many.", .default_value = "1"}};
constexpr FieldSpec kFieldFields[] = {
    {.name = "stream", .help = "As the truth calls it.", .required = true},
    {.name = "field", .help = "Its name.", .required = true},
};
constexpr FieldSpec kAddFields[] = {
    {.name = "stream", .help = "As the truth calls it.", .required = true},
    {.name = "field", .help = "Its name.", .required = true},
    {.name = "value", .help = "Its value in each row, as JSON.", .default_value = "\"new\""},
};
constexpr FieldSpec kRenameFields[] = {
    {.name = "stream", .help = "As the truth calls it.", .required = true},
    {.name = "field", .help = "Its name.", .required = true},
    {.name = "to", .help = "Its new name.", .required = true},
};

constexpr FaultSpec kFaults[] = {
    {"status", "Answers with a status instead of the platform.", kStatusFields},
    {"html", "Answers with an error page instead of the platform.", kHtmlFields},
    {"reset", "Resets the connection.", kResetFields},
    {"lost_answer", "Does what is asked, and resets the connection instead of saying so."},
    {"cut_chunks", "Sends the answer in chunks, and resets the connection in the middle of one.", kCutFields},
    {"not_http", "Answers with bytes of another protocol, and closes."},
    {"delay", "Waits before the answer.", kForFields},
    {"slow_body", "Sends the headers at once, and the body little by little.", kForFields},
    {"gzip", "Compresses the answer for clients that take that."},
    {"redirect", "Sends the client to another URL.", kRedirectFields},
    {"content_type", "Says that the body is of another type.", kContentTypeFields},
    {"restate", "Changes the numbers of the last 28 days."},
    {"shift_day", "Lets days pass.", kDaysFields},
    {"add_field", "Rows have a field more from here on.", kAddFields},
    {"remove_field", "Rows have a field less from here on.", kFieldFields},
    {"rename_field", "A field is called something else from here on.", kRenameFields},
};
constexpr std::string_view kWorldFaults[] = {"restate", "shift_day", "add_field", "remove_field", "rename_field"};

constexpr std::string_view kErrorPage =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Service Unavailable</h1></body></html>\n";
constexpr size_t kSlowPieces = 10;
// An alert of TLS: handshake failure.
constexpr std::string_view kTlsAlert("\x15\x03\x01\x00\x02\x02\x28", 7);

std::string http_date(Timestamp moment) {
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(moment - day));
    constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                  kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                  kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text.data();
}

HttpServerResponse status_answer(const Options& options, Clock& clock) {
    HttpServerResponse response{.status = static_cast<int>(options.integer("status")), .body = options.text("body")};
    response.headers.emplace_back("Content-Type", options.text("content_type"));
    if (options.has("retry_after")) {
        const auto delay = std::chrono::ceil<std::chrono::seconds>(options.duration("retry_after"));
        response.headers.emplace_back("Retry-After", options.text("retry_after_as") == "date"
                                                         ? http_date(clock.now() + delay)
                                                         : std::to_string(delay.count()));
    }
    for (auto& header : options.text_map("headers")) response.headers.push_back(std::move(header));
    return response;
}

// The whole body of an answer that may come in chunks.
void gather(HttpServerResponse& response) {
    if (!response.next_chunk) return;
    while (response.next_chunk(response.body)) {
    }
    response.next_chunk = nullptr;
}

void send_in_chunks(HttpServerResponse& response) {
    gather(response);
    response.next_chunk = [body = std::exchange(response.body, {})](std::string& out) {
        out += body;
        return false;
    };
}

void send_slowly(HttpServerResponse& response, std::chrono::milliseconds duration, Clock& clock,
                 const Cancellation& cancellation) {
    gather(response);
    response.next_chunk = [body = std::exchange(response.body, {}), at = size_t{0}, duration, &clock,
                           &cancellation](std::string& out) mutable {
        if (at > 0) clock.sleep(duration / kSlowPieces, cancellation);
        const size_t piece = std::min(body.size() - at, body.size() / kSlowPieces + 1);
        out += body.substr(at, piece);
        at += piece;
        return at < body.size();
    };
}

void compress(const HttpServerRequest& request, HttpServerResponse& response) {
    if (to_lower(request.header("Accept-Encoding")).find("gzip") == std::string::npos) return;
    gather(response);
    auto packed = compress_gzip(response.body);
    if (!packed.ok()) return;
    response.body = packed.release_value();
    response.headers.emplace_back("Content-Encoding", "gzip");
}

void set_content_type(HttpServerResponse& response, std::string value) {
    std::erase_if(response.headers,
                  [](const auto& header) { return equals_ignoring_case(header.first, "Content-Type"); });
    response.headers.emplace_back("Content-Type", std::move(value));
}

// An answer that stands in for the platform's; nullopt: this fault is none such.
std::optional<HttpServerResponse> stand_in(const Fault& fault, Clock& clock) {
    using Kind = HttpServerFault::Kind;
    const Options& options = *fault.options;
    if (fault.kind == "status") return status_answer(options, clock);
    if (fault.kind == "html") {
        return HttpServerResponse{.status = static_cast<int>(options.integer("status")),
                                  .headers = {{"Content-Type", "text/html; charset=utf-8"}},
                                  .body = std::string(kErrorPage)};
    }
    if (fault.kind == "redirect") {
        return HttpServerResponse{.status = 302, .headers = {{"Location", options.text("to")}}};
    }
    if (fault.kind == "reset" && options.text("at") == "before_headers") {
        return HttpServerResponse{.fault = {.kind = Kind::reset_before_headers}};
    }
    if (fault.kind == "not_http") {
        return HttpServerResponse{.fault = {.kind = Kind::raw, .raw_bytes = std::string(kTlsAlert)}};
    }
    return std::nullopt;
}

void change_answer(const Fault& fault, const HttpServerRequest& request, Clock& clock, const Cancellation& cancellation,
                   HttpServerResponse& response) {
    using Kind = HttpServerFault::Kind;
    const Options& options = *fault.options;
    if (fault.kind == "reset" && options.text("at") != "before_headers") {
        const bool in_body = options.text("at") == "in_body";
        response.fault = {.kind = Kind::reset_in_body,
                          .body_bytes = in_body ? static_cast<size_t>(options.integer("bytes")) : 0};
    } else if (fault.kind == "lost_answer") {
        response.fault = {.kind = Kind::reset_before_headers};
    } else if (fault.kind == "cut_chunks") {
        send_in_chunks(response);
        response.fault = {.kind = Kind::reset_in_body, .body_bytes = static_cast<size_t>(options.integer("bytes"))};
    } else if (fault.kind == "slow_body") {
        send_slowly(response, options.duration("for"), clock, cancellation);
    } else if (fault.kind == "gzip") {
        compress(request, response);
    } else if (fault.kind == "content_type") {
        set_content_type(response, options.text("value"));
    }
}

}  // namespace

std::span<const FaultSpec> general_faults() { return kFaults; }

bool changes_world(std::string_view kind) {
    return std::find(std::begin(kWorldFaults), std::end(kWorldFaults), kind) != std::end(kWorldFaults);
}

HttpServerResponse answer_with_faults(std::span<const Fault> faults, const HttpServerRequest& request, Clock& clock,
                                      const Cancellation& cancellation,
                                      const std::function<HttpServerResponse()>& answer) {
    for (const Fault& fault : faults) {
        if (fault.kind == "delay") clock.sleep(fault.options->duration("for"), cancellation);
    }
    std::optional<HttpServerResponse> response;
    for (const Fault& fault : faults) {
        if (!response) response = stand_in(fault, clock);
    }
    if (!response) response = answer();
    for (const Fault& fault : faults) change_answer(fault, request, clock, cancellation, *response);
    return std::move(*response);
}

}  // namespace shaduf::sandbox
