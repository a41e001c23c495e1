#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shaduf {

// A number as it stands in JSON text.
struct JsonNumber {
    std::string_view text;
    bool is_int64 = false;  // no point, no exponent, in range
    int64_t value = 0;      // when is_int64
};

// Where bytes of a string stop being plain: at a quote, a backslash, a control character or a byte that is not ASCII.
// Reads up to 15 bytes behind `end`.
inline const char* find_string_stop(const char* at, const char* end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    for (; at < end; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
        // Signed, so that bytes from 0x80 on count as below 0x20 too.
        const __m128i stops = _mm_or_si128(special, _mm_cmplt_epi8(bytes, space));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
        if (mask != 0) return at + __builtin_ctz(mask);
    }
    return at;
#else
    while (at < end && *at != '"' && *at != '\\' && static_cast<signed char>(*at) >= 0x20) ++at;
    return at;
#endif
}

// Walks one JSON document from left to right, checking all it passes against RFC 8259 (and UTF-8). Written for short
// documents whose structure is known beforehand: no index is built first, strings are scanned 16 bytes at a time.
//
// The text must be readable for 16 bytes behind its end. A step may run over the end of the document into what follows;
// `finish` is what finds out, so nothing read counts before it said yes. Every step that returns false has set `fault`,
// and the cursor is of no further use. Not thread-safe.
class JsonCursor {
public:
    static constexpr int kDepthMax = 256;

    JsonCursor() = default;
    explicit JsonCursor(std::string_view document) { reset(document); }
    // Starts another document; keeps the memory for unescaped strings.
    void reset(std::string_view document) {
        begin_ = at_ = document.data();
        end_ = begin_ + document.size();
        fault_ = nullptr;
        depth_ = 0;
    }

    char peek() const { return *at_; }
    bool at_end() const { return at_ >= end_; }
    const char* at() const { return at_; }
    void seek(const char* at) { at_ = at; }
    void advance(size_t bytes) { at_ += bytes; }
    std::string_view since(const char* begin) const { return {begin, static_cast<size_t>(at_ - begin)}; }

    void skip_space() {
        if (static_cast<unsigned char>(*at_) <= ' ') [[unlikely]]
            skip_space_run();
    }
    bool take(char expected) {
        if (*at_ != expected) return false;
        ++at_;
        return true;
    }

    // At a quote. `text` is without escapes; it lives until the next read_string, and is readable for 16 bytes more.
    bool read_string(std::string_view& text) {
        const char* start = at_ + 1;
        const char* stop = find_string_stop(start, end_);
        if (*stop != '"' || stop >= end_) [[unlikely]]
            return read_unusual_string(text);
        text = {start, static_cast<size_t>(stop - start)};
        at_ = stop + 1;
        return true;
    }
    bool read_number(JsonNumber& number);
    // At a letter; `value` is nullopt for null.
    bool read_literal(std::optional<bool>& value);
    // Passes any value, checked like one that is read.
    bool skip_value();
    // A key and its colon, up to the value.
    bool read_key(std::string_view& key);
    // Behind a value of an object or a list: passes a comma (true), or what closes it (`closed`).
    bool next_item(char close, bool& closed) {
        skip_space();
        if (*at_ == ',') [[likely]] {
            ++at_;
            skip_space();
            closed = false;
            return true;
        }
        closed = true;
        return take(close) ? true : fail(close == '}' ? "expected a comma or }" : "expected a comma or ]");
    }
    // At { or [. `closed`: it was empty, and is passed. Else goes to the first item; call `leave` behind the last.
    bool enter(char close, bool& closed);
    void leave() { --depth_; }
    // Behind the document's value: nothing may follow it.
    bool finish();

    // Always false.
    bool fail(const char* what);
    // "unexpected character at byte offset 17"
    std::string fault() const;

private:
    void skip_space_run();
    bool read_unusual_string(std::string_view& text);
    bool unescape(const char* at, const char* end, std::string_view& text);
    char* unescape_unicode(const char*& at, const char* end, char* to);
    bool skip_digits();
    bool skip_items(char close);

    const char* begin_ = nullptr;
    const char* at_ = nullptr;
    const char* end_ = nullptr;
    const char* fault_ = nullptr;
    const char* fault_at_ = nullptr;
    int depth_ = 0;
    std::vector<char> scratch_;
};

}  // namespace shaduf
