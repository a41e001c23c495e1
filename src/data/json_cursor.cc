#include "data/json_cursor.h"

#include "data/utf8.h"

namespace shaduf {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

// The four hexadecimal digits of \uXXXX, or -1.
int hex4(const char* at) {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = at[i];
        int digit = -1;
        if (is_digit(c)) digit = c - '0';
        if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

char* put_utf8(unsigned code, char* to) {
    const auto put = [&](unsigned byte) { *to++ = static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
    return to;
}

char simple_escape(char letter) {
    switch (letter) {
        case '"': return '"';
        case '\\': return '\\';
        case '/': return '/';
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return '\0';
    }
}

}  // namespace

void JsonCursor::skip_space_run() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
}

bool JsonCursor::fail(const char* what) {
    fault_ = what;
    fault_at_ = at_;
    return false;
}

std::string JsonCursor::fault() const {
    if (fault_ == nullptr) return "";
    if (fault_at_ >= end_) return "it ends early, at byte offset " + std::to_string(end_ - begin_);
    return fault_ + (" at byte offset " + std::to_string(fault_at_ - begin_));
}

bool JsonCursor::read_unusual_string(std::string_view& text) {
    const char* start = at_ + 1;
    const char* at = start;
    bool escaped = false;
    for (;;) {
        at = find_string_stop(at, end_);
        if (at >= end_) {
            at_ = end_;
            return fail("string without an end");
        }
        if (*at == '"') break;
        if (*at == '\\') {
            escaped = true;
            ++at;
        } else if (static_cast<unsigned char>(*at) < 0x20) {
            at_ = at;
            return fail("control character in a string");
        } else {  // the rest of a run that is not ASCII
            while (at + 1 < end_ && static_cast<signed char>(at[1]) < 0) ++at;
        }
        ++at;
    }
    const std::string_view raw(start, static_cast<size_t>(at - start));
    if (const auto invalid = find_invalid_utf8(raw)) {
        at_ = start + *invalid;
        return fail("invalid UTF-8");
    }
    text = raw;
    if (escaped && !unescape(start, at, text)) return false;
    at_ = at + 1;
    return true;
}

bool JsonCursor::unescape(const char* at, const char* end, std::string_view& text) {
    const auto size = static_cast<size_t>(end - at);
    if (scratch_.size() < size + 64) scratch_.resize(size * 2 + 64);
    char* to = scratch_.data();
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char letter = at[1];
        if (letter == 'u') {
            at_ = at;
            to = unescape_unicode(at, end, to);
            if (to == nullptr) return false;
            continue;
        }
        const char plain = simple_escape(letter);
        if (plain == '\0') {
            at_ = at;
            return fail("unknown escape in a string");
        }
        *to++ = plain;
        at += 2;
    }
    text = {scratch_.data(), static_cast<size_t>(to - scratch_.data())};
    return true;
}

char* JsonCursor::unescape_unicode(const char*& at, const char* end, char* to) {
    const auto wrong = [&](const char* what) {
        fail(what);
        return nullptr;
    };
    const int first = end - at >= 6 ? hex4(at + 2) : -1;
    if (first < 0) return wrong("\\u without four hexadecimal digits");
    at += 6;
    if (first < 0xD800 || first > 0xDFFF) return put_utf8(static_cast<unsigned>(first), to);
    const bool pair = first < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
    const int second = pair ? hex4(at + 2) : -1;
    if (second < 0xDC00 || second > 0xDFFF) return wrong("half of a surrogate pair");
    at += 6;
    return put_utf8(0x10000U + ((static_cast<unsigned>(first) & 0x3FF) << 10) + (static_cast<unsigned>(second) & 0x3FF),
                    to);
}

bool JsonCursor::skip_digits() {
    if (!is_digit(*at_)) return fail("expected a digit");
    while (at_ < end_ && is_digit(*at_)) ++at_;
    return true;
}

bool JsonCursor::read_number(JsonNumber& number) {
    const char* begin = at_;
    const bool negative = take('-');
    const char* digits = at_;
    if (*at_ == '0') {
        ++at_;
        if (is_digit(*at_)) return fail("number with a leading zero");
    } else if (!is_digit(*at_)) {
        return fail(negative ? "expected a digit" : "expected a value");
    }
    uint64_t value = 0;
    for (; at_ < end_ && is_digit(*at_); ++at_) value = value * 10 + static_cast<uint64_t>(*at_ - '0');
    const auto count = at_ - digits;
    number.is_int64 = *at_ != '.' && *at_ != 'e' && *at_ != 'E';
    if (!number.is_int64) {
        if (take('.') && !skip_digits()) return false;
        if (take('e') || take('E')) {
            if (!take('-')) take('+');
            if (!skip_digits()) return false;
        }
    }
    number.text = since(begin);
    // 19 digits cannot overflow the unsigned sum; the sign then decides.
    const uint64_t limit = uint64_t{1} << 63;
    if (count > 19 || value > (negative ? limit : limit - 1)) number.is_int64 = false;
    number.value = static_cast<int64_t>(negative ? 0 - value : value);
    return true;
}

bool JsonCursor::read_literal(std::optional<bool>& value) {
    const auto left = static_cast<size_t>(end_ > at_ ? end_ - at_ : 0);
    const auto is = [&](std::string_view word) {
        if (left < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) return false;
        at_ += word.size();
        return true;
    };
    if (is("true")) {
        value = true;
    } else if (is("false")) {
        value = false;
    } else if (is("null")) {
        value = std::nullopt;
    } else {
        return fail("expected a value");
    }
    return true;
}

bool JsonCursor::read_key(std::string_view& key) {
    if (*at_ != '"') return fail("expected a key");
    if (!read_string(key)) return false;
    skip_space();
    if (!take(':')) return fail("expected a colon");
    skip_space();
    return true;
}

bool JsonCursor::enter(char close, bool& closed) {
    if (at_ >= end_) return fail("expected a value");
    if (++depth_ > kDepthMax) return fail("nested deeper than 256 levels");
    ++at_;
    skip_space();
    closed = take(close);
    if (closed) --depth_;
    return true;
}

bool JsonCursor::skip_items(char close) {
    bool closed = false;
    if (!enter(close, closed) || closed) return closed;
    while (!closed) {
        std::string_view key;
        if (close == '}' && !read_key(key)) return false;
        if (!skip_value() || !next_item(close, closed)) return false;
    }
    leave();
    return true;
}

bool JsonCursor::skip_value() {
    switch (*at_) {
        case '"': {
            std::string_view text;
            return read_string(text);
        }
        case '{': return skip_items('}');
        case '[': return skip_items(']');
        case 't':
        case 'f':
        case 'n': {
            std::optional<bool> value;
            return read_literal(value);
        }
        default: {
            JsonNumber number;
            return read_number(number);
        }
    }
}

bool JsonCursor::finish() {
    if (at_ > end_) return fail("it ends early");
    skip_space_run();
    return at_ == end_ ? true : fail("more text behind the value,");
}

}  // namespace shaduf
