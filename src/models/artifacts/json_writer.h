#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace shaduf::models {

// Writes one JSON document into a stream, from the outside in, as Python's json.dumps prints it: ", " and ": ", ASCII
// only, NaN as it is. What is written leaves in large pieces; `finish` sends the last one. For one thread. Keys and
// values must come in turn: nothing checks it.
class JsonWriter {
public:
    explicit JsonWriter(std::ostream& out) : out_(out) {}

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_list() { open('['); }
    void end_list() { close(']'); }
    void key(std::string_view name);

    void none() { raw("null"); }
    void boolean(bool value) { raw(value ? "true" : "false"); }
    void integer(int64_t value);
    void real(double value);  // the shortest text that reads back as the same number
    void text(std::string_view value);
    void texts(const std::vector<std::string>& values);
    // Undefined is null; objects of the host are their text.
    void value(const jinja::Value& value);
    // JSON already.
    void raw(std::string_view json);

    // A key and its value.
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, const std::string& value) { field(name, std::string_view(value)); }
    void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
    void field(std::string_view name, const std::optional<std::string>& value);
    void field(std::string_view name, const std::vector<std::string>& values);
    void field(std::string_view name, const jinja::Value& value);
    void none_field(std::string_view name);
    void flag_field(std::string_view name, bool value);
    void integer_field(std::string_view name, int64_t value);
    void real_field(std::string_view name, double value);

    void finish();
    // How many bytes were written so far.
    uint64_t position() const { return sent_ + buffer_.size(); }

private:
    void open(char bracket);
    void close(char bracket);
    void separate();
    void append_text(std::string_view value);
    void flush_if_large();

    std::ostream& out_;
    std::string buffer_;
    uint64_t sent_ = 0;
    bool needs_comma_ = false;
};

// A value as JSON by itself.
std::string json_of(const jinja::Value& value);

}  // namespace shaduf::models
