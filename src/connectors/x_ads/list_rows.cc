#include "connectors/x_ads/list_rows.h"

#include <algorithm>

#include "connectors/ads/json_rows.h"
#include "data/batch.h"
#include "data/json_member.h"
#include "data/json_page.h"

namespace shaduf::x_ads {
namespace {

constexpr size_t kMicroDigits = 6;

bool is_taken(const Members& members, std::string_view name) {
    return std::any_of(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
}

// False when `object` is no JSON object; `row` is of no use then.
bool rewrite(JsonCursor& cursor, std::string_view object, const Members& members, const std::string& first,
             std::string& row) {
    cursor.reset(object);
    cursor.skip_space();
    if (cursor.at_end() || cursor.peek() != '{') return false;
    row = "{" + first;
    const auto copy = [&](std::string_view key) {
        const std::string name(key);  // the cursor's memory is used again by the value
        std::string_view value;
        if (!read_raw(cursor, value)) return false;
        if (is_taken(members, name)) return true;
        if (row.size() > 1) row += ',';
        const bool is_money = name.size() > kMicroSuffix.size() && name.ends_with(kMicroSuffix);
        append_json_string(is_money ? name.substr(0, name.size() - kMicroSuffix.size()) : name, row);
        row += ':';
        if (is_money && value != "null") {
            append_micros(value, row);
        } else {
            row += value;
        }
        return true;
    };
    if (!read_members(cursor, copy)) return false;
    row += '}';
    return true;
}

}  // namespace

std::optional<std::string> micros_as_decimal(std::string_view raw) {
    if (raw.size() >= 2 && raw.starts_with('"') && raw.ends_with('"')) raw = raw.substr(1, raw.size() - 2);
    std::string text;
    if (raw.starts_with('-')) {
        text = "-";
        raw.remove_prefix(1);
    }
    const bool is_whole = std::all_of(raw.begin(), raw.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (raw.empty() || !is_whole) return std::nullopt;
    std::string digits(raw);
    if (digits.size() <= kMicroDigits) digits.insert(0, kMicroDigits + 1 - digits.size(), '0');
    const size_t point = digits.size() - kMicroDigits;
    return text + digits.substr(0, point) + "." + digits.substr(point);
}

void append_micros(std::string_view raw, std::string& out) {
    if (const auto decimal = micros_as_decimal(raw)) {
        out += *decimal;
        return;
    }
    append_json_string("not micros: " + std::string(raw), out);
}

Result<RawRows> list_rows(const BufferPtr& body, const Members& members, std::string place) {
    const auto page = TRY(JsonPage::parse(body, place));
    const std::string first = ads::json_members(members);
    RawRows out;
    BufferBuilder text;
    JsonCursor cursor;
    std::string row;
    for (const RawRows::Span& span : TRY(page.records({"data"}))) {
        const std::string_view object = body->view().substr(span.offset, span.length);
        // What is no object is told of by the decoder.
        const size_t start = text.size();
        text.append(rewrite(cursor, object, members, first, row) ? std::string_view(row) : object);
        out.rows.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(text.size() - start)});
        text.append("\n");
    }
    out.text = text.finish();
    out.place = std::move(place);
    return out;
}

}  // namespace shaduf::x_ads
