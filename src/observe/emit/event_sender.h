#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/run_context.h"
#include "io/http.h"
#include "observe/metrics/metrics.h"

namespace shaduf::observe {

// Posts JSON to one address, by a thread of its own, so that nobody ever waits for who listens there. What it is to
// send is made by that thread, too. Bounded: what comes while the queue is full is dropped and counted, and so is what
// is refused, or fails three times. Nothing is kept over the end of the process. Thread-safe.
class EventSender {
public:
    struct Settings {
        std::string target;  // "openlineage": as metrics and messages call it
        std::string url;
        HttpHeaders headers;
        size_t queue_max = 1'000;
        uint64_t queue_bytes_max = 32 << 20;
        std::chrono::milliseconds wait_first{1'000};  // before the second attempt; twice that before the third
    };
    using Warn = std::function<void(const std::string& text)>;
    // `warn` is told once when sending begins to fail, and never of secrets. The rest outlives it.
    EventSender(RunContext& world, Metrics& metrics, Settings settings, Warn warn);
    ~EventSender();  // as stop, without waiting
    EventSender(const EventSender&) = delete;
    EventSender& operator=(const EventSender&) = delete;

    // Bodies to post one by one, made when their turn comes. `bytes`: about what the job holds until then.
    using Job = std::function<std::vector<std::string>()>;
    void offer(Job job, uint64_t bytes);
    // What is queued may be sent until `within` has passed.
    void stop(std::chrono::milliseconds within);
    size_t queued() const;
    const std::string& target() const { return settings_.target; }

private:
    struct Entry {
        Job job;
        uint64_t bytes;
    };
    void run();
    void post(const std::string& body);

    const Settings settings_;
    const Warn warn_;
    Metrics& metrics_;
    Cancellation cancellation_;
    RunContext world_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Entry> queue_;
    uint64_t bytes_ = 0;
    bool is_sending_ = false;
    bool is_stopping_ = false;
    bool has_failed_ = false;  // of the thread
    std::thread thread_;
};

}  // namespace shaduf::observe
