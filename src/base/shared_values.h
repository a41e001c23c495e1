#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace shaduf {

// What the streams of a run would each find out for themselves, found out once: the first to ask for a key makes the
// value while the others wait, and all get the same one. An error is not kept: whoever asks next tries again.
// Thread-safe; a `make` must not ask for its own key.
class SharedValues {
public:
    // REQUIRES: one type for all uses of a key.
    template <typename T>
    Result<std::shared_ptr<const T>> get(const std::string& key, const std::function<Result<T>()>& make) {
        const std::shared_ptr<Slot> slot = slot_of(key);
        std::lock_guard lock(slot->mutex);
        if (slot->value == nullptr) slot->value = std::make_shared<const T>(TRY(make()));
        return std::static_pointer_cast<const T>(slot->value);
    }

private:
    struct Slot {
        std::mutex mutex;
        std::shared_ptr<const void> value;
    };
    std::shared_ptr<Slot> slot_of(const std::string& key) {
        std::lock_guard lock(mutex_);
        auto& slot = slots_[key];
        if (slot == nullptr) slot = std::make_shared<Slot>();
        return slot;
    }

    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Slot>> slots_;
};

}  // namespace shaduf
