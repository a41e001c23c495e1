#include <duckdb.h>

#include <array>
#include <charconv>

#include "base/text.h"
#include "io/duckdb_internal.h"

namespace shaduf {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The engine has one type for everything that a file does; errno is only in its text.
bool is_out_of_space(std::string_view message) {
    constexpr std::array<std::string_view, 5> kSigns{"No space left", "Disk quota exceeded", "File too large",
                                                     "max_temp_directory_size", "not enough disk space"};
    for (const auto sign : kSigns) {
        if (contains(message, sign)) return true;
    }
    return false;
}

ErrorKind kind_of(duckdb_error_type type, std::string_view message) {
    if (is_out_of_space(message)) return ErrorKind::exhausted;
    switch (type) {
        case DUCKDB_ERROR_OUT_OF_MEMORY: return ErrorKind::exhausted;
        case DUCKDB_ERROR_INTERRUPT: return ErrorKind::canceled;
        case DUCKDB_ERROR_IO:
            return contains(message, "Could not set lock") ? ErrorKind::conflict : ErrorKind::unavailable;
        case DUCKDB_ERROR_TRANSACTION: return ErrorKind::conflict;
        case DUCKDB_ERROR_NETWORK:
        case DUCKDB_ERROR_HTTP:
        case DUCKDB_ERROR_CONNECTION: return ErrorKind::unavailable;
        case DUCKDB_ERROR_CONSTRAINT:
        case DUCKDB_ERROR_CONVERSION:
        case DUCKDB_ERROR_OUT_OF_RANGE:
        case DUCKDB_ERROR_DECIMAL:
        case DUCKDB_ERROR_MISMATCH_TYPE:
        case DUCKDB_ERROR_DIVIDE_BY_ZERO:
        case DUCKDB_ERROR_OBJECT_SIZE:
        case DUCKDB_ERROR_INVALID_INPUT: return ErrorKind::bad_data;
        case DUCKDB_ERROR_CATALOG:
        case DUCKDB_ERROR_PARSER:
        case DUCKDB_ERROR_SYNTAX:
        case DUCKDB_ERROR_BINDER:
        case DUCKDB_ERROR_EXPRESSION:
        case DUCKDB_ERROR_PLANNER:
        case DUCKDB_ERROR_SETTINGS:
        case DUCKDB_ERROR_DEPENDENCY:
        case DUCKDB_ERROR_PERMISSION:
        case DUCKDB_ERROR_UNKNOWN_TYPE:
        case DUCKDB_ERROR_INVALID_TYPE:
        case DUCKDB_ERROR_NOT_IMPLEMENTED:
        case DUCKDB_ERROR_PARAMETER_NOT_RESOLVED:
        case DUCKDB_ERROR_PARAMETER_NOT_ALLOWED:
        case DUCKDB_ERROR_MISSING_EXTENSION:
        case DUCKDB_ERROR_AUTOLOAD:
        case DUCKDB_ERROR_SEQUENCE:
        case DUCKDB_INVALID_CONFIGURATION: return ErrorKind::invalid_config;
        default: return ErrorKind::internal;
    }
}

// Without the excerpt of the statement and its caret, which say nothing on one line.
std::string one_line(std::string_view message) {
    message = trim(message.substr(0, message.find("\n\nLINE ")));
    std::string text;
    for (const char c : message) {
        if (c != '\n') {
            text += c;
        } else if (!text.empty() && text.back() != ' ') {
            text += ' ';
        }
    }
    return text;
}

// "process 42 (/usr/bin/python3)", of "... lock is held in /usr/bin/python3 (PID 42). See ..."; "" where it says none.
std::string holder_of(std::string_view message) {
    constexpr std::string_view kBegin = "is held in ";
    constexpr std::string_view kMiddle = " (PID ";
    const size_t begin = message.find(kBegin);
    const size_t middle = begin == std::string_view::npos ? begin : message.find(kMiddle, begin);
    const size_t end = middle == std::string_view::npos ? middle : message.find(')', middle);
    if (end == std::string_view::npos) return "";
    const size_t program = begin + kBegin.size();
    const size_t number = middle + kMiddle.size();
    return "process " + std::string(message.substr(number, end - number)) + " (" +
           std::string(message.substr(program, middle - program)) + ")";
}

// "LINE 3:  select * from b\n            ^" behind a blank line; the engine cuts long lines and writes dots there.
std::optional<TextPoint> point_of(std::string_view message) {
    constexpr std::string_view kMark = "\n\nLINE ";
    constexpr std::string_view kDots = "...";
    const size_t mark = message.rfind(kMark);
    if (mark == std::string_view::npos) return std::nullopt;
    const std::string_view excerpt = message.substr(mark + 2);
    const size_t end = excerpt.find('\n');
    const size_t colon = excerpt.find(": ");
    if (end == std::string_view::npos || colon == std::string_view::npos || colon > end) return std::nullopt;
    TextPoint point;
    const std::string_view number = excerpt.substr(kMark.size() - 2, colon - (kMark.size() - 2));
    if (std::from_chars(number.data(), number.data() + number.size(), point.line).ec != std::errc()) {
        return std::nullopt;
    }
    std::string_view line = excerpt.substr(colon + 2, end - colon - 2);
    const size_t caret = excerpt.find('^', end);
    if (caret != std::string_view::npos && caret - end - 1 >= colon + 2) point.column = caret - end - 1 - colon - 1;
    if (line.starts_with(kDots) && point.column > kDots.size()) {
        line.remove_prefix(kDots.size());
        point.column -= kDots.size();
    }
    if (line.ends_with(kDots)) line.remove_suffix(kDots.size());
    point.fragment = line;
    return point;
}

}  // namespace

Error duckdb_error(int type, std::string_view message) {
    Error error(kind_of(static_cast<duckdb_error_type>(type), message), "DuckDB: " + one_line(message));
    const auto point = point_of(message);
    return point ? error.at_point(*point) : error;
}

Error duckdb_open_error(const std::string& path, std::string_view message) {
    const std::string what = path + " (DuckDB: " + one_line(message) + ")";
    if (contains(message, "Could not set lock")) {
        const std::string holder = holder_of(message);
        if (holder.empty()) return Error(ErrorKind::conflict, "database is in use by another process: " + what);
        return Error(ErrorKind::conflict, "database is in use by " + holder + ": " + path);
    }
    if (is_out_of_space(message)) return Error(ErrorKind::exhausted, "disk is full: " + what);
    if (contains(message, "version number")) {
        return Error(ErrorKind::invalid_config,
                     "database has another storage version: " + what +
                         "; use the DuckDB that wrote it to export it, or give another path");
    }
    if (contains(message, "not a valid DuckDB database")) {
        return Error(ErrorKind::invalid_config, "file is not a DuckDB database: " + what + "; give another path");
    }
    if (contains(message, "Out of Memory")) return Error(ErrorKind::exhausted, "database needs more memory: " + what);
    return Error(ErrorKind::invalid_config, "cannot open database: " + what + "; check the path and its rights");
}

}  // namespace shaduf
