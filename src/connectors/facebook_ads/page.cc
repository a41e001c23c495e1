#include "connectors/facebook_ads/page.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "data/json_cursor.h"
#include "data/json_member.h"

namespace shaduf::facebook {
namespace {

constexpr std::string_view kPaging = "\"paging\":";
constexpr size_t kShownMax = 80;

Error not_json(const JsonCursor& cursor, std::string_view body) {
    return Error(ErrorKind::unavailable, "answer is no whole JSON document, " + cursor.fault() + ": begins with " +
                                             make_valid_utf8(trim(body).substr(0, kShownMax)));
}

// Behind "paging": the cursor behind the last record, and whether a link to a next page stands there.
bool read_paging_value(JsonCursor& cursor, Paging& paging) {
    if (cursor.peek() != '{') return cursor.skip_value();
    return read_members(cursor, [&](std::string_view key) {
        if (key == "next" && cursor.peek() == '"') paging.has_next = true;
        if (key != "cursors" || cursor.peek() != '{') return cursor.skip_value();
        return read_members(cursor, [&](std::string_view inner) {
            return inner == "after" ? read_text(cursor, paging.after) : cursor.skip_value();
        });
    });
}

// The usual page is {"data":[...],"paging":{...}}: what is asked for stands at its very end. It is that of the page
// itself, and not of a list inside a record, when one closing brace alone follows: find_records looks at all the rest.
std::optional<Paging> read_paging_at_end(std::string_view body) {
    if (!body.starts_with("{\"data\":[")) return std::nullopt;
    const auto at = body.rfind(kPaging);
    if (at == body.npos || at < 2 || body[at - 1] != ',' || body[at - 2] != ']') return std::nullopt;
    const std::string_view tail = body.substr(at + kPaging.size());
    JsonCursor cursor(tail);
    Paging paging;
    cursor.skip_space();
    if (!read_paging_value(cursor, paging)) return std::nullopt;
    cursor.skip_space();
    if (!cursor.take('}') || !cursor.finish()) return std::nullopt;
    return paging;
}

bool read_records(JsonCursor& cursor, std::string_view body, std::vector<RawRows::Span>& records, bool& all_objects) {
    bool closed = false;
    if (!cursor.enter(']', closed)) return false;
    if (closed) return true;
    while (!closed) {
        const char* begin = cursor.at();
        all_objects = all_objects && cursor.peek() == '{';
        if (!cursor.skip_value()) return false;
        const std::string_view record = cursor.since(begin);
        records.push_back({static_cast<uint32_t>(begin - body.data()), static_cast<uint32_t>(record.size())});
        if (!cursor.next_item(']', closed)) return false;
    }
    cursor.leave();
    return true;
}

bool read_headers(JsonCursor& cursor, BatchAnswer& answer) {
    if (cursor.peek() != '[') return cursor.skip_value();
    bool closed = false;
    if (!cursor.enter(']', closed)) return false;
    if (closed) return true;
    while (!closed) {
        std::string name;
        std::string value;
        const auto read_header = [&](std::string_view key) {
            if (key == "name") return read_text(cursor, name);
            return key == "value" ? read_text(cursor, value) : cursor.skip_value();
        };
        if (cursor.peek() == '{' ? !read_members(cursor, read_header) : !cursor.skip_value()) return false;
        if (!name.empty()) answer.headers.emplace_back(std::move(name), std::move(value));
        if (!cursor.next_item(']', closed)) return false;
    }
    cursor.leave();
    return true;
}

bool read_batch_answer(JsonCursor& cursor, std::optional<BatchAnswer>& answer) {
    if (cursor.peek() != '{') return cursor.skip_value();
    answer.emplace();
    return read_members(cursor, [&](std::string_view key) {
        if (key == "code" && (cursor.peek() == '-' || (cursor.peek() >= '0' && cursor.peek() <= '9'))) {
            JsonNumber number;
            if (!cursor.read_number(number)) return false;
            answer->status = number.is_int64 ? static_cast<int>(number.value) : 0;
            return true;
        }
        if (key == "headers") return read_headers(cursor, *answer);
        if (key != "body" || cursor.peek() != '"') return cursor.skip_value();
        std::string text;
        if (!read_text(cursor, text)) return false;
        BufferBuilder bytes;
        bytes.append(text);
        answer->body = bytes.finish();
        return true;
    });
}

}  // namespace

BufferPtr without_tokens(const BufferPtr& body) {
    const std::string_view text = body->view();
    std::string masked;
    for (const std::string_view name : {"access_token=", "appsecret_proof="}) {
        for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
            if (masked.empty()) masked = text;
            const auto begin = at + name.size();
            const auto end = std::min(text.find_first_of("&\"\\ ", begin), text.size());
            std::fill(masked.begin() + static_cast<std::ptrdiff_t>(begin),
                      masked.begin() + static_cast<std::ptrdiff_t>(end), '*');
        }
    }
    if (masked.empty()) return body;
    BufferBuilder out;
    out.append(masked);
    return out.finish();
}

