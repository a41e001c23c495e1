#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace shaduf {
namespace {

// One thread, random operations, beside a queue that a child could have written. No operation that would block.
TEST(BoundedQueue, DoesWhatANaiveOneDoes) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const size_t items_max = 1 + random() % 4;
        BoundedQueue<int> queue({items_max});
        std::vector<int> naive;
        bool closed = false;
        for (int step = 0; step < 300; ++step) {
            const unsigned action = random() % 100;
            if (action < 48 && (closed || naive.size() < items_max)) {
                EXPECT_EQ(queue.push(step), !closed);
                if (!closed) naive.push_back(step);
            } else if (action < 96 && (closed || !naive.empty())) {
                const auto item = queue.pop();
                EXPECT_EQ(item.has_value(), !naive.empty());
                if (naive.empty()) continue;
                EXPECT_EQ(*item, naive.front());
                naive.erase(naive.begin());
            } else if (action == 98 && step > 200) {
                queue.close();
                closed = true;
            } else if (action == 99 && step > 250) {
                queue.abort();
                closed = true;
                naive.clear();
            }
            ASSERT_EQ(queue.size(), naive.size());
        }
    }
}

TEST(BoundedQueue, GivesEachItemOnceAndInOrderOfItsProducer) {
    constexpr int kProducers = 3;
    constexpr int kConsumers = 3;
    constexpr int kItems = 2000;
    BoundedQueue<int> queue({4});
    std::atomic<size_t> fullest{0};
    std::vector<std::vector<int>> taken(kConsumers);
    std::vector<std::thread> producers;
    std::vector<std::thread> consumers;
    for (auto& mine : taken) {
        consumers.emplace_back([&queue, &mine, &fullest] {
            while (auto item = queue.pop()) {
                mine.push_back(*item);
                fullest = std::max<size_t>(fullest, queue.size());
            }
        });
    }
    for (int producer = 0; producer < kProducers; ++producer) {
        producers.emplace_back([&queue, producer] {
            for (int item = 0; item < kItems; ++item) EXPECT_TRUE(queue.push(producer * kItems + item));
        });
    }
    for (auto& thread : producers) thread.join();
    queue.close();
    for (auto& thread : consumers) thread.join();
    std::vector<int> all;
    for (const auto& mine : taken) {
        std::vector<int> last(kProducers, -1);
        for (const int item : mine) {
            EXPECT_GT(item, last[static_cast<size_t>(item / kItems)]);
            last[static_cast<size_t>(item / kItems)] = item;
        }
        all.insert(all.end(), mine.begin(), mine.end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), static_cast<size_t>(kProducers * kItems));
    for (int item = 0; item < kProducers * kItems; ++item) ASSERT_EQ(all[static_cast<size_t>(item)], item);
    EXPECT_LE(fullest, 4U);
}

TEST(BoundedQueue, WakesThoseWhoWaitWhenItEnds) {
    BoundedQueue<int> full({1});
    EXPECT_TRUE(full.push(1));
    std::thread producer([&full] { EXPECT_FALSE(full.push(2)); });
    full.close();
    producer.join();
    EXPECT_EQ(full.pop(), 1);
    EXPECT_EQ(full.pop(), std::nullopt);

    BoundedQueue<int> empty({1});
    std::thread consumer([&empty] { EXPECT_EQ(empty.pop(), std::nullopt); });
    empty.abort();
    consumer.join();
}

TEST(BoundedQueue, DropsWhatIsInItWhenAborted) {
    const auto item = std::make_shared<int>(1);
    BoundedQueue<std::shared_ptr<int>> queue({2});
    EXPECT_TRUE(queue.push(item));
    queue.abort();
    EXPECT_EQ(item.use_count(), 1);
    EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace shaduf
