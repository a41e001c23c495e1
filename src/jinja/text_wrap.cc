#include "jinja/text_wrap.h"

#include <algorithm>

#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

bool is_blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

bool is_word(std::string_view text, size_t at) {
    if (at >= text.size()) return false;
    const char32_t code = code_point_at(text, at);
    return is_name_part(code);
}

bool is_letter(std::string_view text, size_t at) {
    return is_word(text, at) && !is_digit(code_point_at(text, at)) && text[at] != '_';
}

size_t before(std::string_view text, size_t at) {
    --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
    return at;
}

// Where a line may end within a word: behind a hyphen between letters, as in "well-known".
bool breaks_behind_hyphen(std::string_view word, size_t hyphen) {
    if (hyphen < 1 || word[hyphen] != '-') return false;
    const size_t last = before(word, hyphen);
    if (!is_letter(word, last)) return false;
    if (last == 0 || !(is_letter(word, before(word, last)) || word[before(word, last)] == '-')) return false;
    const size_t next = hyphen + 1;
    if (!is_letter(word, next)) return false;
    const size_t second = next + code_point_size(word, next);
    return is_letter(word, second) || (second < word.size() && word[second] == '-');
}

std::vector<std::string_view> chunks_of(std::string_view text, bool breaks_on_hyphens) {
    std::vector<std::string_view> chunks;
    for (size_t at = 0; at < text.size();) {
        size_t end = at;
        while (end < text.size() && is_blank(text[end]) == is_blank(text[at])) ++end;
        const std::string_view word = text.substr(at, end - at);
        size_t begin = 0;
        for (size_t i = 0; breaks_on_hyphens && i < word.size(); ++i) {
            if (!breaks_behind_hyphen(word, i)) continue;
            chunks.push_back(word.substr(begin, i + 1 - begin));
            begin = i + 1;
        }
        chunks.push_back(word.substr(begin));
        at = end;
    }
    return chunks;
}

bool is_all_blank(std::string_view text) { return std::all_of(text.begin(), text.end(), is_blank); }

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, const WrapOptions& options) {
    std::vector<std::string> lines;
    auto chunks = chunks_of(text, options.breaks_on_hyphens);
    const auto width = static_cast<size_t>(options.width);
    for (size_t next = 0; next < chunks.size();) {
        std::vector<std::string_view> line;
        size_t used = 0;
        if (!lines.empty() && is_all_blank(chunks[next])) ++next;
        while (next < chunks.size() && used + count_code_points(chunks[next]) <= width) {
            used += count_code_points(chunks[next]);
            line.push_back(chunks[next++]);
        }
        if (next < chunks.size() && count_code_points(chunks[next]) > width) {
            if (options.breaks_long_words) {
                const size_t room = width - used;
                std::string_view part = slice_code_points(chunks[next], 0, room);
                const size_t hyphen = options.breaks_on_hyphens ? part.rfind('-') : std::string_view::npos;
                if (hyphen != std::string_view::npos && hyphen > 0 &&
                    part.substr(0, hyphen).find_first_not_of('-') != std::string_view::npos) {
                    part = part.substr(0, hyphen + 1);
                }
                line.push_back(part);
                chunks[next].remove_prefix(part.size());
            } else if (line.empty()) {
                line.push_back(chunks[next++]);
            }
        }
        if (!line.empty() && is_all_blank(line.back())) line.pop_back();
        if (line.empty()) continue;
        std::string joined;
        for (const auto part : line) joined += part;
        lines.push_back(std::move(joined));
    }
    return lines;
}

}  // namespace shaduf::jinja