Result<Paging> read_paging(std::string_view body) {
    if (auto paging = read_paging_at_end(body)) return std::move(*paging);
    JsonCursor cursor(body);
    cursor.skip_space();
    Paging paging;
    bool is_error = false;
    const bool is_whole = cursor.peek() == '{' && read_members(cursor, [&](std::string_view key) {
                              is_error = is_error || key == "error";
                              return key == "paging" ? read_paging_value(cursor, paging) : cursor.skip_value();
                          });
    if (!is_whole || !cursor.finish()) return not_json(cursor, body);
    if (is_error) {
        const auto error = find_member(body, "error");
        return Error(ErrorKind::unavailable,
                     "page says that it is an error: " + make_valid_utf8(error.value_or("").substr(0, 4 * kShownMax)));
    }
    return paging;
}

Result<std::vector<RawRows::Span>> find_records(std::string_view body) {
    std::vector<RawRows::Span> records;
    bool is_list = false;
    bool all_objects = true;
    JsonCursor cursor(body);
    cursor.skip_space();
    const char* begin = cursor.at();
    if (body.empty() || cursor.peek() != '{')
        return Error(ErrorKind::bad_data,
                     "answer is no JSON object: begins with " + make_valid_utf8(trim(body).substr(0, kShownMax)));
    const bool is_whole = read_members(cursor, [&](std::string_view key) {
        if (key != "data" || is_list || cursor.peek() != '[') return cursor.skip_value();
        is_list = true;
        return read_records(cursor, body, records, all_objects);
    });
    const size_t length = cursor.since(begin).size();
    if (!is_whole || !cursor.finish()) return not_json(cursor, body);
    if (!all_objects) return Error(ErrorKind::bad_data, "list of an answer holds something that is no object");
    if (!is_list) records.push_back({static_cast<uint32_t>(begin - body.data()), static_cast<uint32_t>(length)});
    return records;
}

std::optional<std::string_view> find_member(std::string_view body, std::string_view name) {
    std::optional<std::string_view> found;
    JsonCursor cursor(body);
    cursor.skip_space();
    if (body.empty() || cursor.peek() != '{') return std::nullopt;
    const bool is_whole = read_members(cursor, [&](std::string_view key) {
        std::string_view value;
        const bool is_wanted = key == name;
        if (!read_raw(cursor, value)) return false;
        if (is_wanted) found = value;
        return true;
    });
    if (!is_whole || !cursor.finish()) return std::nullopt;
    return found;
}

std::string find_text(std::string_view body, std::string_view name) {
    const auto raw = find_member(body, name);
    if (!raw || *raw == "null") return "";
    if (!raw->starts_with('"')) return std::string(*raw);
    JsonCursor cursor(*raw);
    std::string text;
    return read_text(cursor, text) ? text : "";
}

Result<std::vector<std::optional<BatchAnswer>>> read_batch(std::string_view body) {
    std::vector<std::optional<BatchAnswer>> answers;
    JsonCursor cursor(body);
    cursor.skip_space();
    if (body.empty() || cursor.peek() != '[')
        return Error(ErrorKind::unavailable, "answer to a batch of calls is no list: begins with " +
                                                 make_valid_utf8(trim(body).substr(0, kShownMax)));
    bool closed = false;
    if (!cursor.enter(']', closed)) return not_json(cursor, body);
    const bool is_empty = closed;
    while (!closed) {
        if (!read_batch_answer(cursor, answers.emplace_back()) || !cursor.next_item(']', closed))
            return not_json(cursor, body);
    }
    if (!is_empty) cursor.leave();
    if (!cursor.finish()) return not_json(cursor, body);
    return answers;
}

}  // namespace shaduf::facebook
