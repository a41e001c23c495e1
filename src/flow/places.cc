#include "flow/places.h"

#include <algorithm>

#include "base/assert.h"

namespace shaduf {

Places::Needs Places::needs_of(const PlaceRequest& request) {
    std::map<std::string, uint32_t> sums;
    for (const auto& use : request.uses) sums[use.pool] += use.places;
    return {sums.begin(), sums.end()};
}

std::vector<PlaceTicket> Places::set_pool(const std::string& pool, uint32_t places) {
    pools_[pool].places = places;
    return let_in_all();
}

std::vector<PlaceTicket> Places::enter(PlaceRequest request) {
    const Rank rank{request.since - request.priority * kPriorityWorth, request.ticket};
    const auto [entry, is_new] = known_.emplace(request.ticket, Known{std::move(request), rank, {}, {}});
    SHADUF_ASSERT(is_new);
    Known& known = entry->second;
    if (!known.request.mutex.empty()) {
        Mutex& mutex = mutexes_[known.request.mutex];
        if (mutex.owner != 0) {
            mutex.waiting.insert(rank);
            return {};
        }
        mutex.owner = known.request.ticket;
    }
    go_to_pools(known);
    return let_in_all();
}

void Places::put_inside(PlaceRequest request) {
    const Rank rank{request.since, request.ticket};
    const auto [entry, is_new] = known_.emplace(request.ticket, Known{std::move(request), rank, {}, {}});
    SHADUF_ASSERT(is_new);
    Known& known = entry->second;
    if (!known.request.mutex.empty()) mutexes_[known.request.mutex].owner = known.request.ticket;
    for (const auto& [pool, places] : needs_of(known.request)) ++pools_[pool].waiting;
    let_in(known);
}

void Places::go_to_pools(Known& known) {
    known.stage = Stage::before_pools;
    const Needs needs = needs_of(known.request);
    for (const auto& [pool, places] : needs) ++pools_[pool].waiting;
    lines_[needs].insert(known.rank);
}

std::vector<PlaceTicket> Places::leave(PlaceTicket ticket) {
    const auto entry = known_.find(ticket);
    if (entry == known_.end()) return {};
    const Known known = std::move(entry->second);
    known_.erase(entry);
    const Needs needs = needs_of(known.request);
    if (known.stage == Stage::inside) {
        --inside_;
        for (size_t i = 0; i < needs.size(); ++i) pools_[needs[i].first].taken -= known.taken[i];
    } else if (known.stage == Stage::before_pools) {
        for (const auto& [pool, places] : needs) --pools_[pool].waiting;
        const auto line = lines_.find(needs);
        line->second.erase(known.rank);
        if (line->second.empty()) lines_.erase(line);
    }
    if (!known.request.mutex.empty()) {
        const auto mutex = mutexes_.find(known.request.mutex);
        if (mutex->second.owner != ticket) {
            mutex->second.waiting.erase(known.rank);
        } else if (mutex->second.waiting.empty()) {
            mutexes_.erase(mutex);
        } else {
            const PlaceTicket next = mutex->second.waiting.begin()->second;
            mutex->second.waiting.erase(mutex->second.waiting.begin());
            mutex->second.owner = next;
            go_to_pools(known_.at(next));
        }
    }
    return let_in_all();
}

bool Places::fits(const Needs& needs) const {
    return std::all_of(needs.begin(), needs.end(), [&](const auto& need) {
        const PoolState& pool = pools_.at(need.first);
        return pool.places > 0 && pool.taken + std::min(need.second, pool.places) <= pool.places;
    });
}

void Places::let_in(Known& known) {
    known.stage = Stage::inside;
    ++inside_;
    for (const auto& [name, places] : needs_of(known.request)) {
        PoolState& pool = pools_[name];
        --pool.waiting;
        known.taken.push_back(std::min(places, pool.places));
        pool.taken += known.taken.back();
    }
}

// The first of all lines goes in, or keeps its pools from those behind it; and so on.
std::vector<PlaceTicket> Places::let_in_all() {
    using Head = std::pair<Rank, std::map<Needs, Line>::iterator>;
    const auto is_behind = [](const Head& a, const Head& b) { return a.first > b.first; };
    std::vector<Head> heads;
    for (auto line = lines_.begin(); line != lines_.end(); ++line) heads.emplace_back(*line->second.begin(), line);
    std::make_heap(heads.begin(), heads.end(), is_behind);
    std::set<std::string_view> kept;
    std::vector<PlaceTicket> let_in_now;
    while (!heads.empty()) {
        std::pop_heap(heads.begin(), heads.end(), is_behind);
        const auto [rank, line] = heads.back();
        heads.pop_back();
        const Needs& needs = line->first;
        const bool is_free =
            std::none_of(needs.begin(), needs.end(), [&](const auto& need) { return kept.contains(need.first); });
        if (!is_free || !fits(needs)) {
            for (const auto& [pool, places] : needs) kept.insert(pool);
            continue;
        }
        let_in(known_.at(rank.second));
        let_in_now.push_back(rank.second);
        line->second.erase(rank);
        if (line->second.empty()) {
            // Its needs may be among those kept by name only of lines that stay: this one was never kept.
            lines_.erase(line);
            continue;
        }
        heads.emplace_back(*line->second.begin(), line);
        std::push_heap(heads.begin(), heads.end(), is_behind);
    }
    return let_in_now;
}

bool Places::is_inside(PlaceTicket ticket) const {
    const auto found = known_.find(ticket);
    return found != known_.end() && found->second.stage == Stage::inside;
}

Places::PoolState Places::pool(const std::string& name) const {
    const auto found = pools_.find(name);
    return found == pools_.end() ? PoolState() : found->second;
}

}  // namespace shaduf
