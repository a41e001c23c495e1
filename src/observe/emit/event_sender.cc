#include "observe/emit/event_sender.h"

#include <algorithm>

#include "base/thread_name.h"

namespace shaduf::observe {
namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kConnectTimeout{5'000};
constexpr std::chrono::milliseconds kAnswerTimeout{10'000};
constexpr uint64_t kAnswerBytesMax = 1 << 20;
constexpr std::chrono::seconds kRetryAfterMax{30};

}  // namespace

EventSender::EventSender(RunContext& world, Metrics& metrics, Settings settings, Warn warn)
    : settings_(std::move(settings)), warn_(std::move(warn)), metrics_(metrics), world_{world.clock,  cancellation_,
                                                                                        world.http,   world.databases,
                                                                                        world.events, world.shared,
                                                                                        world.rates} {
    metrics_.add(metric::events_sent, {settings_.target}, 0);
    metrics_.add(metric::events_dropped, {settings_.target}, 0);
    thread_ = std::thread([this] { run(); });
}

EventSender::~EventSender() { stop(std::chrono::milliseconds(0)); }

void EventSender::offer(Job job, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const bool fits = queue_.size() < settings_.queue_max && bytes_ + bytes <= settings_.queue_bytes_max;
    if (is_stopping_ || !fits) return metrics_.add(metric::events_dropped, {settings_.target});
    queue_.push_back({std::move(job), bytes});
    bytes_ += bytes;
    changed_.notify_all();
}

size_t EventSender::queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size() + (is_sending_ ? 1 : 0);
}

void EventSender::stop(std::chrono::milliseconds within) {
    {
        std::unique_lock lock(mutex_);
        is_stopping_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, within, [&] { return queue_.empty() && !is_sending_; });
        metrics_.add(metric::events_dropped, {settings_.target}, static_cast<double>(queue_.size()));
        queue_.clear();
        cancellation_.cancel();
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void EventSender::run() {
    name_thread("send events");
    for (;;) {
        Entry entry;
        {
            std::unique_lock lock(mutex_);
            is_sending_ = false;
            changed_.notify_all();
            changed_.wait(lock, [&] { return !queue_.empty() || is_stopping_; });
            if (queue_.empty()) return;
            entry = std::move(queue_.front());
            queue_.pop_front();
            bytes_ -= entry.bytes;
            is_sending_ = true;
        }
        for (const std::string& body : entry.job()) post(body);
    }
}

void EventSender::post(const std::string& body) {
    HttpRequest request;
    request.method = "POST";
    request.url = settings_.url;
    request.headers = settings_.headers;
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    request.connect_timeout = kConnectTimeout;
    request.idle_timeout = kAnswerTimeout;
    request.response_bytes_max = kAnswerBytesMax;
    std::string why;
    std::chrono::milliseconds wait = settings_.wait_first;
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
        auto answer = world_.http.send(world_, request);
        bool may_pass = true;
        if (answer.ok() && answer.value().status < 300) {
            has_failed_ = false;
            return metrics_.add(metric::events_sent, {settings_.target});
        }
        auto asked = std::chrono::milliseconds(0);
        if (answer.ok()) {
            const int status = answer.value().status;
            why = "it answers " + std::to_string(status);
            may_pass = status == 408 || status == 429 || status >= 500;
            asked = retry_delay(world_, answer.value()).value_or(asked);
        } else {
            why = answer.error().message();
            may_pass = answer.error().kind() == ErrorKind::unavailable;
        }
        if (!may_pass || attempt == kAttempts || cancellation_.canceled()) break;
        const auto longest = std::chrono::milliseconds(kRetryAfterMax);
        if (!world_.clock.sleep(std::min(std::max(wait, asked), longest), cancellation_)) break;
        wait *= 2;
    }
    metrics_.add(metric::events_dropped, {settings_.target});
    if (!has_failed_ && warn_) warn_(settings_.target + " cannot be told: " + why + "; what cannot be sent is dropped");
    has_failed_ = true;
}

}  // namespace shaduf::observe
