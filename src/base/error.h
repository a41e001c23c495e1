#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaduf {

// Says who must act. Retries, quarantine, alerts and exit statuses switch on it; message text is for people only.
enum class ErrorKind {
    invalid_config,  // the user edits the project: exit status 2
    auth,            // the user renews a credential
    unavailable,     // nobody: retry with back-off
    rate_limited,    // nobody: retry when the server said
    bad_data,        // the data's owner: the row goes to quarantine
    too_large,       // the caller: ask for less at once
    conflict,        // another run owns the same thing: wait for it, or stop it
    exhausted,       // the operator: disk, memory or a quota is used up
    canceled,        // nobody: the run was stopped
    internal,        // us: a bug
};

std::string_view to_string(ErrorKind kind);

// Where an error was seen: a line of the configuration, or a point of a stream. Empty parts are left out when printed.
struct Place {
    std::string file;
    int line = 0;  // from 1; 0: unknown
    std::string connection;
    std::string stream;
    std::string position;

    static Place in_file(std::string file, int line) {
        Place place;
        place.file = std::move(file);
        place.line = line;
        return place;
    }
    static Place in_stream(std::string connection, std::string stream, std::string position = {}) {
        Place place;
        place.connection = std::move(connection);
        place.stream = std::move(stream);
        place.position = std::move(position);
        return place;
    }
    bool empty() const { return file.empty() && connection.empty() && stream.empty() && position.empty(); }
    std::string to_string() const;
};

// A point of a text that was given to another system, such as a statement, where that system saw the error.
struct TextPoint {
    size_t line = 0;       // from 1; 0: `column` counts from the beginning of the text
    size_t column = 0;     // in characters, from 1; 0: unknown
    std::string fragment;  // the part of the line that `column` counts from; "": the whole line
};

// An error as a value: cheap to move and to copy, immutable once shared. Thread-safe to read.
// Messages say what happened, then the value, then what to do: fixed text first, so that logs group.
class [[nodiscard]] Error {
public:
    Error(ErrorKind kind, std::string message);

    // Each returns a copy with one thing more; an outer place never replaces the inner one that is set already.
    Error at(Place place) const;
    Error caused_by(const Error& cause) const;
    Error retry_after(std::chrono::milliseconds delay) const;
    Error at_point(TextPoint point) const;
    // A failure of a kind that is usually retried, but not this time (e.g. a request that is not idempotent).
    Error permanent() const;

    ErrorKind kind() const;
    const std::string& message() const;
    const Place& place() const;
    std::optional<Error> cause() const;
    // For whoever has the text: it is not printed.
    const std::optional<TextPoint>& point() const;
    // How long the other side asked us to wait.
    std::optional<std::chrono::milliseconds> retry_delay() const;
    bool may_retry() const;

    // "place: message (cause: ...)", one line.
    std::string to_string() const;

private:
    struct State;
    explicit Error(std::shared_ptr<const State> state);
    std::shared_ptr<const State> state_;
};

}  // namespace shaduf
