#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/ads/slice.h"
#include "data/buffer.h"
#include "data/raw_rows.h"

// Answers of CleverTap as rows. All rows begin with the project's id, time zone and, where it is told, currency.
namespace shaduf::clevertap {

// "20151023140416", or twelve digits without seconds, of the project's time zone; as a number or a text of JSON.
struct LocalTime {
    ads::Day day;
    Timestamp time;  // where the clocks went back over it, the first time they showed it
};
std::optional<LocalTime> read_local_time(std::string_view raw, const ads::Zone& zone);

// Records of `events`: with the name, the day and the time of the event in front. One that says no time, or a day
// outside the slice, is broken.
Result<RawRows> event_rows(const BufferPtr& body, const ads::Slice& slice, std::string place);
// Records of `profiles`: with `profile_id` in front, the object id or else the identity.
Result<RawRows> profile_rows(const BufferPtr& body, const ads::Slice& slice, std::string place);
// A list of {"target": ..., "result": ...}: a campaign and what came of it.
Result<RawRows> campaign_rows(const BufferPtr& body, const ads::Slice& slice, std::string place);
// The messages of a day. Names with spaces get underscores.
Result<RawRows> message_rows(const BufferPtr& body, const ads::Slice& slice, ads::Day day, std::string place);
// The count of a day.
Result<RawRows> count_rows(const BufferPtr& body, const ads::Slice& slice, ads::Day day, std::string place);

}  // namespace shaduf::clevertap
