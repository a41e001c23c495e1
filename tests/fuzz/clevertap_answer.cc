// Reads any bytes as answers of CleverTap: records of events and profiles, campaigns with results, messages, counts.
// Rows that are not broken are JSON objects, unless the record in them is none that is decoded.

#include <cstdlib>
#include <string>
#include <string_view>

#include "connectors/clevertap/rows.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const Result<RawRows>& rows) {
    if (!rows.ok()) return;
    size_t next_broken = 0;
    for (size_t i = 0; i < rows.value().rows.size(); ++i) {
        const auto& broken = rows.value().broken;
        if (next_broken < broken.size() && broken[next_broken].row == i) {
            require(!broken[next_broken++].why.empty());
            continue;
        }
        const std::string_view row = rows.value().row(i);
        require(row.starts_with("{\"account_id\":") && row.ends_with('}'));
    }
    require(next_broken == rows.value().broken.size());
}

void run(std::string_view bytes) {
    BufferBuilder builder;
    builder.append(bytes);
    const BufferPtr body = builder.finish();
    ads::Slice slice;
    slice.account = {"P1", "", "Europe/Berlin", "", ""};
    slice.part = "Charged";
    const ads::Day day{std::chrono::days(20'000)};
    slice.days = ads::DayRange{day, day + std::chrono::days(6)};
    check(clevertap::event_rows(body, slice, "fuzz"));
    check(clevertap::profile_rows(body, slice, "fuzz"));
    check(clevertap::campaign_rows(body, slice, "fuzz"));
    check(clevertap::message_rows(body, slice, day, "fuzz"));
    check(clevertap::count_rows(body, slice, day, "fuzz"));
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
