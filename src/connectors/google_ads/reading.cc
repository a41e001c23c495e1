#include "connectors/google_ads/reading.h"

#include <algorithm>

#include "base/retry.h"
#include "data/hash.h"
#include "data/json_cursor.h"
#include "data/json_member.h"

namespace shaduf::google_ads {
namespace {

constexpr size_t kPageBytes = 2 << 20;
constexpr int kTries = 6;
constexpr RetryPolicy kRetries;

uint64_t hash_of(std::string_view text) { return hash_bytes(text.data(), text.size()); }

// The value of a text member as it stands in the JSON, without its quotes.
bool read_bare_text(JsonCursor& cursor, std::string_view& out) {
    std::string_view raw;
    if (!read_raw(cursor, raw)) return false;
    if (raw.size() >= 2 && raw.front() == '"') out = raw.substr(1, raw.size() - 2);
    return true;
}

// What of a resource is in the row changes; its name does not. Without one, all of it counts.
bool hash_resource(JsonCursor& cursor, uint64_t& hash, std::string_view& name) {
    const char* start = cursor.at();
    std::string_view found;
    const bool read = read_members(cursor, [&](std::string_view key) {
        return key == "resourceName" ? read_bare_text(cursor, found) : cursor.skip_value();
    });
    if (!read) return false;
    hash = hash_of(found.empty() ? cursor.since(start) : found);
    name = found;
    return true;
}

bool hash_segments(JsonCursor& cursor, uint64_t& hash, std::string_view& day) {
    const char* start = cursor.at();
    const bool read = read_members(cursor, [&](std::string_view key) {
        return key == "date" ? read_bare_text(cursor, day) : cursor.skip_value();
    });
    hash = hash_of(cursor.since(start));
    return read;
}

}  // namespace

bool identify(std::string_view row, std::string_view resource, RowIdentity& identity) {
    JsonCursor cursor(row);
    if (cursor.peek() != '{') return false;
    identity = {};
    return read_members(cursor, [&](std::string_view key) {
        if (key == "metrics" || cursor.peek() != '{') return cursor.skip_value();
        const uint64_t key_hash = hash_of(key);
        const bool is_asked_for = key == resource;
        uint64_t hash = 0;
        std::string_view name;
        const bool read =
            key == "segments" ? hash_segments(cursor, hash, identity.day) : hash_resource(cursor, hash, name);
        if (is_asked_for) identity.resource = name;
        identity.hash += mix_hash(key_hash, hash);  // in whatever order they stand
        return read;
    });
}

Result<void> SliceReading::ask(RunContext& run, const QueryOf& query_of, const std::optional<ads::DayRange>& days) {
    forget_rows();
    std::optional<ads::DayRange> part = days;
    for (int failures = 1;;) {
        if (part) part->last = days->last;
        if (part && chunk_days_ > 0)
            part->last = std::min(days->last, part->first + std::chrono::days(chunk_days_ - 1));
        const auto cut = api_.stream(run, asked(slice_.account), query_of(part),
                                     [&](std::string_view row) { return take(run, row); });
        if (!cut) {
            TRY(check_skipped());
            forget_rows();
            is_first_query_ = false;
            if (!part || part->last == days->last) return {};
            part->first = part->last + std::chrono::days(1);
            continue;
        }
        if (cut->why.kind() == ErrorKind::too_large && part && part->days() > 1) {
            chunk_days_ = part->days() / 2;
        } else {
            // One day that took too long may not do so the next time.
            const bool took_too_long = cut->why.kind() == ErrorKind::too_large;
            const bool was_cut = cut->brought_bytes && cut->why.kind() == ErrorKind::unavailable;
            if ((!was_cut && !took_too_long) || failures >= kTries) return cut->why;
            const Error error(ErrorKind::unavailable, cut->why.message());
            TRY(wait_before_retry(run, kRetries, failures++, took_too_long ? error : cut->why));
        }
        if (given_.empty()) continue;
        if (TRY(prepare_retry(cut->why)) == Retry::whole) {
            part = days;
        } else if (part) {
            if (const auto day = ads::parse_day(day_)) part->first = std::max(part->first, *day);
        }
    }
}

void SliceReading::forget_rows() {
    given_.clear();
    expected_.clear();
    to_skip_ = 0;
    day_.clear();
}

Result<SliceReading::Retry> SliceReading::prepare_retry(const Error& error) {
    expected_.clear();
    to_skip_ = 0;
    // Rows of an earlier query of this slice would go with it.
    if (is_first_query_ && out_.restart()) {
        page_ = BufferBuilder();
        gave_ = false;
        is_ordered_ = true;
        if (names != nullptr) names->clear();
        forget_rows();
        return Retry::whole;
    }
    if (!is_ordered_)
        return Error(ErrorKind::unavailable,
                     error.message() +
                         "; its days came in no order, so the rest cannot be asked for; the next run loads "
                         "the slice anew")
            .permanent();
    for (const uint64_t hash : given_) ++expected_[hash];
    to_skip_ = given_.size();
    resumed_day_ = day_;
    return Retry::rest;
}

// Every row that had come must have come again: else what was given is no longer what the system says.
Result<void> SliceReading::check_skipped() const {
    if (to_skip_ == 0) return {};
    return Error(ErrorKind::unavailable, "rows that came before an answer was cut are not there any more: " +
                                             std::to_string(to_skip_) + "; the next run loads the slice anew")
        .permanent();
}

Result<void> SliceReading::take(RunContext& run, std::string_view row) {
    RowIdentity identity;
    if (!identify(row, resource_, identity)) identity.hash = hash_of(row);  // goes to quarantine when it is decoded
    if (to_skip_ > 0 || !expected_.empty()) {
        const auto known = identity.day == resumed_day_ ? expected_.find(identity.hash) : expected_.end();
        if (known != expected_.end() && known->second > 0) {
            --known->second;
            --to_skip_;
            return {};
        }
        if (identity.day != resumed_day_) TRY(check_skipped());
    }
    if (identity.day != day_) {
        is_ordered_ = is_ordered_ && (day_.empty() || identity.day > day_);
        day_ = identity.day;
        given_.clear();
        expected_.clear();
    }
    given_.push_back(identity.hash);
    if (names != nullptr) names->emplace_back(identity.resource);
    add(row);
    return page_.size() < kPageBytes ? Result<void>() : give(run);
}

// One row a line: a line end within a row stands between its values, where a space does as well.
void SliceReading::add(std::string_view row) {
    const size_t start = page_.size();
    page_.append(row);
    uint8_t* text = page_.data();
    std::replace_if(
        text + start, text + page_.size(), [](uint8_t c) { return c == '\n' || c == '\r'; }, ' ');
    page_.append("\n");
}

Result<void> SliceReading::give(RunContext& run) {
    gave_ = true;
    return out_.give(run, {page_.finish(), note_});
}

Result<void> SliceReading::finish(RunContext& run) {
    if (page_.size() == 0 && gave_) return {};
    return give(run);
}

}  // namespace shaduf::google_ads
