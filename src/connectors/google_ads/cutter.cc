#include "connectors/google_ads/cutter.h"

#include <algorithm>

#include "data/json_cursor.h"

namespace shaduf::google_ads {
namespace {

constexpr size_t kPadding = 64;  // that strings are searched with
constexpr size_t kValueMax = 32 << 20;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

Result<void> StreamCutter::feed(std::string_view bytes) {
    pending_.reserve(pending_.size() + bytes.size() + kPadding);
    pending_ += bytes;
    while (at_ < pending_.size()) {
        TRY(step());
    }
    const bool in_value = where_ == Where::in_value || where_ == Where::in_row;
    const size_t done = in_value ? start_ : at_;
    pending_.erase(0, done);
    passed_ += done;
    at_ -= done;
    start_ = 0;
    if (pending_.size() > kValueMax)
        return Error(ErrorKind::bad_data, "answer holds a row of more than 32 MiB, at byte " + std::to_string(passed_) +
                                              "; select fewer fields");
    return {};
}

// Passes one sign, or all of a value that has come.
Result<void> StreamCutter::step() {
    if (where_ == Where::in_row) return pass_nested() ? end_row() : Result<void>();
    if (where_ == Where::in_value) {
        const bool is_nested = pending_[start_] == '{' || pending_[start_] == '[' || pending_[start_] == '"';
        return (is_nested ? pass_nested() : pass_scalar()) ? end_value() : Result<void>();
    }
    const char c = pending_[at_];
    if (is_space(c)) {
        ++at_;
        return {};
    }
    switch (where_) {
        case Where::before:
            is_list_ = c == '[';
            if (!is_list_ && c != '{') return broken("a list");
            where_ = is_list_ ? Where::between : Where::in_element;
            break;
        case Where::between:
            if (c != '{' && c != ',' && c != ']') return broken("an object of the list");
            if (c == '{') where_ = Where::in_element;
            if (c == ']') where_ = Where::behind;
            break;
        case Where::in_element:
            if (c == '"') return begin_value(c);  // the member's name
            if (c != ',' && c != '}') return broken("a member");
            if (c == '}') where_ = is_list_ ? Where::between : Where::behind;
            break;
        case Where::before_value:
            if (c != ':') return begin_value(c);
            break;
        case Where::in_rows:
            if (c == '{') {
                where_ = Where::in_row;
                start_ = at_;
                return pass_nested() ? end_row() : Result<void>();
            }
            if (c != ',' && c != ']') return broken("a row");
            if (c == ']') where_ = Where::in_element;
            break;
        default: return broken("nothing more");
    }
    ++at_;
    return {};
}

Result<void> StreamCutter::begin_value(char c) {
    if (where_ == Where::before_value && key_ == "results" && c == '[') {
        key_.clear();
        where_ = Where::in_rows;
        ++at_;
        return {};
    }
    if (where_ == Where::in_element) key_.clear();
    where_ = Where::in_value;
    start_ = at_;
    const bool is_nested = c == '{' || c == '[' || c == '"';
    return (is_nested ? pass_nested() : pass_scalar()) ? end_value() : Result<void>();
}

// A text that no name stands before is itself the name of a member.
Result<void> StreamCutter::end_value() {
    const std::string_view value = std::string_view(pending_).substr(start_, at_ - start_);
    if (key_.empty()) {
        if (value.size() < 3) return broken("a member's name");
        key_ = value.substr(1, value.size() - 2);
        where_ = Where::before_value;
        return {};
    }
    where_ = Where::in_element;
    const bool is_error = key_ == "error";
    key_.clear();
    return is_error ? on_error_(value) : Result<void>();
}

Result<void> StreamCutter::end_row() {
    where_ = Where::in_rows;
    return on_row_(std::string_view(pending_).substr(start_, at_ - start_));
}

// Goes on in a text, list or object; true behind its end.
bool StreamCutter::pass_nested() {
    const char* begin = pending_.data();
    const size_t size = pending_.size();
    while (at_ < size) {
        if (escaped_) {
            escaped_ = false;
            ++at_;
            continue;
        }
        if (in_text_) {
            const char* stop = find_string_stop(begin + at_, begin + size);
            at_ = std::min(static_cast<size_t>(stop - begin), size);
            if (at_ == size) return false;
            escaped_ = *stop == '\\';
            in_text_ = *stop != '"';
            ++at_;
        } else {
            const char c = begin[at_++];
            if (c == '"') in_text_ = true;
            if (c == '{' || c == '[') ++depth_;
            if (c == '}' || c == ']') --depth_;
        }
        if (depth_ <= 0 && !in_text_) {
            depth_ = 0;
            return true;
        }
    }
    return false;
}

bool StreamCutter::pass_scalar() {
    while (at_ < pending_.size()) {
        const char c = pending_[at_];
        if (c == ',' || c == '}' || c == ']' || is_space(c)) return true;
        ++at_;
    }
    return false;
}

Error StreamCutter::broken(const char* expected) const {
    const std::string found(pending_, at_, 60);
    return Error(ErrorKind::bad_data, "answer is not what searchStream gives: expected " + std::string(expected) +
                                          " at byte " + std::to_string(passed_ + at_) + ", found " + found +
                                          "; check base_url");
}

}  // namespace shaduf::google_ads
