#pragma once

#include <cstdint>
#include <string>

#include "jinja/value.h"

namespace shaduf::models {

// From `start` to before `end`, in microseconds of UTC since 1970.
struct TimeSpan {
    int64_t start = 0;
    int64_t end = 0;
    bool operator==(const TimeSpan&) const = default;
};

// The part of a microbatch model's time that is built in one go.
struct Batch {
    TimeSpan time;
    std::string name;  // "2024-01-01": of its files and in messages
    std::string id;    // "20240101": in names of relations
    bool operator==(const Batch&) const = default;
};

// A moment of UTC as templates have it (datetime), and as they print it: "2024-01-01 00:00:00+00:00".
jinja::Value utc_value(int64_t micros);
std::string utc_text(int64_t micros);

// What `model.batch` is: a dict of id, event_time_start and event_time_end.
jinja::Value batch_value(const Batch& batch);

}  // namespace shaduf::models
