#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::sandbox {

// A time zone by name. Immutable; thread-safe.
class Zone {
public:
    virtual ~Zone() = default;
    // Seconds east of Greenwich at that moment.
    virtual int32_t offset_at(Timestamp moment) const = 0;
    // The date there, in days since 1970.
    int32_t day_at(Timestamp moment) const;
    // The first moment of a day there.
    Timestamp start_of(int32_t day) const;

    // invalid_config: no zone of that name.
    static Result<std::shared_ptr<const Zone>> find(const std::string& name);
};

// "2020-04-13T18:04:59-0700".
std::string format_with_offset(Timestamp moment, const Zone& zone);

}  // namespace shaduf::sandbox
