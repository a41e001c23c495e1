#include "connectors/ads/lanes.h"

#include <algorithm>
#include <chrono>

#include "base/assert.h"

namespace shaduf::ads {
namespace {

// Of what may wait, that part does so as it came.
constexpr uint64_t kPlainPart = 2;
// A reader that has nothing to do for so long is not what the load waits for: the system's limits are.
constexpr auto kStarvedAfter = std::chrono::milliseconds(20);

}  // namespace

Lanes::Lanes(std::vector<Slice> slices, uint64_t bytes_max) : bytes_max_(bytes_max) {
    for (Slice& slice : slices) waiting_.push_back(std::make_unique<Lane>(std::move(slice)));
}

Lane* Lanes::take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return nullptr;
    open_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    return open_.back().get();
}

Result<bool> Lanes::push(Lane& lane, ReadBatch rows) {
    WaitingBatch batch(std::move(rows));
    std::unique_lock lock(mutex_);
    // The one that is being read must go on whatever the others hold, else nobody could.
    const auto has_room = [&] {
        return stopped_ || lane.bytes == 0 ||
               (&lane == current_ ? lane.bytes < bytes_max_ / 4 : bytes_ < bytes_max_ / kPlainPart);
    };
    const auto is_to_be_packed = [&] { return current_ != nullptr && starved_ && bytes_ < bytes_max_; };
    if (!has_room()) {
        ++blocked_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return has_room() || is_to_be_packed(); });
        --blocked_;
        if (!has_room()) {
            lock.unlock();
            TRY(batch.pack());
            lock.lock();
        }
    }
    if (stopped_) return false;
    lane.bytes += batch.bytes();
    bytes_ += batch.bytes();
    lane.batches.push_back(std::move(batch));
    if (&lane == current_) changed_.notify_all();
    return true;
}

bool Lanes::has_left(const Lane& lane) {
    const std::lock_guard lock(mutex_);
    return lane.left;
}

void Lanes::drop_batches(Lane& lane) {
    bytes_ -= lane.bytes;
    lane.bytes = 0;
    lane.batches.clear();
    changed_.notify_all();
}

bool Lanes::restart(Lane& lane) {
    const std::lock_guard lock(mutex_);
    if (lane.left) return false;
    drop_batches(lane);
    return true;
}

void Lanes::end(Lane& lane, std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    lane.ended = true;
    lane.error = std::move(error);
    if (lane.error) drop_batches(lane);
    changed_.notify_all();
}

// One that is complete; else one that failed and may be fetched again, so that it is soon; else the largest, when some
// thread waits for room. One that failed for good comes when all others are through.
Lane* Lanes::pick() const {
    Lane* largest = nullptr;
    Lane* failed = nullptr;
    bool all_ended = waiting_.empty();
    for (const auto& lane : open_) {
        if (lane->ended && !lane->error) return lane.get();
        if (lane->ended) {
            if (failed == nullptr || lane->error->may_retry()) failed = lane.get();
            continue;
        }
        all_ended = false;
        if (!lane->batches.empty() && (largest == nullptr || lane->bytes > largest->bytes)) largest = lane.get();
    }
    if (failed != nullptr && (all_ended || failed->error->may_retry())) return failed;
    return blocked_ > 0 ? largest : nullptr;
}

Lanes::Next Lanes::next() {
    std::unique_lock lock(mutex_);
    for (bool waited = false;; waited = true) {
        if (waited && changed_.wait_for(lock, kStarvedAfter) == std::cv_status::timeout && !starved_) {
            starved_ = true;
            changed_.notify_all();
        }
        if (stopped_ || (waiting_.empty() && open_.empty())) return {};
        if (current_ == nullptr) {
            current_ = pick();
            if (current_ != nullptr) changed_.notify_all();  // it may go on, whatever the others hold
        }
        if (current_ == nullptr) continue;
        if (!current_->batches.empty()) {
            if (!waited) starved_ = false;
            WaitingBatch batch = std::move(current_->batches.front());
            current_->batches.pop_front();
            current_->bytes -= batch.bytes();
            bytes_ -= batch.bytes();
            current_->left = true;
            changed_.notify_all();
            return {current_->table_slice, std::move(batch), nullptr};
        }
        if (current_->ended) {
            const auto found =
                std::find_if(open_.begin(), open_.end(), [&](const auto& lane) { return lane.get() == current_; });
            Next next{current_->table_slice, std::nullopt, std::move(*found)};
            open_.erase(found);
            current_ = nullptr;
            return next;
        }
    }
}

std::vector<std::unique_ptr<Lane>> Lanes::take_failed() {
    const std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Lane>> failed;
    for (auto& lane : open_) {
        const bool may_retry = lane->ended && lane->error && lane->error->may_retry() && !lane->left;
        if (may_retry && lane.get() != current_) failed.push_back(std::move(lane));
    }
    std::erase(open_, nullptr);
    return failed;
}

void Lanes::fetch_again(std::unique_ptr<Lane> lane) {
    const std::lock_guard lock(mutex_);
    SHADUF_ASSERT(!lane->left);
    lane->error.reset();
    lane->ended = false;
    waiting_.push_front(std::move(lane));
    changed_.notify_all();
}

void Lanes::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

}  // namespace shaduf::ads
