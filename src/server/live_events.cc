#include "server/live_events.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "base/json_writer.h"

namespace shaduf::server {
namespace {

using Moment = std::chrono::steady_clock::time_point;
Moment steady_now() { return std::chrono::steady_clock::now(); }

std::string make_epoch() {
    std::random_device device;
    const uint64_t number = (uint64_t{device()} << 32U) | device();
    std::string text(16, '\0');
    const auto printed = std::to_chars(text.data(), text.data() + text.size(), number, 36);
    text.resize(static_cast<size_t>(printed.ptr - text.data()));
    return text;
}

}  // namespace

struct LiveEvents::Entry {
    Moment at;
    std::string key;
    std::vector<std::string> topics;
    std::string text;  // as it is sent

    uint64_t bytes() const { return text.size() + key.size() + 64; }
    bool is_for(const std::set<std::string, std::less<>>& wanted) const {
        return std::any_of(topics.begin(), topics.end(), [&](const auto& topic) { return wanted.contains(topic); });
    }
};

LiveEvents::LiveEvents() : LiveEvents(Limits()) {}
LiveEvents::LiveEvents(Limits limits) : limits_(limits), epoch_(make_epoch()) {}
LiveEvents::~LiveEvents() = default;

std::string LiveEvents::id_of(uint64_t sequence) const { return epoch_ + "-" + std::to_string(sequence); }

void LiveEvents::publish(const LiveEvent& event, const std::function<void(JsonWriter&)>& write) {
    const std::lock_guard lock(mutex_);
    const uint64_t sequence = first_ + ring_.size();
    const std::string id = id_of(sequence);
    JsonWriter json;
    json.begin_object().field("seq", id);
    write(json);
    json.end_object();
    Entry entry{steady_now(), event.key, event.topics, ""};
    entry.text = "id: " + id + "\nevent: " + event.type + "\ndata: " + json.str() + "\n\n";
    if (!entry.key.empty()) newest_[entry.key] = sequence;
    bytes_ += entry.bytes();
    ring_.push_back(std::move(entry));
    trim();
    news_.notify_all();
}

void LiveEvents::trim() {
    const Moment oldest = steady_now() - limits_.age_max;
    while (ring_.size() > 1 &&
           (ring_.size() > limits_.events_max || bytes_ > limits_.bytes_max || ring_.front().at < oldest)) {
        const Entry& entry = ring_.front();
        const auto newest = newest_.find(entry.key);
        if (newest != newest_.end() && newest->second == first_) newest_.erase(newest);
        bytes_ -= entry.bytes();
        ring_.pop_front();
        ++first_;
    }
}

bool LiveEvents::is_followed(std::string_view topic) const {
    const std::lock_guard lock(mutex_);
    return followed_.contains(std::string(topic));
}

std::string LiveEvents::last_id() const {
    const std::lock_guard lock(mutex_);
    return id_of(first_ + ring_.size() - 1);
}

std::unique_ptr<LiveEvents::Stream> LiveEvents::open(std::set<std::string, std::less<>> topics,
                                                     std::string_view last_id) {
    const std::lock_guard lock(mutex_);
    if (is_stopped_ || streams_ >= limits_.streams_max) return nullptr;
    const uint64_t end = first_ + ring_.size();
    uint64_t next = end;
    bool has_gap = false;
    if (!last_id.empty()) {
        const size_t dash = last_id.rfind('-');
        uint64_t last = 0;
        const std::string_view number = dash == std::string_view::npos ? "" : last_id.substr(dash + 1);
        const auto parsed = std::from_chars(number.data(), number.data() + number.size(), last);
        const bool is_known = !number.empty() && parsed.ec == std::errc{} && last_id.substr(0, dash) == epoch_ &&
                              last < end && last + 1 >= first_;
        has_gap = !is_known;
        if (is_known) next = last + 1;
    }
    ++streams_;
    for (const std::string& topic : topics) ++followed_[topic];
    return std::make_unique<Stream>(*this, std::move(topics), next, has_gap);
}

// What of the ring the stream was not told yet, up to a batch.
std::string LiveEvents::collect(Stream& stream) {
    std::string text;
    if (stream.next_ < first_) stream.needs_resync_ = true;
    const uint64_t end = first_ + ring_.size();
    if (stream.needs_resync_) {
        stream.needs_resync_ = false;
        stream.next_ = end;
        return "id: " + id_of(end - 1) + "\nevent: resync\ndata: {\"seq\":\"" + id_of(end - 1) + "\"}\n\n";
    }
    for (; stream.next_ < end && text.size() < limits_.batch_bytes; ++stream.next_) {
        const Entry& entry = ring_[stream.next_ - first_];
        if (!entry.is_for(stream.topics_)) continue;
        const auto newest = newest_.find(entry.key);
        if (newest != newest_.end() && newest->second != stream.next_) continue;
        text += entry.text;
    }
    return text;
}

void LiveEvents::stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    news_.notify_all();
    stopping_.notify_all();
}

size_t LiveEvents::streams() const {
    const std::lock_guard lock(mutex_);
    return streams_;
}

LiveEvents::Stream::Stream(LiveEvents& events, std::set<std::string, std::less<>> topics, uint64_t next, bool has_gap)
    : events_(events), topics_(std::move(topics)), next_(next), needs_resync_(has_gap) {}

LiveEvents::Stream::~Stream() {
    const std::lock_guard lock(events_.mutex_);
    --events_.streams_;
    for (const std::string& topic : topics_) {
        const auto found = events_.followed_.find(topic);
        if (found != events_.followed_.end() && --found->second == 0) events_.followed_.erase(found);
    }
}

std::optional<std::string> LiveEvents::Stream::next() {
    std::unique_lock lock(events_.mutex_);
    const auto is_stopped = [this] { return events_.is_stopped_; };
    if (!has_begun_) {  // the answer's head leaves with the first chunk
        has_begun_ = true;
        return "retry: 1000\n\n" + events_.collect(*this);
    }
    if (events_.stopping_.wait_until(lock, told_ + events_.limits_.apart, is_stopped)) return std::nullopt;
    const Moment ping_at = steady_now() + events_.limits_.ping_every;
    for (;;) {
        if (events_.is_stopped_) return std::nullopt;
        std::string text = events_.collect(*this);
        if (!text.empty()) {
            told_ = steady_now();
            return text;
        }
        if (events_.news_.wait_until(lock, ping_at) == std::cv_status::timeout) return ": ping\n\n";
    }
}

}  // namespace shaduf::server
