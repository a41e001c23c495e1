#include "connectors/clevertap/rows.h"

#include <algorithm>

#include "base/time.h"
#include "connectors/ads/json_rows.h"
#include "data/batch.h"
#include "data/json_member.h"
#include "data/json_page.h"

namespace shaduf::clevertap {
namespace {

using std::chrono::microseconds;
using Members = std::vector<std::pair<std::string, std::string>>;

std::string unquoted(std::string_view raw) {
    if (raw.size() >= 2 && raw.starts_with('"') && raw.ends_with('"')) raw = raw.substr(1, raw.size() - 2);
    return std::string(raw);
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A wall clock's time in UTC; the earlier one where the clock showed it twice. What it never showed is told by the
// offset before the gap.
Timestamp to_utc(int64_t wall_microseconds, const ads::Zone& zone) {
    const Timestamp wall{microseconds(wall_microseconds)};
    const auto before = zone.offset_at(wall - std::chrono::days(1));
    const auto after = zone.offset_at(wall + std::chrono::days(1));
    const Timestamp early = wall - std::max(before, after);
    if (zone.offset_at(early) == std::max(before, after)) return early;
    const Timestamp late = wall - std::min(before, after);
    return zone.offset_at(late) == std::min(before, after) ? late : wall - before;
}

// Writes one row after the other. A row: what all begin with, then what is put in front of its own members, then those.
class RowWriter {
public:
    RowWriter(const ads::Slice& slice, std::string place) {
        const ads::Account& project = slice.account;
        Members members{{"account_id", project.id}, {"account_time_zone", project.time_zone}};
        if (!project.currency.empty()) members.emplace_back("account_currency", project.currency);
        first_ = "{" + ads::json_members(members);
        rows_.place = std::move(place);
    }

    void begin() { row_ = first_; }
    void add(std::string_view name, std::string_view raw) {
        row_ += ',';
        append_json_string(name, row_);
        row_ += ':';
        row_ += raw;
    }
    void add_text(std::string_view name, std::string_view text) {
        std::string raw;
        append_json_string(text, raw);
        add(name, raw);
    }
    // The members of `object` but for `taken`; spaces in their names become underscores. False: it is no object.
    bool add_members(std::string_view object, std::span<const std::string_view> taken) {
        cursor_.reset(object);
        cursor_.skip_space();
        if (cursor_.at_end() || cursor_.peek() != '{') return false;
        return read_members(cursor_, [&](std::string_view key) {
            std::string name(key);
            std::replace(name.begin(), name.end(), ' ', '_');
            std::string_view value;
            if (!read_raw(cursor_, value)) return false;
            if (std::find(taken.begin(), taken.end(), name) == taken.end()) add(name, value);
            return true;
        });
    }
    void end() {
        row_ += '}';
        put(row_);
    }
    // A row as it came, that goes to quarantine.
    void put_broken(std::string_view text, std::string why) {
        rows_.broken.push_back({rows_.rows.size(), std::move(why)});
        put(text);
    }
    RawRows finish() {
        rows_.text = text_.finish();
        return std::move(rows_);
    }

private:
    void put(std::string_view text) {
        rows_.rows.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())});
        text_.append(text);
        text_.append("\n");
    }

    std::string first_;
    std::string row_;
    RawRows rows_;
    BufferBuilder text_;
    JsonCursor cursor_;
};

constexpr std::string_view kTaken[] = {"account_id", "account_time_zone", "account_currency", "event", "date",
                                       "time",       "profile_id"};

// One member of an object as it is written, "" when there is none.
std::string member(std::string_view object, const char* name) {
    const auto value = find_scalar(object, {name});
    return value ? value->raw : "";
}

Result<std::vector<RawRows::Span>> records_of(const BufferPtr& body, const std::string& path,
                                              const std::string& place) {
    const auto page = TRY(JsonPage::parse(body, place));
    if (!page.has({path})) return std::vector<RawRows::Span>{};
    return page.records({path});
}

void put_event(RowWriter& writer, std::string_view record, const ads::Slice& slice, const ads::Zone& zone) {
    const std::string ts = member(record, "ts");
    const auto at = read_local_time(ts, zone);
    if (!at) return writer.put_broken(record, "event has no time: ts is " + (ts.empty() ? "missing" : ts));
    if (slice.days && (at->day < slice.days->first || at->day > slice.days->last))
        return writer.put_broken(record, "event is of a day that was not asked for: ts is " + ts + "; check time_zone");
    writer.begin();
    writer.add_text("event", slice.part);
    writer.add_text("date", ads::format_day(at->day));
    writer.add_text("time", format_timestamp(at->time));
    if (!writer.add_members(record, kTaken)) return writer.put_broken(record, "record is no JSON object");
    writer.end();
}

