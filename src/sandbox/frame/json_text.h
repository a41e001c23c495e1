#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/batch.h"

namespace shaduf::sandbox {

// Grows one JSON document as text, in order; commas come by themselves, and that what is opened is closed is the
// caller's part. Quick: answers have thousands of rows.
class JsonText {
public:
    JsonText& open(char bracket) {
        separate();
        out_ += bracket;
        needs_comma_ = false;
        return *this;
    }
    JsonText& close(char bracket) {
        out_ += bracket;
        needs_comma_ = true;
        return *this;
    }
    JsonText& key(std::string_view name) {
        text(name);
        out_ += ':';
        needs_comma_ = false;
        return *this;
    }
    JsonText& text(std::string_view value) {
        separate();
        append_json_string(value, out_);
        return *this;
    }
    JsonText& raw(std::string_view json) {  // a whole value
        separate();
        out_ += json;
        return *this;
    }
    JsonText& integer(int64_t value) { return raw(std::to_string(value)); }
    JsonText& boolean(bool value) { return raw(value ? "true" : "false"); }

    JsonText& field(std::string_view name, std::string_view value) { return key(name).text(value); }
    JsonText& field(std::string_view name, const char* value) { return key(name).text(value); }
    JsonText& field(std::string_view name, int64_t value) { return key(name).integer(value); }

    const std::string& str() const { return out_; }
    std::string take() { return std::move(out_); }
    size_t size() const { return out_.size(); }

private:
    void separate() {
        if (needs_comma_) out_ += ',';
        needs_comma_ = true;
    }

    std::string out_;
    bool needs_comma_ = false;
};

}  // namespace shaduf::sandbox
