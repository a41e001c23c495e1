#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "io/http_server.h"

namespace shaduf {
class JsonWriter;
}

// How answers of the API are written, the same everywhere.
namespace shaduf::server {

// An error as every call answers it, by its kind.
HttpServerResponse answer_of(const Error& error);
// {"error": {"kind", "message", "places": []}}
HttpServerResponse refuse(int status, std::string_view kind, const std::string& message);

// {"file", "line", "path", "message"} of an error of the project's files.
void write_place(JsonWriter& json, const Error& error);
void write_places(JsonWriter& json, std::string_view name, std::span<const Error> errors);
// null when there is none.
void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time);
void write_flag(JsonWriter& json, std::string_view name, bool value);
void write_texts(JsonWriter& json, std::string_view name, std::span<const std::string> texts);
// null when it is "".
void write_text_or_null(JsonWriter& json, std::string_view name, std::string_view text);

}  // namespace shaduf::server
