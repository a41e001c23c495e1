#include "server/live_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/json_writer.h"

namespace shaduf::server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LiveEvents::Limits quick() {
    LiveEvents::Limits limits;
    limits.apart = milliseconds(0);
    limits.ping_every = milliseconds(1);
    return limits;
}

void say(LiveEvents& events, const std::string& topic, int64_t number, const std::string& key = "") {
    events.publish({"run", {topic}, key}, [&](JsonWriter& json) { json.field("n", number); });
}

// The numbers that a stream tells, until it has nothing.
std::vector<std::string> told(LiveEvents::Stream& stream) {
    std::vector<std::string> found;
    for (;;) {
        const auto text = stream.next();
        if (!text || *text == ": ping\n\n") return found;
        size_t at = 0;
        for (;;) {
            const size_t event = text->find("event: ", at);
            if (event == std::string::npos) break;
            const size_t n = text->find("\"n\":", event);
            const size_t end = text->find("\n\n", event);
            const bool has_number = n != std::string::npos && n < end;
            found.push_back(has_number ? text->substr(n + 4, text->find('}', n) - n - 4) : "resync");
            at = end;
        }
    }
}

TEST(LiveEvents, TellsWhatIsFollowed) {
    LiveEvents events(quick());
    say(events, "runs", 1);
    const auto stream = events.open({"runs", "run:7"}, "");
    say(events, "runs", 2);
    say(events, "flows", 3);
    say(events, "run:7", 4);
    EXPECT_THAT(told(*stream), testing::ElementsAre("2", "4"));
    EXPECT_TRUE(events.is_followed("run:7"));
    EXPECT_FALSE(events.is_followed("flows"));
}

TEST(LiveEvents, EventsAreOfTheFormat) {
    LiveEvents events(quick());
    const auto stream = events.open({"runs"}, "");
    EXPECT_EQ(stream->next(), "retry: 1000\n\n");
    events.publish({"run", {"runs"}, ""}, [](JsonWriter& json) { json.field("text", "a\nb\r"); });
    const std::string id = events.last_id();
    EXPECT_EQ(stream->next(),
              "id: " + id + "\nevent: run\ndata: {\"seq\":\"" + id + "\",\"text\":\"a\\nb\\u000d\"}\n\n");
}

TEST(LiveEvents, GoesOnBehindAnId) {
    LiveEvents events(quick());
    say(events, "runs", 1);
    const std::string id = events.last_id();
    say(events, "runs", 2);
    say(events, "runs", 3);
    EXPECT_THAT(told(*events.open({"runs"}, id)), testing::ElementsAre("2", "3"));
    EXPECT_THAT(told(*events.open({"runs"}, events.last_id())), IsEmpty());
}

TEST(LiveEvents, WhoCannotGoOnBeginsAnew) {
    LiveEvents::Limits limits = quick();
    limits.events_max = 3;
    LiveEvents events(limits);
    const std::string before = events.last_id();
    for (int i = 1; i <= 4; ++i) say(events, "runs", i);
    const std::string epoch = before.substr(0, before.find('-'));
    for (const std::string& id :
         {before, std::string("other-3"), epoch + "-99", epoch + "-", epoch + "-x", std::string("-"), epoch + "--1"}) {
        SCOPED_TRACE(id);
        EXPECT_THAT(told(*events.open({"runs"}, id)), testing::ElementsAre("resync"));
    }
    EXPECT_THAT(told(*events.open({"runs"}, epoch + "-1")), testing::ElementsAre("2", "3", "4"));
}

TEST(LiveEvents, ASlowClientFallsOutAndIsTold) {
    LiveEvents::Limits limits = quick();
    limits.bytes_max = 1'000;
    LiveEvents events(limits);
    const auto stream = events.open({"runs"}, "");
    EXPECT_TRUE(stream->next());
    for (int i = 0; i < 1'000; ++i) say(events, "runs", i);
    EXPECT_THAT(told(*stream), testing::ElementsAre("resync"));
    say(events, "runs", 1'000);
    EXPECT_THAT(told(*stream), testing::ElementsAre("1000"));
}

TEST(LiveEvents, OfOneKeyTheNewestIsToldAlone) {
    LiveEvents events(quick());
    const auto stream = events.open({"runs"}, "");
    for (int i = 0; i < 100; ++i) say(events, "runs", i, i % 2 == 0 ? "even" : "odd");
    say(events, "runs", 100);
    EXPECT_THAT(told(*stream), testing::ElementsAre("98", "99", "100"));
}

TEST(LiveEvents, WhatIsOldGoes) {
    LiveEvents::Limits limits = quick();
    limits.age_max = std::chrono::seconds(0);
    LiveEvents events(limits);
    const std::string id = events.last_id();
    say(events, "runs", 1, "key");
    say(events, "runs", 2, "key");
    EXPECT_THAT(told(*events.open({"runs"}, id)), testing::ElementsAre("resync"));
}

TEST(LiveEvents, BatchesAreBounded) {
    LiveEvents::Limits limits = quick();
    limits.batch_bytes = 100;
    LiveEvents events(limits);
    const auto stream = events.open({"runs"}, "");
    for (int i = 0; i < 50; ++i) say(events, "runs", i);
    EXPECT_LT(stream->next()->size(), 300U);
    EXPECT_THAT(told(*stream), Not(IsEmpty()));
}

TEST(LiveEvents, StreamsAreCountedAndEnd) {
    LiveEvents::Limits limits = quick();
    limits.streams_max = 2;
    limits.ping_every = std::chrono::hours(1);
    LiveEvents events(limits);
    auto one = events.open({"runs"}, "");
    auto two = events.open({"runs"}, "");
    EXPECT_EQ(events.open({"runs"}, ""), nullptr);
    two.reset();
    two = events.open({"runs"}, "");
    ASSERT_NE(two, nullptr);
    EXPECT_TRUE(one->next());
    std::thread waiting([&] { EXPECT_EQ(one->next(), std::nullopt); });
    events.stop();
    waiting.join();
    EXPECT_EQ(events.open({"runs"}, ""), nullptr);
}

TEST(LiveEvents, ManyPublishAndFollow) {
    LiveEvents events(quick());
    std::vector<std::unique_ptr<LiveEvents::Stream>> streams;
    for (int i = 0; i < 4; ++i) streams.push_back(events.open({"runs"}, ""));
    std::vector<std::thread> threads;
    std::atomic<int> ended{0};
    for (auto& stream : streams) {
        threads.emplace_back([&] {
            int64_t last = -1;
            while (last < 1'000) {
                const auto numbers = told(*stream);
                for (const std::string& number : numbers) {
                    EXPECT_GT(std::stoll(number), last);
                    last = std::stoll(number);
                }
            }
            ++ended;
        });
    }
    for (int i = 0; i <= 1'000; ++i) say(events, "runs", i);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ended, 4);
}

}  // namespace
}  // namespace shaduf::server
