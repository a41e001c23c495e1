#include "base/error.h"

#include <utility>

namespace shaduf {

struct Error::State {
    ErrorKind kind;
    std::string message;
    Place place;
    std::optional<Error> cause;
    std::optional<std::chrono::milliseconds> retry_delay;
    bool permanent = false;
    std::optional<TextPoint> point = std::nullopt;
};

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid_config: return "invalid_config";
        case ErrorKind::auth: return "auth";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::rate_limited: return "rate_limited";
        case ErrorKind::bad_data: return "bad_data";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::too_large: return "too_large";
        case ErrorKind::exhausted: return "exhausted";
        case ErrorKind::canceled: return "canceled";
        case ErrorKind::internal: return "internal";
    }
    return "internal";
}

std::string Place::to_string() const {
    std::string text = file;
    if (!file.empty() && line > 0) text += ":" + std::to_string(line);
    std::string stream_part = connection;
    if (!stream.empty()) stream_part += (stream_part.empty() ? "" : ".") + stream;
    if (!position.empty()) stream_part += (stream_part.empty() ? "" : " at ") + position;
    if (!text.empty() && !stream_part.empty()) text += ": ";
    return text + stream_part;
}

Error::Error(ErrorKind kind, std::string message)
    : state_(std::make_shared<const State>(State{kind, std::move(message), {}, {}, {}, false})) {}

Error::Error(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Error Error::at(Place place) const {
    if (!state_->place.empty()) return *this;
    auto next = std::make_shared<State>(*state_);
    next->place = std::move(place);
    return Error(std::shared_ptr<const State>(std::move(next)));
}

Error Error::caused_by(const Error& cause) const {
    auto next = std::make_shared<State>(*state_);
    next->cause = cause;
    return Error(std::shared_ptr<const State>(std::move(next)));
}

Error Error::retry_after(std::chrono::milliseconds delay) const {
    auto next = std::make_shared<State>(*state_);
    next->retry_delay = delay;
    return Error(std::shared_ptr<const State>(std::move(next)));
}

Error Error::at_point(TextPoint point) const {
    auto next = std::make_shared<State>(*state_);
    next->point = std::move(point);
    return Error(std::shared_ptr<const State>(std::move(next)));
}

Error Error::permanent() const {
    auto next = std::make_shared<State>(*state_);
    next->permanent = true;
    return Error(std::shared_ptr<const State>(std::move(next)));
}

ErrorKind Error::kind() const { return state_->kind; }
const std::string& Error::message() const { return state_->message; }
const Place& Error::place() const { return state_->place; }
std::optional<Error> Error::cause() const { return state_->cause; }
const std::optional<TextPoint>& Error::point() const { return state_->point; }
std::optional<std::chrono::milliseconds> Error::retry_delay() const { return state_->retry_delay; }

bool Error::may_retry() const {
    return !state_->permanent && (kind() == ErrorKind::unavailable || kind() == ErrorKind::rate_limited);
}

std::string Error::to_string() const {
    std::string text = state_->place.to_string();
    if (!text.empty()) text += ": ";
    text += state_->message;
    if (state_->cause) text += " (cause: " + state_->cause->to_string() + ")";
    return text;
}

}  // namespace shaduf
