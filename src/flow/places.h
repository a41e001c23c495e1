#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace shaduf {

using PlaceTicket = uint64_t;

// What a task needs in order to run.
struct PlaceRequest {
    PlaceTicket ticket = 0;
    std::string mutex;  // only one task of a mutex runs at a time; "": of none
    struct Use {
        std::string pool;
        uint32_t places = 1;
    };
    std::vector<Use> uses;  // all of them at once
    int priority = 0;       // a higher one goes first...
    Timestamp since{};      // ...but waiting counts, too: see kPriorityWorth
};

// The places of pools, and who waits for them. Whoever fits goes in at once. Otherwise those who wait go in by priority
// and age; one that does not fit yet keeps those behind it from its pools, so that a task that needs many places gets
// them, and others pass it only where they share no pool with it. A task that needs more places than its pool has takes
// the whole pool. Takes no notice of time by itself. One thread at a time.
class Places {
public:
    // One step of priority outweighs so much waiting.
    static constexpr std::chrono::minutes kPriorityWorth{10};

    // Places of a pool; one that was never set has none. What is inside stays inside. Gives who goes in.
    std::vector<PlaceTicket> set_pool(const std::string& pool, uint32_t places);

    // Gives who goes in: it, or nobody. REQUIRES: a new ticket.
    std::vector<PlaceTicket> enter(PlaceRequest request);
    // It is inside already, as it was left; even where that is more than there are places for now.
    void put_inside(PlaceRequest request);
    // It has ended, or does not want to go in any more. Gives who goes in instead.
    std::vector<PlaceTicket> leave(PlaceTicket ticket);

    bool is_inside(PlaceTicket ticket) const;
    size_t waiting() const { return known_.size() - inside_; }
    struct PoolState {
        uint32_t places = 0;
        uint32_t taken = 0;
        uint32_t waiting = 0;
    };
    PoolState pool(const std::string& name) const;

private:
    // Whom to ask first: who has waited longest, as if its priority were time.
    using Rank = std::pair<Timestamp, PlaceTicket>;
    enum class Stage : uint8_t { before_mutex, before_pools, inside };
    struct Known {
        PlaceRequest request;
        Rank rank;
        Stage stage = Stage::before_mutex;
        std::vector<uint32_t> taken;  // by use
    };
    // Those who need the same places of the same pools wait in one line: where its first does not fit, none does.
    using Needs = std::vector<std::pair<std::string, uint32_t>>;
    using Line = std::set<Rank>;
    struct Mutex {
        PlaceTicket owner = 0;
        Line waiting;
    };

    static Needs needs_of(const PlaceRequest& request);
    void go_to_pools(Known& known);
    void let_in(Known& known);
    bool fits(const Needs& needs) const;
    std::vector<PlaceTicket> let_in_all();

    std::map<std::string, PoolState> pools_;
    std::map<std::string, Mutex> mutexes_;
    std::map<Needs, Line> lines_;
    std::unordered_map<PlaceTicket, Known> known_;
    size_t inside_ = 0;
};

}  // namespace shaduf
