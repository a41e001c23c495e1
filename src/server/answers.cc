#include "server/answers.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/endpoint.h"

namespace shaduf::server {
namespace {

struct Status {
    int number;
    std::string_view kind;
};

Status status_of(const Error& error) {
    if (is_not_found(error)) return {404, "not_found"};
    switch (error.kind()) {
        case ErrorKind::invalid_config: return {error.place().file.empty() ? 400 : 422, "invalid_config"};
        case ErrorKind::bad_data: return {400, "bad_data"};
        case ErrorKind::auth: return {403, "denied"};
        case ErrorKind::too_large: return {413, "too_large"};
        case ErrorKind::conflict: return {409, "conflict"};
        case ErrorKind::rate_limited: return {429, "rate_limited"};
        case ErrorKind::unavailable: return {503, "unavailable"};
        case ErrorKind::canceled: return {503, "canceled"};
        case ErrorKind::exhausted: return {507, "exhausted"};
        case ErrorKind::internal: return {500, "internal"};
    }
    return {500, "internal"};
}

HttpServerResponse json_answer(int status, std::string body) {
    HttpServerResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    response.body = std::move(body);
    return response;
}

}  // namespace

HttpServerResponse refuse(int status, std::string_view kind, const std::string& message) {
    JsonWriter json;
    json.begin_object().key("error").begin_object().field("kind", kind).field("message", message);
    json.key("places").begin_array().end_array().end_object().end_object();
    return json_answer(status, json.str());
}

HttpServerResponse answer_of(const Error& error) {
    const Status status = status_of(error);
    JsonWriter json;
    json.begin_object().key("error").begin_object().field("kind", status.kind);
    json.field("message", error.place().file.empty() ? error.to_string() : error.message());
    json.key("places").begin_array();
    if (!error.place().file.empty()) write_place(json, error);
    json.end_array().end_object().end_object();
    auto response = json_answer(status.number, json.str());
    if (const auto delay = error.retry_delay()) {
        const auto seconds = std::max<int64_t>(1, (delay->count() + 999) / 1000);
        response.headers.emplace_back("Retry-After", std::to_string(seconds));
    }
    return response;
}

void write_place(JsonWriter& json, const Error& error) {
    const Place& place = error.place();
    json.begin_object().field("file", place.file);
    json.field("line", static_cast<int64_t>(place.line));
    const std::string& path = place.position.empty() ? place.stream : place.position;
    write_text_or_null(json, "path", path);
    json.field("message", error.message()).end_object();
}

void write_places(JsonWriter& json, std::string_view name, std::span<const Error> errors) {
    json.key(name).begin_array();
    for (const Error& error : errors) write_place(json, error);
    json.end_array();
}

void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
    json.key(name);
    if (time) {
        json.text(format_timestamp(*time));
    } else {
        json.null();
    }
}

void write_flag(JsonWriter& json, std::string_view name, bool value) { json.key(name).boolean(value); }

void write_texts(JsonWriter& json, std::string_view name, std::span<const std::string> texts) {
    json.key(name).begin_array();
    for (const std::string& text : texts) json.text(text);
    json.end_array();
}

void write_text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
    json.key(name);
    if (text.empty()) {
        json.null();
    } else {
        json.text(text);
    }
}

}  // namespace shaduf::server
