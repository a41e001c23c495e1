#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "flow/shared/sessions.h"

namespace shaduf::shared {

// Which process decides: one at a time, by a lease in the row shaduf.leader. The server's clock alone counts. Each
// taking over raises the token, by which whoever led before is told apart (fencing): SharedRunStore::keep writes
// nothing under an old one, so a leader that slept through its lease does no harm while it does not know yet.
//
// Thread-safe. One thread renews the lease, or tries to take it.
class Leadership {
public:
    struct Settings {
        std::string holder;  // who this is, for people
        std::chrono::milliseconds lease{10'000};
        std::chrono::milliseconds look_every{2'000};
    };
    // `changed` is called when it begins to lead (with the token) and when it does not any more (nullopt); it must be
    // quick, as the lease is not renewed meanwhile. `sessions` outlives it.
    using Changed = std::function<void(std::optional<int64_t> token)>;
    Leadership(Sessions& sessions, Settings settings, Changed changed);
    ~Leadership();  // gives the lease back, so that another one need not wait for its end

    // Of this process, as far as it knows.
    std::optional<int64_t> token() const;
    // Who leads, for people; "": nobody, or it cannot be told.
    std::string holder() const;
    // It does not lead any more, whatever the lease says: what it kept was refused.
    void lost(int64_t token);

private:
    void run();
    Result<std::optional<int64_t>> take_or_renew();
    void set(std::optional<int64_t> token);

    Sessions& sessions_;
    const Settings settings_;
    const Changed changed_;
    Cancellation stop_;
    mutable std::mutex mutex_;
    std::optional<int64_t> token_;
    std::string holder_;
    std::chrono::steady_clock::time_point renewed_{};
    std::thread thread_;
};

}  // namespace shaduf::shared