// Who it is: the object id, as the device has it, or what the user is known by.
std::string profile_id(std::string_view record) {
    for (const auto& path :
         {JsonPath{"objectId"}, JsonPath{"identity"}, JsonPath{"platformInfo", "0", "objectId"}, JsonPath{"email"}}) {
        const auto value = find_scalar(record, path);
        if (value && !value->text.empty()) return value->text;
    }
    return "";
}

}  // namespace

std::optional<LocalTime> read_local_time(std::string_view raw, const ads::Zone& zone) {
    std::string digits = unquoted(raw);
    if (digits.size() == 12) digits += "00";
    if (digits.size() != 14 || !is_digits(digits)) return std::nullopt;
    const std::string text = digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2) + "T" +
                             digits.substr(8, 2) + ":" + digits.substr(10, 2) + ":" + digits.substr(12, 2);
    const auto parsed = parse_timestamp(text);
    if (!parsed) return std::nullopt;
    const auto day = std::chrono::floor<std::chrono::days>(Timestamp(microseconds(parsed->microseconds)));
    return LocalTime{day, to_utc(parsed->microseconds, zone)};
}

Result<RawRows> event_rows(const BufferPtr& body, const ads::Slice& slice, std::string place) {
    const auto zone = TRY(ads::Zone::find(slice.account.time_zone));
    const auto spans = TRY(records_of(body, "records", place));
    RowWriter writer(slice, std::move(place));
    for (const RawRows::Span& span : spans)
        put_event(writer, body->view().substr(span.offset, span.length), slice, zone);
    return writer.finish();
}

Result<RawRows> profile_rows(const BufferPtr& body, const ads::Slice& slice, std::string place) {
    const auto spans = TRY(records_of(body, "records", place));
    RowWriter writer(slice, std::move(place));
    for (const RawRows::Span& span : spans) {
        const std::string_view record = body->view().substr(span.offset, span.length);
        const std::string id = profile_id(record);
        writer.begin();
        writer.add_text("profile_id", id);
        if (id.empty()) {
            writer.put_broken(record, "profile has no objectId, identity or email");
        } else if (!writer.add_members(record, kTaken)) {
            writer.put_broken(record, "record is no JSON object");
        } else {
            writer.end();
        }
    }
    return writer.finish();
}

Result<RawRows> campaign_rows(const BufferPtr& body, const ads::Slice& slice, std::string place) {
    const auto zone = TRY(ads::Zone::find(slice.account.time_zone));
    const auto page = TRY(JsonPage::parse(body, place));
    const auto spans = TRY(page.records({}));
    RowWriter writer(slice, std::move(place));
    for (const RawRows::Span& span : spans) {
        const std::string_view pair = body->view().substr(span.offset, span.length);
        const auto scheduled = find_scalar(pair, {"target", "scheduled_on"});
        const auto at = scheduled ? read_local_time(scheduled->raw, zone) : std::nullopt;
        const auto target = raw_member(pair, "target");
        if (!at || !target || (slice.days && (at->day < slice.days->first || at->day > slice.days->last))) {
            writer.put_broken(pair, "campaign is not of a day that was asked for: scheduled_on is " +
                                        (scheduled ? scheduled->raw : "missing"));
            continue;
        }
        writer.begin();
        writer.add_text("date", ads::format_day(at->day));
        writer.add_text("time", format_timestamp(at->time));
        BufferBuilder padded;  // a cursor reads behind the end
        padded.append(*target);
        const BufferPtr text = padded.finish();
        if (!writer.add_members(text->view(), kTaken)) {
            writer.put_broken(pair, "campaign is no JSON object");
            continue;
        }
        writer.add("result", raw_member(pair, "result").value_or("null"));
        writer.end();
    }
    return writer.finish();
}

Result<RawRows> message_rows(const BufferPtr& body, const ads::Slice& slice, ads::Day day, std::string place) {
    const auto spans = TRY(records_of(body, "messages", place));
    RowWriter writer(slice, std::move(place));
    for (const RawRows::Span& span : spans) {
        const std::string_view message = body->view().substr(span.offset, span.length);
        writer.begin();
        writer.add_text("date", ads::format_day(day));
        if (writer.add_members(message, kTaken)) {
            writer.end();
        } else {
            writer.put_broken(message, "message is no JSON object");
        }
    }
    return writer.finish();
}

Result<RawRows> count_rows(const BufferPtr& body, const ads::Slice& slice, ads::Day day, std::string place) {
    const std::string count = member(body->view(), "count");
    if (!is_digits(count)) return Error(ErrorKind::bad_data, "answer has no count; " + place);
    RowWriter writer(slice, std::move(place));
    writer.begin();
    writer.add_text("event", slice.part);
    writer.add_text("date", ads::format_day(day));
    writer.add("count", count);
    writer.end();
    return writer.finish();
}

}  // namespace shaduf::clevertap
