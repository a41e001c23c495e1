#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaduf {
class JsonWriter;
}

namespace shaduf::server {

// One thing that has happened, as clients are told.
struct LiveEvent {
    std::string type;                 // run, task, step, log, flow, project
    std::vector<std::string> topics;  // whoever follows one of them is told: "runs", "run:01J8", "log:01J8/load/1"
    // Of those with the same one only the newest matters: who is behind is told that one alone. "": each is told.
    std::string key;
};

// What happens, for any number of clients that each read at their own pace: one ring of events that all share, so that
// a slow client costs nothing but its place in it. Who falls out of the ring is told to begin anew (`resync`).
// Ids are "<epoch>-<sequence>"; each process has an epoch of its own. Thread-safe.
class LiveEvents {
public:
    struct Limits {
        size_t events_max = 10'000;
        uint64_t bytes_max = 16 << 20;
        std::chrono::seconds age_max{300};
        size_t streams_max = 256;
        size_t batch_bytes = 64 << 10;
        std::chrono::milliseconds ping_every{15'000};
        std::chrono::milliseconds apart{50};  // of what one client is told; the more comes, the more is merged
    };
    LiveEvents();  // with the limits as they are above
    explicit LiveEvents(Limits limits);
    ~LiveEvents();
    LiveEvents(const LiveEvents&) = delete;
    LiveEvents& operator=(const LiveEvents&) = delete;

    // `write` puts the fields behind "seq" into an object that is open.
    void publish(const LiveEvent& event, const std::function<void(JsonWriter&)>& write);
    // Whether anybody follows the topic, so that what is dear to make need not be.
    bool is_followed(std::string_view topic) const;

    // Of the last event: what is read after this call has all of it.
    std::string last_id() const;

    // One client. One thread at a time; the LiveEvents outlive it.
    class Stream {
    public:
        Stream(LiveEvents& events, std::set<std::string, std::less<>> topics, uint64_t next, bool has_gap);
        ~Stream();
        Stream(const Stream&) = delete;
        Stream& operator=(const Stream&) = delete;
        // Waits for something to tell, and gives it as text/event-stream; a comment when nothing happens for long.
        // nullopt: it ends.
        std::optional<std::string> next();

    private:
        friend class LiveEvents;
        LiveEvents& events_;
        const std::set<std::string, std::less<>> topics_;
        uint64_t next_;  // the first that was not looked at
        bool needs_resync_;
        bool has_begun_ = false;
        std::chrono::steady_clock::time_point told_{};
    };
    // Behind the event `last_id`; "": from now on. nullptr: there are too many.
    std::unique_ptr<Stream> open(std::set<std::string, std::less<>> topics, std::string_view last_id);

    // All streams end, and no other begins.
    void stop();
    size_t streams() const;

private:
    struct Entry;
    std::string id_of(uint64_t sequence) const;
    void trim();
    std::string collect(Stream& stream);

    const Limits limits_;
    const std::string epoch_;
    mutable std::mutex mutex_;
    std::condition_variable news_;
    std::condition_variable stopping_;
    std::deque<Entry> ring_;
    uint64_t first_ = 1;  // the sequence of the ring's first event
    uint64_t bytes_ = 0;
    std::unordered_map<std::string, uint64_t> newest_;  // by key, of those in the ring
    std::unordered_map<std::string, size_t> followed_;  // streams by topic
    size_t streams_ = 0;
    bool is_stopped_ = false;
};

}  // namespace shaduf::server
